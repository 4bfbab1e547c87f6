#include "cli/common.h"

#include <stdio.h>

#include "cli/output.h"

int sl_common_modules(const sl_arguments *arguments, sl_modules **ret)
{
    sl_error error = {0};
    char *folder = sl_modules_folder(sl_option_value(arguments, "modules"));
    int result = sl_modules_load(folder, ret, &error);
    free(folder);
    if (result == 0) return SL_EXIT_DONE;
    return sl_complain(SL_EXIT_FAILED, "%s; --modules or SLUICE_MODULES name the folder", error.text);
}

void sl_common_problems(const sl_problems *problems)
{
    sl_buf text = SL_BUF(16 * 1024 * 1024), safe = SL_BUF(64 * 1024 * 1024);
    sl_problems_print(problems, &text);
    sl_add_printable_lines(&safe, sl_buf_view(&text));
    if (safe.size) fwrite(safe.data, 1, safe.size, stderr);
    sl_buf_done(&text);
    sl_buf_done(&safe);
}

int sl_common_config(const sl_arguments *arguments, sl_config *ret)
{
    sl_problems problems = {0};
    const char *path = sl_option_value(arguments, "config");
    int result = path ? sl_config_load(path, ret, &problems) : sl_config_parse((sl_str){0}, ret, &problems);
    sl_common_problems(&problems);
    sl_problems_done(&problems);
    return result < 0 ? SL_EXIT_INVALID : SL_EXIT_DONE;
}

const char *sl_common_state(const sl_arguments *arguments)
{
    const char *given = sl_option_value(arguments, "state");
    if (!given) given = getenv("STATE_DIRECTORY");
    return given && *given ? given : "/var/lib/sluice";
}

int sl_common_print_json(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    SL_ASSERT(text != NULL);
    size_t size = strlen(text);
    sl_buf out = SL_BUF(size + 2);
    sl_buf_printf(&out, "%s\n", text);
    free(text);
    return sl_print(&out);
}

json_t *sl_json_text(const char *text)
{
    json_t *plain = json_string(text);
    if (plain) return plain;
    sl_buf valid = SL_BUF(strlen(text) * 3 + 1);
    sl_str all = sl_str_of(text);
    for (size_t at = 0, size; at < all.size; at += size) {
        size = sl_utf8_sequence(all, at);
        if (size) sl_buf_add(&valid, text + at, size);
        else sl_buf_text(&valid, "\xEF\xBF\xBD"), size = 1;
    }
    plain = json_stringn_nocheck(valid.data, valid.size);
    sl_buf_done(&valid);
    return plain;
}

const char *sl_member_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

long long sl_member_number(const json_t *object, const char *key) { return json_integer_value(json_object_get(object, key)); }
bool sl_member_true(const json_t *object, const char *key) { return json_is_true(json_object_get(object, key)); }
