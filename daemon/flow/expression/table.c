/* Every function of the language, once. */
#include "flow/expression/functions.h"

#define T     KIND_TEXT
#define W     KIND_WHOLE
#define D     KIND_DECIMAL
#define N     KIND_NUMBER
#define B     KIND_TRUTH
#define A     KIND_ANY
#define SEEN  MISSING_SEEN
#define STAYS MISSING_STAYS
#define FALSE MISSING_FALSE
#define EMPTY MISSING_EMPTY

static const function table[] = {
    /* conditions */
    {"isNull", PLACE_CHAINED, A, "", B, SEEN, false, logic_is_null, NULL, "true when there is no value"},
    {"notNull", PLACE_CHAINED, A, "", B, SEEN, false, logic_not_null, NULL, "true when there is a value"},
    {"isEmpty", PLACE_CHAINED, T, "", B, SEEN, false, logic_is_empty, NULL, "true when there is no value or only white space"},
    {"equals", PLACE_CHAINED, A, "a", B, SEEN, false, logic_equals, NULL, "true when both values are the same"},
    {"equalsIgnoreCase", PLACE_CHAINED, T, "t", B, FALSE, false, logic_equals_ignore_case, NULL,
     "true when both texts differ in case only"},
    {"gt", PLACE_CHAINED, N, "n", B, FALSE, false, logic_gt, NULL, "true when the subject is greater"},
    {"ge", PLACE_CHAINED, N, "n", B, FALSE, false, logic_ge, NULL, "true when the subject is greater or the same"},
    {"lt", PLACE_CHAINED, N, "n", B, FALSE, false, logic_lt, NULL, "true when the subject is less"},
    {"le", PLACE_CHAINED, N, "n", B, FALSE, false, logic_le, NULL, "true when the subject is less or the same"},
    {"and", PLACE_CHAINED, B, "b", B, SEEN, true, logic_and, NULL, "true when both are true"},
    {"or", PLACE_CHAINED, B, "b", B, SEEN, true, logic_or, NULL, "true when one is true"},
    {"not", PLACE_CHAINED, B, "", B, SEEN, false, logic_not, NULL, "true when the subject is false"},
    {"ifElse", PLACE_CHAINED, B, "tt", T, SEEN, true, logic_if_else, NULL, "the first argument when the subject is true, else the second"},

    /* text */
    {"toUpper", PLACE_CHAINED, T, "", T, STAYS, false, text_to_upper, NULL, "in upper case"},
    {"toLower", PLACE_CHAINED, T, "", T, STAYS, false, text_to_lower, NULL, "in lower case"},
    {"trim", PLACE_CHAINED, T, "", T, STAYS, false, text_trim, NULL, "without white space at both ends"},
    {"substring", PLACE_CHAINED, T, "w?w", T, EMPTY, false, text_substring, NULL, "from an index, to before another"},
    {"substringBefore", PLACE_CHAINED, T, "t", T, EMPTY, false, text_substring_before, NULL, "what stands before the first occurrence"},
    {"substringBeforeLast", PLACE_CHAINED, T, "t", T, EMPTY, false, text_substring_before_last, NULL,
     "what stands before the last occurrence"},
    {"substringAfter", PLACE_CHAINED, T, "t", T, EMPTY, false, text_substring_after, NULL, "what stands after the first occurrence"},
    {"substringAfterLast", PLACE_CHAINED, T, "t", T, EMPTY, false, text_substring_after_last, NULL,
     "what stands after the last occurrence"},
    {"getDelimitedField", PLACE_CHAINED, T, "w?tttb", T, EMPTY, false, list_field, NULL,
     "the field with a number, from 1, of a delimited line"},
    {"compactDelimitedList", PLACE_CHAINED, T, "t", T, EMPTY, false, list_compact, NULL, "a list without its empty items"},
    {"trimDelimitedList", PLACE_CHAINED, T, "t", T, EMPTY, false, list_trim, NULL, "a list without empty items at both ends"},
    {"unique", PLACE_CHAINED, T, "t", T, EMPTY, false, list_unique, NULL, "a list with each item once"},
    {"append", PLACE_CHAINED, T, "t", T, SEEN, false, text_append, NULL, "with a text after it"},
    {"prepend", PLACE_CHAINED, T, "t", T, SEEN, false, text_prepend, NULL, "with a text before it"},
    {"replace", PLACE_CHAINED, T, "tt", T, STAYS, false, text_replace, NULL, "with each occurrence of a text replaced"},
    {"replaceFirst", PLACE_CHAINED, T, "tt", T, STAYS, false, regex_function_replace_first, prepare_regex,
     "with the first match of a pattern replaced"},
    {"replaceAll", PLACE_CHAINED, T, "tt", T, STAYS, false, regex_function_replace_all, prepare_regex,
     "with each match of a pattern replaced"},
    {"replaceByPattern", PLACE_CHAINED, T, "t", T, STAYS, false, regex_function_replace_by_pattern, prepare_mappings,
     "the value of the first of `pattern:value,...` that matches all"},
    {"replaceNull", PLACE_CHAINED, T, "t", T, SEEN, true, text_replace_null, NULL, "another text when there is no value"},
    {"replaceEmpty", PLACE_CHAINED, T, "t", T, SEEN, true, text_replace_empty, NULL,
     "another text when there is no value or only white space"},
    {"padLeft", PLACE_CHAINED, T, "w?t", T, STAYS, false, text_pad_left, NULL, "filled at its start to a length"},
    {"padRight", PLACE_CHAINED, T, "w?t", T, STAYS, false, text_pad_right, NULL, "filled at its end to a length"},
    {"repeat", PLACE_CHAINED, T, "w?w", T, EMPTY, false, text_repeat, NULL, "several times, or a random number of times"},
    {"length", PLACE_CHAINED, T, "", W, SEEN, false, text_length, NULL, "how many characters it has"},
    {"evaluateELString", PLACE_CHAINED, T, "", T, STAYS, false, text_evaluate, NULL, "the text's own expressions evaluated"},

    /* search */
    {"startsWith", PLACE_CHAINED, T, "t", B, FALSE, false, search_starts_with, NULL, "true when it begins with a text"},
    {"endsWith", PLACE_CHAINED, T, "t", B, FALSE, false, search_ends_with, NULL, "true when it ends with a text"},
    {"contains", PLACE_CHAINED, T, "t", B, FALSE, false, search_contains, NULL, "true when a text is in it"},
    {"in", PLACE_CHAINED, T, "t*", B, FALSE, true, logic_in, NULL, "true when it is one of the arguments"},
    {"find", PLACE_CHAINED, T, "t", B, FALSE, false, regex_function_find, prepare_regex, "true when a pattern matches in it"},
    {"matches", PLACE_CHAINED, T, "t", B, FALSE, false, regex_function_matches, prepare_regex_whole,
     "true when a pattern matches all of it"},
    {"indexOf", PLACE_CHAINED, T, "t", W, SEEN, false, search_index_of, NULL, "where a text first occurs, or -1"},
    {"lastIndexOf", PLACE_CHAINED, T, "t", W, SEEN, false, search_last_index_of, NULL, "where a text last occurs, or -1"},

    {"jsonPath", PLACE_CHAINED, T, "t", T, SEEN, false, json_path_read, prepare_json_path, "what a JsonPath finds in JSON"},
    {"jsonPathDelete", PLACE_CHAINED, T, "t", T, SEEN, false, json_path_delete, prepare_json_path, "JSON without what a JsonPath finds"},
    {"jsonPathAdd", PLACE_CHAINED, T, "ta", T, SEEN, false, json_path_add, prepare_json_path, "JSON with a value at the end of an array"},
    {"jsonPathSet", PLACE_CHAINED, T, "ta", T, SEEN, false, json_path_set, prepare_json_path, "JSON with a value at a JsonPath"},
    {"jsonPathPut", PLACE_CHAINED, T, "tta", T, SEEN, false, json_path_put, prepare_json_path, "JSON with a key and a value in an object"},
    {"isJson", PLACE_CHAINED, T, "", B, FALSE, false, json_is_json, NULL, "true when it is a JSON object or array"},

    /* encodings */
    {"escapeJson", PLACE_CHAINED, T, "", T, EMPTY, false, escape_json, NULL, "escaped for a JSON string"},
    {"escapeXml", PLACE_CHAINED, T, "", T, EMPTY, false, escape_xml, NULL, "escaped for XML"},
    {"escapeCsv", PLACE_CHAINED, T, "", T, EMPTY, false, escape_csv, NULL, "quoted for CSV where need be"},
    {"escapeHtml3", PLACE_CHAINED, T, "", T, EMPTY, false, escape_html3, NULL, "escaped for HTML 3"},
    {"escapeHtml4", PLACE_CHAINED, T, "", T, EMPTY, false, escape_html4, NULL, "escaped for HTML 4"},
    {"unescapeJson", PLACE_CHAINED, T, "", T, EMPTY, false, unescape_json, NULL, "a JSON string's escapes resolved"},
    {"unescapeXml", PLACE_CHAINED, T, "", T, EMPTY, false, unescape_xml, NULL, "XML's entities resolved"},
    {"unescapeCsv", PLACE_CHAINED, T, "", T, EMPTY, false, unescape_csv, NULL, "a CSV field without its quotes"},
    {"unescapeHtml3", PLACE_CHAINED, T, "", T, EMPTY, false, unescape_html3, NULL, "HTML 3's entities resolved"},
    {"unescapeHtml4", PLACE_CHAINED, T, "", T, EMPTY, false, unescape_html4, NULL, "HTML 4's entities resolved"},
    {"urlEncode", PLACE_CHAINED, T, "", T, STAYS, false, encode_url, NULL, "percent-encoded, a space as +"},
    {"urlDecode", PLACE_CHAINED, T, "", T, STAYS, false, decode_url, NULL, "percent-decoded"},
    {"base64Encode", PLACE_CHAINED, T, "", T, STAYS, false, encode_base64, NULL, "in Base64"},
    {"base64Decode", PLACE_CHAINED, T, "", T, STAYS, false, decode_base64, NULL, "from Base64"},
    {"hash", PLACE_CHAINED, T, "t", T, STAYS, false, encode_hash, NULL, "its digest in hexadecimal: MD5, SHA-1, SHA-256, ..."},
    {"UUID3", PLACE_CHAINED, T, "t", T, STAYS, false, encode_uuid3, NULL, "the UUID by MD5 in a namespace"},
    {"UUID5", PLACE_CHAINED, T, "t", T, STAYS, false, encode_uuid5, NULL, "the UUID by SHA-1 in a namespace"},

    /* numbers */
    {"plus", PLACE_CHAINED, N, "n", N, STAYS, false, math_plus, NULL, "the sum"},
    {"minus", PLACE_CHAINED, N, "n", N, STAYS, false, math_minus, NULL, "the difference"},
    {"multiply", PLACE_CHAINED, N, "n", N, STAYS, false, math_multiply, NULL, "the product"},
    {"divide", PLACE_CHAINED, N, "n", N, STAYS, false, math_divide, NULL, "the quotient"},
    {"mod", PLACE_CHAINED, N, "n", N, STAYS, false, math_mod, NULL, "the remainder"},
    {"math", PLACE_CHAINED, N, "t?n", N, STAYS, false, math_math, NULL, "a method of java.lang.Math by its name"},
    {"math", PLACE_STANDALONE, T, "t", N, SEEN, false, math_alone, NULL, "math('random'): a decimal from 0 to below 1"},
    {"toRadix", PLACE_CHAINED, W, "w?w", T, STAYS, false, math_to_radix, NULL, "in another base, to a width"},
    {"fromRadix", PLACE_CHAINED, T, "w", W, STAYS, false, math_from_radix, NULL, "from another base"},

    /* dates */
    {"format", PLACE_CHAINED, KIND_DATE, "t?t", T, STAYS, false, date_format, prepare_date_format, "a date by a pattern, in a time zone"},
    {"formatInstant", PLACE_CHAINED, KIND_INSTANT, "tt", T, STAYS, false, date_format_instant, prepare_date_format,
     "an instant by a pattern, in a time zone"},
    {"toDate", PLACE_CHAINED, A, "?tt", KIND_DATE, STAYS, false, date_to_date, prepare_date_parse,
     "a date of milliseconds since 1970, or of a text by a pattern, in a time zone"},
    {"toInstant", PLACE_CHAINED, A, "?tt", KIND_INSTANT, STAYS, false, date_to_instant, prepare_instant_parse,
     "an instant of milliseconds since 1970, or of a text by a pattern, in a time zone"},
    {"toMicros", PLACE_CHAINED, KIND_INSTANT, "", N, STAYS, false, date_to_micros, NULL, "an instant's microseconds since 1970"},
    {"toNanos", PLACE_CHAINED, KIND_INSTANT, "", N, STAYS, false, date_to_nanos, NULL, "an instant's nanoseconds since 1970"},
    {"plusDuration", PLACE_CHAINED, KIND_DATE, "t?t", KIND_DATE, STAYS, false, date_plus, prepare_duration,
     "a date and `2 weeks`, in a time zone"},
    {"minusDuration", PLACE_CHAINED, KIND_DATE, "t?t", KIND_DATE, STAYS, false, date_minus, prepare_duration,
     "a date less `2 weeks`, in a time zone"},
    {"plusInstantDuration", PLACE_CHAINED, KIND_INSTANT, "t", KIND_INSTANT, STAYS, false, date_plus_instant, prepare_duration,
     "an instant and `2 weeks`"},
    {"minusInstantDuration", PLACE_CHAINED, KIND_INSTANT, "t", KIND_INSTANT, STAYS, false, date_minus_instant, prepare_duration,
     "an instant less `2 weeks`"},
    {"isValidDate", PLACE_CHAINED, T, "t?t", B, FALSE, false, date_is_valid, prepare_date_parse, "true when it is a date by a pattern"},
    {"isValidInstant", PLACE_CHAINED, T, "", B, FALSE, false, date_is_valid_instant, NULL,
     "true when it is an ISO 8601 or RFC 1123 instant"},

    /* without subject */
    {"now", PLACE_STANDALONE, T, "", KIND_DATE, SEEN, false, date_now, NULL, "the date and time now"},
    {"literal", PLACE_STANDALONE, T, "a", T, SEEN, false, alone_literal, NULL, "its argument as a text"},
    {"UUID", PLACE_STANDALONE, T, "", T, SEEN, false, alone_uuid, NULL, "a random UUID"},
    {"random", PLACE_STANDALONE, T, "", W, SEEN, false, math_random, NULL, "a random whole number from 0"},
    {"nextInt", PLACE_STANDALONE, T, "", W, SEEN, false, alone_next_int, NULL, "a number that grows by one, from 0 at each start"},
    {"hostname", PLACE_STANDALONE, T, "?b", T, SEEN, false, alone_hostname, prepare_hostname, "this machine's name; with true in full"},
    {"ip", PLACE_STANDALONE, T, "", T, SEEN, false, alone_ip, NULL, "this machine's address"},
    {"thread", PLACE_STANDALONE, T, "", T, SEEN, false, alone_thread, NULL, "the name of what evaluates"},
    {"getUri", PLACE_STANDALONE, T, "ttttttt", T, SEEN, false, alone_get_uri, NULL,
     "a URI of scheme, user, host, port, path, query and fragment"},
    {"getStateValue", PLACE_STANDALONE, T, "t", T, SEEN, false, alone_get_state, NULL, "a value of the processor's state"},

    /* kinds */
    {"toNumber", PLACE_CHAINED, N, "", W, STAYS, false, math_to_number, NULL, "as a whole number"},
    {"toDecimal", PLACE_CHAINED, N, "", KIND_DECIMAL, STAYS, false, math_to_decimal, NULL, "as a decimal"},
    {"toString", PLACE_CHAINED, A, "", T, STAYS, false, text_to_string, NULL, "as a text"},

    /* several attributes */
    {"anyAttribute", PLACE_SELECTION, T, "t*", T, SEEN, false, NULL, NULL, "any of the attributes with these names"},
    {"allAttributes", PLACE_SELECTION, T, "t*", T, SEEN, false, NULL, NULL, "all attributes with these names"},
    {"anyMatchingAttribute", PLACE_SELECTION, T, "t*", T, SEEN, false, NULL, prepare_selection, "any of the attributes whose names match"},
    {"allMatchingAttributes", PLACE_SELECTION, T, "t*", T, SEEN, false, NULL, prepare_selection, "all attributes whose names match"},
    {"anyDelineatedValue", PLACE_SELECTION, T, "tt", T, SEEN, false, NULL, prepare_selection,
     "any of the pieces of a text between delimiters"},
    {"allDelineatedValues", PLACE_SELECTION, T, "tt", T, SEEN, false, NULL, prepare_selection, "all pieces of a text between delimiters"},
    {"join", PLACE_CHAINED, T, "t", T, SEEN, false, reduce_join, NULL, "the selected values with a text between them"},
    {"count", PLACE_CHAINED, A, "", W, SEEN, false, reduce_count, NULL, "how many selected values there are, false ones not counted"},
};

