/* Encodings: URL, Base64, UUIDs by name, hashes. */
#include <openssl/evp.h>
#include <stdio.h>

#include "flow/expression/functions.h"

/* Bytes as a Java String holds them: what is not UTF-8 becomes U+FFFD. */
static int decoded(evaluation *e, sl_buf *bytes, value *ret)
{
    sl_str text = sl_buf_view(bytes);
    if (bytes->overflowed || sl_utf8_valid(text)) return scratch_buf(e, bytes, ret);
    sl_buf clean = SL_BUF(EXPRESSION_RESULT);
    for (size_t at = 0; at < text.size;) {
        size_t size = sl_utf8_sequence(text, at);
        if (size) sl_buf_add(&clean, text.data + at, size);
        else sl_buf_text(&clean, "\xEF\xBF\xBD");
        at += size ? size : 1;
    }
    sl_buf_done(bytes);
    return scratch_buf(e, &clean, ret);
}

/* ---- URL: application/x-www-form-urlencoded, as Java's URLEncoder ----------------------------------------- */
FUNCTION(encode_url)
{
    (void)c, (void)arguments;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    for (size_t i = 0; i < subject.text.size && !out.overflowed; i++) {
        unsigned char b = (unsigned char)subject.text.data[i];
        bool plain = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || (b && strchr(".-*_", b));
        if (plain) sl_buf_char(&out, (char)b);
        else if (b == ' ') sl_buf_char(&out, '+');
        else sl_buf_printf(&out, "%%%02X", b);
    }
    return scratch_buf(e, &out, ret);
}

FUNCTION(decode_url)
{
    (void)c, (void)arguments;
    sl_str text = subject.text;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte == '%') {
            if (text.size - i < 3 || sl_unhex((sl_str){text.data + i + 1, 2}, &byte, 1) < 0) {
                sl_buf_done(&out);
                return fail(e, "expected two hexadecimal digits after %% at %zu", i);
            }
            i += 2;
        } else if (byte == '+') byte = ' ';
        sl_buf_char(&out, (char)byte);
    }
    return decoded(e, &out, ret);
}

/* ---- Base64 ------------------------------------------------------------------------------------------------- */
FUNCTION(encode_base64)
{
    (void)c, (void)arguments;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    sl_base64(&out, subject.text.data, subject.text.size);
    return scratch_buf(e, &out, ret);
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) : -1;
}

FUNCTION(decode_base64)
{
    (void)c, (void)arguments;
    sl_str text = subject.text;
    size_t padding = 0;
    while (padding < 2 && text.size && text.data[text.size - 1] == '=') text.size--, padding++;
    bool wrong = text.size % 4 == 1 || (padding && (text.size + padding) % 4 != 0);
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    uint32_t bits = 0;
    for (size_t i = 0; i < text.size && !wrong; i++) {
        int digit = base64_digit(text.data[i]);
        if (digit < 0) wrong = true;
        bits = bits << 6 | (uint32_t)(digit & 63);
        if (i % 4) sl_buf_char(&out, (char)(bits >> (6 - i % 4 * 2)));
    }
    if (!wrong) return decoded(e, &out, ret);
    sl_buf_done(&out);
    return fail(e, "expected Base64, found \"%.*s\"", (int)SL_MIN(subject.text.size, (size_t)60), subject.text.data);
}

/* ---- digests ---------------------------------------------------------------------------------------------------- */
static int digest(evaluation *e, const char *algorithm, sl_str a, sl_str b, unsigned char into[EVP_MAX_MD_SIZE], unsigned *ret_size)
{
    EVP_MD *method = EVP_MD_fetch(NULL, algorithm, NULL);
    EVP_MD_CTX *context = method ? EVP_MD_CTX_new() : NULL;
    bool done = context && EVP_DigestInit_ex(context, method, NULL) && EVP_DigestUpdate(context, a.data, a.size) &&
                EVP_DigestUpdate(context, b.data, b.size) && EVP_DigestFinal_ex(context, into, ret_size);
    EVP_MD_CTX_free(context);
    EVP_MD_free(method);
    return done ? 0 : fail(e, "the system's OpenSSL has no %s", algorithm);
}

