/* Text: cutting, joining, replacing. Indices count UTF-16 units, as Java's do. */
#include "flow/expression/functions.h"

FUNCTION(text_to_string)
{
    (void)c, (void)arguments;
    *ret = subject;
    return value_to(e, KIND_TEXT, ret);
}

FUNCTION(text_to_upper) { return (void)c, (void)arguments, change_case(e, subject.text, true, ret); }
FUNCTION(text_to_lower) { return (void)c, (void)arguments, change_case(e, subject.text, false, ret); }
FUNCTION(text_append) { return (void)c, concatenate(e, subject, arguments[0], ret); }
FUNCTION(text_prepend) { return (void)c, concatenate(e, arguments[0], subject, ret); }

FUNCTION(text_trim)
{
    (void)e, (void)c, (void)arguments;
    *ret = VALUE_TEXT(java_trim(subject.text));
    return 0;
}

FUNCTION(text_length)
{
    (void)e, (void)c, (void)arguments;
    *ret = VALUE_WHOLE(subject.missing ? 0 : (int64_t)utf16_length(subject.text));
    return 0;
}

/* ---- cutting ------------------------------------------------------------------------------------------ */
FUNCTION(text_substring)
{
    if (arguments[0].missing || (c->count > 1 && arguments[1].missing)) return fail(e, "expected a number as its index, found none");
    int32_t first = (int32_t)arguments[0].whole, last = c->count > 1 ? (int32_t)arguments[1].whole : 0;
    *ret = VALUE_TEXT(SL_STR(""));
    if (first < 0 || (c->count > 1 && last < first)) return 0;
    size_t from = utf16_offset(subject.text, (size_t)first);
    size_t to = c->count > 1 ? utf16_offset(subject.text, (size_t)last) : subject.text.size;
    if (from == SIZE_MAX || to == SIZE_MAX) return 0;
    ret->text = (sl_str){subject.text.data + from, to - from};
    return 0;
}

static int cut(sl_str subject, sl_str found, bool before, value *ret)
{
    *ret = VALUE_TEXT(subject);
    if (!found.data) return 0;
    size_t at = (size_t)(found.data - subject.data);
    ret->text = before ? (sl_str){subject.data, at} : (sl_str){subject.data + at + found.size, subject.size - at - found.size};
    return 0;
}

static int cut_first(value subject, value mark, bool before, value *ret)
{
    bool none = mark.missing || !mark.text.size;
    return cut(subject.text, none ? (sl_str){NULL, 0} : find_text(subject.text, mark.text), before, ret);
}

static int cut_last(evaluation *e, value subject, value mark, bool before, value *ret)
{
    if (mark.missing) return fail(e, "expected a text as its argument, found none");
    sl_str found = find_last_text(subject.text, mark.text);
    if (!mark.text.size) found.data = NULL; /* at the end, where Java finds it, there is nothing to cut */
    return cut(subject.text, found, before, ret);
}

FUNCTION(text_substring_before) { return (void)e, (void)c, cut_first(subject, arguments[0], true, ret); }
FUNCTION(text_substring_after) { return (void)e, (void)c, cut_first(subject, arguments[0], false, ret); }
FUNCTION(text_substring_before_last) { return (void)c, cut_last(e, subject, arguments[0], true, ret); }
FUNCTION(text_substring_after_last) { return (void)c, cut_last(e, subject, arguments[0], false, ret); }

/* ---- filling ------------------------------------------------------------------------------------------- */
static void fill(sl_buf *buf, sl_str with, size_t units)
{
    size_t size = utf16_length(with);
    for (; units >= size && !buf->overflowed; units -= size) sl_buf_str(buf, with);
    size_t end = utf16_offset(with, units);
    if (!buf->overflowed) sl_buf_add(buf, with.data, end == SIZE_MAX ? with.size : end);
}