const function *function_find(sl_str name, place where)
{
    for (size_t i = 0; i < SL_COUNT(table); i++)
        if (table[i].place == where && sl_str_is(name, table[i].name)) return &table[i];
    return NULL;
}

const function *function_any(sl_str name)
{
    for (size_t i = 0; i < SL_COUNT(table); i++)
        if (sl_str_is(name, table[i].name)) return &table[i];
    return NULL;
}

void function_counts(const function *f, size_t *ret_least, size_t *ret_most)
{
    size_t required = strcspn(f->arguments, "?*");
    *ret_least = required;
    *ret_most = f->arguments[required] == '*' ? SIZE_MAX : required + (f->arguments[required] ? strlen(f->arguments + required + 1) : 0);
}

kind function_argument(const function *f, size_t i)
{
    const char *at = f->arguments;
    for (; i && at[1] != '*' && at[1]; i--) at += at[1] == '?' ? 2 : 1;
    if (*at == '?') at++;
    switch (*at) {
    case 'w': return KIND_WHOLE;
    case 'n': return KIND_NUMBER;
    case 'b': return KIND_TRUTH;
    case 'a': return KIND_ANY;
    default: return KIND_TEXT;
    }
}

/* A name that stands in two places is listed once, the second right after the first. */
static const char *names[SL_COUNT(table) + 1];
static size_t name_count;

__attribute__((constructor)) static void list_names(void)
{
    for (size_t i = 0; i < SL_COUNT(table); i++)
        if (!i || strcmp(table[i].name, table[i - 1].name) != 0) names[name_count++] = table[i].name;
}

const char *const *sl_expression_functions(void) { return names; }
size_t function_names(void) { return name_count; }