FUNCTION(encode_hash)
{
    static const char *const names[][2] = {{"MD5", "MD5"},
                                           {"SHA", "SHA1"},
                                           {"SHA-1", "SHA1"},
                                           {"SHA1", "SHA1"},
                                           {"SHA-224", "SHA224"},
                                           {"SHA-256", "SHA256"},
                                           {"SHA-384", "SHA384"},
                                           {"SHA-512", "SHA512"},
                                           {"SHA-512/224", "SHA512-224"},
                                           {"SHA-512/256", "SHA512-256"},
                                           {"SHA3-224", "SHA3-224"},
                                           {"SHA3-256", "SHA3-256"},
                                           {"SHA3-384", "SHA3-384"},
                                           {"SHA3-512", "SHA3-512"}};
    (void)c;
    unsigned char bytes[EVP_MAX_MD_SIZE] = {0};
    unsigned size = 0;
    sl_str wanted = arguments[0].missing ? SL_STR("") : arguments[0].text;
    for (size_t i = 0; i < SL_COUNT(names); i++) {
        if (wanted.size != strlen(names[i][0]) || strncasecmp(wanted.data, names[i][0], wanted.size) != 0) continue;
        if (digest(e, names[i][1], subject.text, SL_STR(""), bytes, &size) < 0) return -1;
        char *text = scratch(e, size * 2 + 1);
        if (!text) return -1;
        sl_hex(bytes, size, text);
        *ret = VALUE_TEXT(((sl_str){text, (size_t)size * 2}));
        return 0;
    }
    return fail(e, "expected MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512, SHA-512/256 or SHA3-256, found \"%.*s\"",
                (int)SL_MIN(wanted.size, (size_t)60), wanted.data);
}

/* ---- UUIDs by name -------------------------------------------------------------------------------------------------- */
static bool is_hex(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

/* As UUID.fromString: five groups, of which leading zeros may be left out. */
static bool parse_uuid(sl_str text, unsigned char ret[16])
{
    static const size_t widths[] = {8, 4, 4, 4, 12};
    char digits[33];
    size_t at = 0, used = 0;
    for (size_t group = 0; group < 5; group++) {
        size_t from = at;
        while (at < text.size && is_hex(text.data[at])) at++;
        size_t size = at - from;
        if (!size || size > widths[group]) return false;
        memset(digits + used, '0', widths[group] - size);
        memcpy(digits + used + widths[group] - size, text.data + from, size);
        used += widths[group];
        if (group < 4 && (at >= text.size || text.data[at++] != '-')) return false;
    }
    return at == text.size && sl_unhex((sl_str){digits, 32}, ret, 16) == 0;
}

static int named_uuid(evaluation *e, const char *algorithm, int version, value subject, value within, value *ret)
{
    unsigned char space[16] = {0}, bytes[EVP_MAX_MD_SIZE] = {0};
    unsigned size = 0;
    if (!within.missing && !parse_uuid(within.text, space))
        return fail(e, "expected a UUID as the namespace, found \"%.*s\"", (int)SL_MIN(within.text.size, (size_t)60), within.text.data);
    if (digest(e, algorithm, (sl_str){(char *)space, 16}, subject.text, bytes, &size) < 0) return -1;
    bytes[6] = (unsigned char)((bytes[6] & 0x0F) | version << 4);
    bytes[8] = (bytes[8] & 0x3F) | 0x80;
    char digits[33], *text = scratch(e, 37);
    if (!text) return -1;
    sl_hex(bytes, 16, digits);
    snprintf(text, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12, digits + 16, digits + 20);
    *ret = VALUE_TEXT(((sl_str){text, 36}));
    return 0;
}

FUNCTION(encode_uuid3) { return (void)c, named_uuid(e, "MD5", 3, subject, arguments[0], ret); }
FUNCTION(encode_uuid5) { return (void)c, named_uuid(e, "SHA1", 5, subject, arguments[0], ret); }
