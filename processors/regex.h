/* A regular expression that must match a whole name. For the families that filter by name; each links PCRE2.
 * Compiled at init, then read only: any thread may match. */
#ifndef PROCESSORS_REGEX_H
#define PROCESSORS_REGEX_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "sluice/calls.h"

/* 0 and *ret, NULL for an absent or empty property; -1: refused. */
static inline int regex_of_property(sluice_instance *instance, const char *property, pcre2_code **ret, sluice_failure *failure)
{
    sluice_text text = sluice_property_text(instance, property);
    *ret = NULL;
    if (!text.size) return 0;
    int code;
    PCRE2_SIZE at;
    /* Names are bytes: what is not UTF-8 in them must not end the match with an error, nor a newline keep one out. */
    *ret = pcre2_compile((PCRE2_SPTR)text.data, text.size,
                         PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &code, &at, NULL);
    if (*ret) return 0;
    PCRE2_UCHAR reason[128] = "";
    pcre2_get_error_message(code, reason, sizeof reason);
    return sluice_refuse(failure, SLUICE_CONFIGURATION, "regex", "%s: expected a regular expression, found \"%.*s\": %s at %zu", property,
                         SLUICE_TEXT_ARGS(text), (char *)reason, (size_t)at);
}

static inline bool regex_matches(const pcre2_code *regex, const char *text, size_t size)
{
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    int found = match ? pcre2_match(regex, (PCRE2_SPTR)text, size, 0, 0, match, NULL) : -1;
    pcre2_match_data_free(match);
    return found >= 0;
}

#endif
