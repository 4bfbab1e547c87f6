/* A regular expression that must match a whole name. For the families that filter by name; each links PCRE2.
 * Compiled at init, then read only: any thread may match. */
#ifndef PROCESSORS_REGEX_H
#define PROCESSORS_REGEX_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "sluice/calls.h"

typedef struct regex { /* zeroed: none */
    pcre2_code *text;  /* for names that are UTF-8 */
    pcre2_code *bytes; /* for others; NULL when the expression asks for what bytes cannot be */
} regex;

static inline bool regex_given(const regex *regex) { return regex->text != NULL; }

static inline void regex_done(regex *regex)
{
    pcre2_code_free(regex->text);
    pcre2_code_free(regex->bytes);
    regex->text = regex->bytes = NULL;
}

/* 0 and *ret, none for an absent or empty property; -1: refused. */
static inline int regex_of_property(sluice_instance *instance, const char *property, regex *ret, sluice_failure *failure)
{
    sluice_text text = sluice_property_text(instance, property);
    if (!text.size) return 0;
    int code;
    PCRE2_SIZE at;
    /* A newline is a byte of a name like any other. */
    uint32_t whole = PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL;
    ret->bytes = pcre2_compile((PCRE2_SPTR)text.data, text.size, whole, &code, &at, NULL);
    ret->text = pcre2_compile((PCRE2_SPTR)text.data, text.size, whole | PCRE2_UTF, &code, &at, NULL);
    if (ret->text) return 0;
    PCRE2_UCHAR reason[128] = "";
    regex_done(ret);
    pcre2_get_error_message(code, reason, sizeof reason);
    return sluice_refuse(failure, SLUICE_CONFIGURATION, "regex", "%s: expected a regular expression, found \"%.*s\": %s at %zu", property,
                         SLUICE_TEXT_ARGS(text), (char *)reason, (size_t)at);
}

static inline bool regex_matches(const regex *regex, const char *text, size_t size)
{
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    if (!match) return false;
    int found = pcre2_match(regex->text, (PCRE2_SPTR)text, size, 0, 0, match, NULL);
    bool no_utf8 = found <= PCRE2_ERROR_UTF8_ERR1 && found >= PCRE2_ERROR_UTF8_ERR21;
    if (no_utf8 && regex->bytes) found = pcre2_match(regex->bytes, (PCRE2_SPTR)text, size, 0, 0, match, NULL);
    pcre2_match_data_free(match);
    return found >= 0;
}

#endif
