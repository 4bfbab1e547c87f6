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

    /* kinds */
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
