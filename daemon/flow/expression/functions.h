/* The families' functions, for the table. Each gets its subject and arguments in the kinds the table declares, and
 * sets *ret; 0 or -1 with the evaluation's error. */
#ifndef SL_EXPRESSION_FUNCTIONS_H
#define SL_EXPRESSION_FUNCTIONS_H

#include "base/sys.h"
#include "flow/expression/private.h"
#include "flow/expression/text.h"

FUNCTION(text_to_string);
FUNCTION(text_to_upper);
FUNCTION(text_to_lower);
FUNCTION(text_append);
FUNCTION(text_prepend);
FUNCTION(text_trim);
FUNCTION(text_length);
FUNCTION(text_substring);
FUNCTION(text_substring_before);
FUNCTION(text_substring_after);
FUNCTION(text_substring_before_last);
FUNCTION(text_substring_after_last);
FUNCTION(text_pad_left);
FUNCTION(text_pad_right);
FUNCTION(text_repeat);
FUNCTION(text_replace);
FUNCTION(text_replace_null);
FUNCTION(text_replace_empty);
FUNCTION(text_evaluate);

FUNCTION(list_unique);
FUNCTION(list_compact);
FUNCTION(list_trim);
FUNCTION(list_field);

FUNCTION(logic_is_null);
FUNCTION(logic_not_null);
FUNCTION(logic_is_empty);
FUNCTION(logic_not);
FUNCTION(logic_and);
FUNCTION(logic_or);
FUNCTION(logic_if_else);
FUNCTION(logic_equals);
FUNCTION(logic_equals_ignore_case);
FUNCTION(logic_in);
FUNCTION(logic_gt);
FUNCTION(logic_ge);
FUNCTION(logic_lt);
FUNCTION(logic_le);
FUNCTION(search_starts_with);
FUNCTION(search_ends_with);
FUNCTION(search_contains);
FUNCTION(search_index_of);
FUNCTION(search_last_index_of);

FUNCTION(regex_function_matches);
FUNCTION(regex_function_find);
FUNCTION(regex_function_replace_all);
FUNCTION(regex_function_replace_first);
FUNCTION(regex_function_replace_by_pattern);
int prepare_mappings(compiler *c, call *call);
int prepare_selection(compiler *c, call *call);

FUNCTION(date_format);
FUNCTION(date_format_instant);
FUNCTION(date_to_date);
FUNCTION(date_to_instant);
FUNCTION(date_to_micros);
FUNCTION(date_to_nanos);
FUNCTION(date_now);
FUNCTION(date_plus);
FUNCTION(date_minus);
FUNCTION(date_plus_instant);
FUNCTION(date_minus_instant);
FUNCTION(date_is_valid);
FUNCTION(date_is_valid_instant);

FUNCTION(math_plus);
FUNCTION(math_minus);
FUNCTION(math_multiply);
FUNCTION(math_divide);
FUNCTION(math_mod);
FUNCTION(math_to_number);
FUNCTION(math_to_decimal);
FUNCTION(math_to_radix);
FUNCTION(math_from_radix);
FUNCTION(math_math);
FUNCTION(math_alone);
FUNCTION(math_random);

FUNCTION(encode_url);
FUNCTION(decode_url);
FUNCTION(encode_base64);
FUNCTION(decode_base64);
FUNCTION(encode_hash);
FUNCTION(encode_uuid3);
FUNCTION(encode_uuid5);

FUNCTION(escape_json);
FUNCTION(unescape_json);
FUNCTION(escape_csv);
FUNCTION(unescape_csv);
FUNCTION(escape_xml);
FUNCTION(escape_html3);
FUNCTION(escape_html4);
FUNCTION(unescape_xml);
FUNCTION(unescape_html3);
FUNCTION(unescape_html4);

FUNCTION(json_is_json);
FUNCTION(json_path_read);
FUNCTION(json_path_set);
FUNCTION(json_path_add);
FUNCTION(json_path_put);
FUNCTION(json_path_delete);

FUNCTION(alone_ip);
FUNCTION(alone_hostname);
FUNCTION(alone_uuid);
FUNCTION(alone_next_int);
FUNCTION(alone_literal);
FUNCTION(alone_thread);
FUNCTION(alone_get_uri);
FUNCTION(alone_get_state);

int prepare_date_format(compiler *c, call *call);
int prepare_date_parse(compiler *c, call *call);
int prepare_instant_parse(compiler *c, call *call);
int prepare_duration(compiler *c, call *call);
int prepare_json_path(compiler *c, call *call);
int prepare_hostname(compiler *c, call *call);

FUNCTION(reduce_join);
FUNCTION(reduce_count);

#endif
