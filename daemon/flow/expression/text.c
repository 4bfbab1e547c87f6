#include <locale.h>
#include <pthread.h>
#include <wctype.h>

#include "flow/expression/text.h"

size_t character_size(sl_str text, size_t at)
{
    if ((unsigned char)text.data[at] < 0x80) return 1;
    size_t size = sl_utf8_sequence(text, at);
    return size ? size : 1;
}

uint32_t character_at(sl_str text, size_t at)
{
    unsigned char first = (unsigned char)text.data[at];
    size_t size = character_size(text, at);
    if (size == 1) return first < 0x80 ? first : 0xFFFD;
    uint32_t c = first & (0x7F >> size);
    for (size_t i = 1; i < size; i++) c = c << 6 | ((unsigned char)text.data[at + i] & 0x3F);
    return c;
}

void add_character(sl_buf *buf, uint32_t c)
{
    char bytes[4];
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (size == 1) bytes[0] = (char)c;
    else {
        for (size_t i = size - 1; i; i--, c >>= 6) bytes[i] = (char)(0x80 | (c & 0x3F));
        bytes[0] = (char)(0xF0 << (4 - size) | c);
    }
    sl_buf_add(buf, bytes, size);
}

size_t utf16_length(sl_str text)
{
    size_t units = 0;
    for (size_t at = 0; at < text.size;) {
        size_t size = character_size(text, at);
        units += size == 4 ? 2 : 1;
        at += size;
    }
    return units;
}

size_t utf16_offset(sl_str text, size_t units)
{
    size_t at = 0;
    while (units && at < text.size) {
        size_t size = character_size(text, at);
        units -= SL_MIN(units, size == 4 ? (size_t)2 : 1);
        at += size;
    }
    return units ? SIZE_MAX : at;
}

static bool is_space(uint32_t c)
{
    if (c <= 0x20) return c == 0x20 || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
    if (c == 0x1680 || c == 0x205F || c == 0x3000 || c == 0x2028 || c == 0x2029) return true;
    return c >= 0x2000 && c <= 0x200A && c != 0x2007;
}

bool is_blank(sl_str text)
{
    for (size_t at = 0; at < text.size; at += character_size(text, at))
        if (!is_space(character_at(text, at))) return false;
    return true;
}

sl_str java_trim(sl_str text)
{
    while (text.size && (unsigned char)text.data[0] <= ' ') text.data++, text.size--;
    while (text.size && (unsigned char)text.data[text.size - 1] <= ' ') text.size--;
    return text;
}

sl_str find_text(sl_str in, sl_str what)
{
    if (!what.size) return (sl_str){in.data, 0};
    const char *found = in.size ? memmem(in.data, in.size, what.data, what.size) : NULL;
    return (sl_str){found, what.size};
}

sl_str find_last_text(sl_str in, sl_str what)
{
    if (what.size > in.size) return (sl_str){NULL, 0};
    for (size_t at = in.size - what.size + 1; at--;)
        if (!what.size || memcmp(in.data + at, what.data, what.size) == 0) return (sl_str){in.data + at, what.size};
    return (sl_str){NULL, 0};
}

bool split_next(sl_str text, sl_str separator, size_t *at, sl_str *ret)
{
    if (*at > text.size) return false;
    sl_str rest = {text.data + *at, text.size - *at};
    sl_str found = find_text(rest, separator);
    *ret = (sl_str){rest.data, found.data ? (size_t)(found.data - rest.data) : rest.size};
    *at += ret->size + (found.data ? separator.size : 1);
    if (!found.data) *at = text.size + 1;
    return true;
}

/* ---- case ------------------------------------------------------------------------------------------- */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t unicode;

static void load_locale(void) { unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0); }

static uint32_t fold(uint32_t c, bool upper)
{
    if (c < 0x80) return upper ? (c >= 'a' && c <= 'z' ? c - 32 : c) : (c >= 'A' && c <= 'Z' ? c + 32 : c);
    pthread_once(&once, load_locale);
    if (!unicode) return c;
    return (uint32_t)(upper ? towupper_l((wint_t)c, unicode) : towlower_l((wint_t)c, unicode));
}

bool equal_ignoring_case(sl_str a, sl_str b)
{
    size_t i = 0, j = 0;
    while (i < a.size && j < b.size) {
        uint32_t left = fold(fold(character_at(a, i), true), false), right = fold(fold(character_at(b, j), true), false);
        if (left != right) return false;
        i += character_size(a, i);
        j += character_size(b, j);
    }
    return i == a.size && j == b.size;
}

static int change_case_ascii(evaluation *e, sl_str text, bool upper, value *ret)
{
    char *copy = scratch(e, text.size);
    if (!copy) return -1;
    for (size_t i = 0; i < text.size; i++) copy[i] = (char)fold((unsigned char)text.data[i], upper);
    *ret = VALUE_TEXT(((sl_str){copy, text.size}));
    return 0;
}

int change_case(evaluation *e, sl_str text, bool upper, value *ret)
{
    size_t plain = 0;
    while (plain < text.size && (unsigned char)text.data[plain] < 0x80) plain++;
    if (plain == text.size) return change_case_ascii(e, text, upper, ret);
    sl_buf changed = SL_BUF(EXPRESSION_RESULT);
    for (size_t at = 0; at < text.size;) {
        size_t size = character_size(text, at);
        uint32_t c = character_at(text, at);
        if (size == 1 && c == 0xFFFD) sl_buf_add(&changed, text.data + at, 1); /* not UTF-8: stays */
        else if (upper && c == 0xDF) sl_buf_text(&changed, "SS");
        else add_character(&changed, fold(c, upper));
        at += size;
    }
    return scratch_buf(e, &changed, ret);
}

int concatenate(evaluation *e, value a, value b, value *ret)
{
    sl_str left = a.missing ? SL_STR("") : a.text, right = b.missing ? SL_STR("") : b.text;
    char *joined = scratch(e, left.size + right.size);
    if (!joined) return -1;
    memcpy(joined, left.data, left.size);
    memcpy(joined + left.size, right.data, right.size);
    *ret = VALUE_TEXT(((sl_str){joined, left.size + right.size}));
    return 0;
}
