#include <stdio.h>

#include "base/sys.h"

/* 48 bits of time | version 7, 12 bits of node | variant 10, 18 bits of node, 44 bits of id */
void sl_uuid_make(uint64_t id, int64_t born_ms, uint32_t node, char text[SL_UUID_TEXT])
{
    uint64_t high = ((uint64_t)born_ms << 16) | 0x7000 | ((node >> 18) & 0xFFF);
    uint64_t low = (2ULL << 62) | ((uint64_t)(node & 0x3FFFF) << 44) | (id & ((1ULL << 44) - 1));
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;
    for (int nibble = 0; nibble < 32; nibble++) {
        if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) text[at++] = '-';
        uint64_t word = nibble < 16 ? high : low;
        text[at++] = hex[(word >> (60 - 4 * (nibble % 16))) & 15];
    }
    text[at] = 0;
}

static int nibble_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int sl_uuid_id(sl_str text, uint64_t *ret_id)
{
    uint64_t words[2] = {0};
    int count = 0;
    if (text.size != SL_UUID_TEXT - 1) return -1;
    for (size_t at = 0; at < text.size; at++) {
        bool dash = at == 8 || at == 13 || at == 18 || at == 23;
        int nibble = nibble_of(text.data[at]);
        if (dash ? text.data[at] != '-' : nibble < 0) return -1;
        if (!dash) words[count / 16] = words[count / 16] << 4 | (uint64_t)nibble, count++;
    }
    if (((words[0] >> 12) & 15) != 7 || words[1] >> 62 != 2) return -1;
    *ret_id = words[1] & ((1ULL << 44) - 1);
    return 0;
}

void sl_uuid_random(char text[SL_UUID_TEXT])
{
    unsigned char b[16];
    sl_sys_now->random(b, sizeof b);
    b[6] = (b[6] & 0x0F) | 0x40;
    b[8] = (b[8] & 0x3F) | 0x80;
    char hex[33];
    sl_hex(b, sizeof b, hex);
    snprintf(text, SL_UUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}
