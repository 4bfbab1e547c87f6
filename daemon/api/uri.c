#include "api/uri.h"

/* `+` is a blank in a query and itself in a path. */
static int decode(sl_str text, bool query, sl_arena *arena, sl_str *ret, sl_error *error)
{
    char *made = sl_arena_alloc(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte == '%') {
            if (i + 2 >= text.size || sl_unhex((sl_str){text.data + i + 1, 2}, &byte, 1) < 0)
                return sl_error_set(error, 400, "expected two hex digits after %% in the request's address, found `%.*s`",
                                    (int)SL_MIN(text.size - i, (size_t)3), text.data + i);
            i += 2;
        } else if (byte == '+' && query) byte = ' ';
        if (!byte) return sl_error_set(error, 400, "a zero byte has no place in the request's address");
        made[size++] = (char)byte;
    }
    *ret = (sl_str){made, size};
    return 0;
}

/* The text up to `separator` or the end; moves *rest behind it. */
static sl_str cut(sl_str *rest, char separator, bool *ret_more)
{
    const char *at = rest->size ? memchr(rest->data, separator, rest->size) : NULL;
    sl_str piece = {rest->data, at ? (size_t)(at - rest->data) : rest->size};
    *ret_more = at != NULL;
    size_t used = piece.size + (at ? 1 : 0);
    *rest = (sl_str){rest->data + used, rest->size - used};
    return piece;
}

static int parse_path(sl_str path, sl_uri *ret, sl_error *error)
{
    if (!path.size || path.data[0] != '/') return sl_error_set(error, 400, "expected a path that begins with / in the request's address");
    sl_str rest = {path.data + 1, path.size - 1};
    for (bool more = rest.size > 0; more;) {
        sl_str piece = cut(&rest, '/', &more);
        if (ret->segment_count == SL_URI_SEGMENTS) return sl_error_set(error, 414, "the request's path is deeper than %d", SL_URI_SEGMENTS);
        if (decode(piece, false, &ret->arena, &ret->segments[ret->segment_count], error) < 0) return -1;
        ret->segment_count++;
    }
    return 0;
}

static int parse_query(sl_str query, sl_uri *ret, sl_error *error)
{
    for (bool more = query.size > 0; more;) {
        sl_str value = cut(&query, '&', &more);
        bool has_value;
        if (!value.size) continue;
        if (ret->parameter_count == SL_URI_PARAMETERS)
            return sl_error_set(error, 414, "the request has more than %d parameters", SL_URI_PARAMETERS);
        sl_str name = cut(&value, '=', &has_value);
        if (decode(name, true, &ret->arena, &ret->parameters[ret->parameter_count].name, error) < 0 ||
            decode(value, true, &ret->arena, &ret->parameters[ret->parameter_count].value, error) < 0)
            return -1;
        ret->parameter_count++;
    }
    return 0;
}

int sl_uri_parse(sl_str text, sl_uri *ret, sl_error *error)
{
    bool has_query;
    *ret = (sl_uri){0};
    if (text.size > SL_URI_LIMIT)
        return sl_error_set(error, 414, "the request's address has %zu bytes, at most %d are taken", text.size, SL_URI_LIMIT);
    sl_str path = cut(&text, '?', &has_query);
    if (parse_path(path, ret, error) < 0) return -1;
    return parse_query(text, ret, error);
}

void sl_uri_done(sl_uri *uri)
{
    sl_arena_done(&uri->arena);
    *uri = (sl_uri){0};
}

sl_str sl_uri_get(const sl_uri *uri, const char *name)
{
    for (size_t i = 0; i < uri->parameter_count; i++)
        if (sl_str_is(uri->parameters[i].name, name)) return uri->parameters[i].value;
    return (sl_str){0};
}