static int pad(evaluation *e, const call *c, value subject, const value *arguments, bool left, value *ret)
{
    value length = arguments[0];
    *ret = subject;
    if (length.missing || length.whole > INT32_MAX || length.whole <= 0) return 0;
    size_t has = utf16_length(subject.text);
    if ((size_t)length.whole <= has) return 0;
    if (length.whole > EXPRESSION_RESULT)
        return fail(e, "expected a length of at most %d, found %lld", EXPRESSION_RESULT, (long long)length.whole);
    sl_str with = c->count > 1 && !arguments[1].missing && arguments[1].text.size ? arguments[1].text : SL_STR("_");
    sl_buf padded = SL_BUF(EXPRESSION_RESULT);
    if (!left) sl_buf_str(&padded, subject.text);
    fill(&padded, with, (size_t)length.whole - has);
    if (left) sl_buf_str(&padded, subject.text);
    return scratch_buf(e, &padded, ret);
}

FUNCTION(text_pad_left) { return pad(e, c, subject, arguments, true, ret); }
FUNCTION(text_pad_right) { return pad(e, c, subject, arguments, false, ret); }

FUNCTION(text_repeat)
{
    if (arguments[0].missing || (c->count > 1 && arguments[1].missing)) return fail(e, "expected a number of times, found none");
    int32_t least = (int32_t)arguments[0].whole, most = c->count > 1 ? (int32_t)arguments[1].whole : least;
    if (least <= 0) return fail(e, "expected a number of times above 0, found %d", least);
    if (least > most) return fail(e, "expected at most as many times at least as at most, found %d and %d", least, most);
    uint32_t random = 0;
    if (most > least) sl_sys_now->random(&random, sizeof random);
    uint64_t times = (uint64_t)least + (uint64_t)random % ((uint64_t)most - (uint64_t)least + 1);
    if (times * subject.text.size > EXPRESSION_RESULT)
        return fail(e, "expected a value of at most %d bytes, found more", EXPRESSION_RESULT);
    char *repeated = scratch(e, (size_t)times * subject.text.size);
    if (!repeated) return -1;
    for (size_t i = 0; subject.text.size && i < times; i++) memcpy(repeated + i * subject.text.size, subject.text.data, subject.text.size);
    *ret = VALUE_TEXT(((sl_str){repeated, (size_t)times * subject.text.size}));
    return 0;
}

/* ---- replacing ------------------------------------------------------------------------------------------- */
/* An empty `what` stands before each character and at the end. */
static void replace_nothing(sl_buf *out, sl_str in, sl_str with)
{
    for (size_t at = 0; at < in.size && !out->overflowed;) {
        size_t size = character_size(in, at);
        sl_buf_str(out, with);
        sl_buf_add(out, in.data + at, size);
        at += size;
    }
    sl_buf_str(out, with);
}

FUNCTION(text_replace)
{
    (void)c;
    if (arguments[0].missing || arguments[1].missing) return fail(e, "expected a text as each argument, found none");
    sl_str what = arguments[0].text, rest = subject.text;
    *ret = subject;
    if (what.size && !find_text(rest, what).data) return 0;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    if (!what.size) replace_nothing(&out, rest, arguments[1].text);
    for (sl_str found; what.size && !out.overflowed && (found = find_text(rest, what)).data;) {
        size_t before = (size_t)(found.data - rest.data);
        sl_buf_add(&out, rest.data, before);
        sl_buf_str(&out, arguments[1].text);
        rest = (sl_str){found.data + what.size, rest.size - before - what.size};
    }
    if (what.size) sl_buf_str(&out, rest);
    return scratch_buf(e, &out, ret);
}

FUNCTION(text_replace_null)
{
    (void)arguments;
    *ret = subject;
    return subject.missing ? argument(e, c, 0, ret) : 0;
}

FUNCTION(text_replace_empty)
{
    (void)arguments;
    *ret = subject;
    return subject.missing || is_blank(subject.text) ? argument(e, c, 0, ret) : 0;
}

FUNCTION(text_evaluate)
{
    (void)c, (void)arguments;
    if (e->nested_texts >= EXPRESSION_NESTED_TEXTS)
        return fail(e, "expected at most %d texts evaluated within one another", EXPRESSION_NESTED_TEXTS);
    sl_expression *inner;
    size_t offset;
    if (expression_compile_inner(subject.text, &inner, &offset, e->error) < 0)
        return sl_error_prefix(e->error, "in the text at %zu", offset);
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    e->nested_texts++;
    int failed = evaluate_parts(e, inner, &out);
    e->nested_texts--;
    sl_expression_free(inner);
    if (!failed) return scratch_buf(e, &out, ret);
    sl_buf_done(&out);
    return -1;
}
