/* Lists in a text: fields and items between delimiters. */
#include "flow/expression/functions.h"

static bool no_delimiter(value delimiter) { return delimiter.missing || !delimiter.text.size; }

static void add_item(sl_buf *out, bool *first, sl_str delimiter, sl_str item)
{
    if (!*first) sl_buf_str(out, delimiter);
    *first = false;
    sl_buf_str(out, item);
}

FUNCTION(list_unique)
{
    (void)c;
    *ret = subject;
    if (no_delimiter(arguments[0])) return 0;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    sl_map seen = {0};
    bool first = true;
    size_t at = 0;
    for (sl_str item; split_next(subject.text, arguments[0].text, &at, &item);) {
        if (sl_map_put(&seen, item, &seen)) continue;
        add_item(&out, &first, arguments[0].text, item);
    }
    sl_map_done(&seen);
    return scratch_buf(e, &out, ret);
}

FUNCTION(list_compact)
{
    (void)c;
    *ret = subject;
    if (no_delimiter(arguments[0])) return 0;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    bool first = true;
    size_t at = 0;
    for (sl_str item; split_next(subject.text, arguments[0].text, &at, &item);)
        if (item.size) add_item(&out, &first, arguments[0].text, item);
    return scratch_buf(e, &out, ret);
}

FUNCTION(list_trim)
{
    (void)e, (void)c;
    *ret = subject;
    if (no_delimiter(arguments[0])) return 0;
    sl_str delimiter = arguments[0].text, text = subject.text;
    const char *from = NULL, *to = text.data;
    size_t at = 0;
    for (sl_str item; split_next(text, delimiter, &at, &item);) {
        if (!item.size) continue;
        if (!from) from = item.data;
        to = item.data + item.size;
    }
    *ret = VALUE_TEXT(from ? ((sl_str){from, (size_t)(to - from)}) : SL_STR(""));
    return 0;
}

/* ---- getDelimitedField ----------------------------------------------------------------------------------- */
typedef struct field_marks {
    sl_str delimiter, quote, escape;
    bool strip;
} field_marks;

static int one_character(evaluation *e, value v, const char *what, sl_str *ret)
{
    if (v.missing || utf16_length(v.text) != 1)
        return fail(e, "expected one character as its %s, found \"%.*s\"", what, v.missing ? 0 : (int)SL_MIN(v.text.size, (size_t)40),
                    v.missing ? "" : v.text.data);
    *ret = v.text;
    return 0;
}

static int read_marks(evaluation *e, const call *c, const value *arguments, field_marks *ret)
{
    *ret = (field_marks){SL_STR(","), SL_STR("\""), SL_STR("\\"), false};
    if (c->count > 1 && one_character(e, arguments[1], "delimiter", &ret->delimiter) < 0) return -1;
    if (c->count > 2 && one_character(e, arguments[2], "quote", &ret->quote) < 0) return -1;
    if (c->count > 3 && one_character(e, arguments[3], "escape", &ret->escape) < 0) return -1;
    ret->strip = c->count > 4 && !arguments[4].missing && arguments[4].truth;
    if (sl_str_equal(ret->quote, ret->delimiter) || sl_str_equal(ret->quote, ret->escape) || sl_str_equal(ret->delimiter, ret->escape))
        return fail(e, "expected a delimiter, a quote and an escape that differ from one another");
    return 0;
}

static void collect_field(sl_str text, const field_marks *marks, int64_t wanted, sl_buf *out)
{
    bool quoted = false, escaped = false;
    int64_t field = 1;
    for (size_t at = 0; at < text.size;) {
        sl_str here = {text.data + at, character_size(text, at)};
        bool is_escape = sl_str_equal(here, marks->escape);
        if (!escaped && sl_str_equal(here, marks->quote)) {
            quoted = !quoted;
            if (!marks->strip && field == wanted) sl_buf_str(out, here);
        } else if (!escaped && !quoted && sl_str_equal(here, marks->delimiter)) {
            if (field++ == wanted) return;
        } else if (field == wanted && !(marks->strip && is_escape)) sl_buf_str(out, here);
        escaped = is_escape && !escaped;
        at += here.size;
    }
}

FUNCTION(list_field)
{
    field_marks marks;
    *ret = VALUE_TEXT(SL_STR(""));
    if (!subject.text.size) return 0;
    if (arguments[0].missing) return fail(e, "expected a number as its field, found none");
    if (arguments[0].whole < 1) return 0;
    if (read_marks(e, c, arguments, &marks) < 0) return -1;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    collect_field(subject.text, &marks, (int32_t)arguments[0].whole, &out);
    return scratch_buf(e, &out, ret);
}
