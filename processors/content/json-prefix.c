#include "json-prefix.h"

#include <stdint.h>
#include <string.h>

enum { DEPTH = 512 };

typedef enum expectation {
    VALUE,
    VALUE_OR_END, /* after "[" */
    NAME,
    NAME_OR_END, /* after "{" */
    COLON,
    COMMA_OR_END,
    NOTHING, /* the document is complete */
} expectation;

typedef struct reader {
    const char *at, *end;
    bool whole;
    uint8_t objects[DEPTH / 8]; /* a bit a level: an object, else an array */
    unsigned depth;
    expectation expects;
} reader;

static bool in_object(const reader *r) { return r->objects[(r->depth - 1) / 8] >> ((r->depth - 1) % 8) & 1; }

static bool open_level(reader *r, bool object)
{
    if (r->depth == DEPTH) return false;
    uint8_t bit = (uint8_t)(1u << (r->depth % 8));
    if (object) r->objects[r->depth / 8] |= bit;
    else r->objects[r->depth / 8] &= (uint8_t)~bit;
    r->depth++;
    r->expects = object ? NAME_OR_END : VALUE_OR_END;
    return true;
}

static bool close_level(reader *r, bool object)
{
    if (!r->depth || in_object(r) != object) return false;
    r->depth--;
    r->expects = r->depth ? COMMA_OR_END : NOTHING;
    return true;
}

/* After the opening quote. Running into the end is fine where the head is only a part. */
static bool string(reader *r)
{
    while (r->at < r->end) {
        unsigned char c = (unsigned char)*r->at++;
        if (c == '"') return true;
        if (c < 0x20) return false;
        if (c == '\\' && r->at < r->end && !strchr("\"\\/bfnrtu", *r->at++)) return false;
    }
    return !r->whole;
}

/* A number or a word: its characters now, its exact form only for words. */
static bool scalar(reader *r, char first)
{
    static const char *const words[] = {"true", "false", "null"};
    if (first == '-' || (first >= '0' && first <= '9')) {
        while (r->at < r->end && *r->at && strchr("0123456789+-.eE", *r->at)) r->at++;
        return true;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t size = strlen(words[i]), left = (size_t)(r->end - r->at) + 1;
        if (first != words[i][0] || memcmp(r->at - 1, words[i], left < size ? left : size) != 0) continue;
        r->at += (left < size ? left : size) - 1;
        return left >= size || !r->whole;
    }
    return false;
}

static bool value(reader *r, char c)
{
    if (c == '{' || c == '[') return open_level(r, c == '{');
    if (!r->depth) return false;
    r->expects = COMMA_OR_END;
    return c == '"' ? string(r) : scalar(r, c);
}

static bool step(reader *r, char c)
{
    switch (r->expects) {
    case VALUE_OR_END: return c == ']' ? close_level(r, false) : value(r, c);
    case VALUE: return value(r, c);
    case NAME_OR_END:
        if (c == '}') return close_level(r, true);
        /* fall through */
    case NAME: r->expects = COLON; return c == '"' && string(r);
    case COLON: r->expects = VALUE; return c == ':';
    case COMMA_OR_END:
        if (c == ',') r->expects = in_object(r) ? NAME : VALUE;
        return c == ',' || ((c == '}' || c == ']') && close_level(r, c == '}'));
    case NOTHING: return false;
    }
    return false;
}

bool json_prefix(const char *data, size_t size, bool whole)
{
    reader r = {.at = data, .end = data + size, .whole = whole, .expects = VALUE};
    if (size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) r.at += 3;
    bool begun = false;
    while (r.at < r.end) {
        char c = *r.at++;
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
        if (!step(&r, c)) return false;
        begun = true;
    }
    return begun && (!whole || r.expects == NOTHING);
}
