/* sluice doctor: is a stopped state whole? Rows and blocks are read with their CRCs, the fold of everything must equal
 * what recovery would find, and each claim that a queued FlowFile holds must have its bytes. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/common.h"
#include "cli/doctor.h"
#include "cli/output.h"
#include "cli/state.h"
#include "engine/backup.h"
#include "journal/query.h"

enum { SHOWN = 1000, CLAIM_LIMIT = 1024 * 1024, INLINE_LIMIT = 64 * 1024 * 1024, OUT_LIMIT = 16 * 1024 * 1024 };

typedef struct doctor {
    const char *state;
    uint32_t node;
    sl_fold now, whole; /* as recovery has it; from the beginning */
    sl_reader *reader;
    sl_content *content;
    sl_examination *found;
} doctor;

static void finding(doctor *doctor, const char *format, ...) SL_PRINTF(2, 3);
static void finding(doctor *doctor, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (doctor->found->finding_count++ < SHOWN) json_array_append_new(doctor->found->findings, sl_json_text(text));
}

static const char *uuid_of(const doctor *doctor, const sl_folded *folded, char text[SL_UUID_TEXT])
{
    sl_uuid_make(folded->flowfile, folded->entered / SL_MILLISECOND, doctor->node, text);
    return text;
}

/* ---- the two folds ---------------------------------------------------------------------------------------------- */

static int fold_both(doctor *doctor)
{
    sl_error error = {0};
    if (sl_fold_read(doctor->state, false, &doctor->now, &error) < 0) return finding(doctor, "%s", error.text), -1;
    if (sl_fold_read(doctor->state, true, &doctor->whole, &error) < 0) return finding(doctor, "%s", error.text), -1;
    return 0;
}

static void compare_one(doctor *doctor, const sl_folded *is)
{
    char uuid[SL_UUID_TEXT];
    const sl_folded *should = sl_fold_find(&doctor->whole, is->flowfile);
    const char *queue = sl_fold_name(&doctor->now, is->queue);
    if (!should) finding(doctor, "FlowFile %s: recovery has it in %s, but all events together end it", uuid_of(doctor, is, uuid), queue);
    else if (should->queue != is->queue)
        finding(doctor, "FlowFile %s: recovery has it in %s, all events together in %s", uuid_of(doctor, is, uuid), queue,
                sl_fold_name(&doctor->whole, should->queue));
    else if (should->seq != is->seq)
        finding(doctor, "FlowFile %s: recovery's last event of it is %llu, that of all events %llu", uuid_of(doctor, is, uuid),
                (unsigned long long)is->seq, (unsigned long long)should->seq);
}

static void compare_folds(doctor *doctor)
{
    char uuid[SL_UUID_TEXT];
    SL_FOLD_EACH(&doctor->now, folded) compare_one(doctor, folded);
    SL_FOLD_EACH(&doctor->whole, folded)
    if (!sl_fold_find(&doctor->now, folded->flowfile))
        finding(doctor, "FlowFile %s: all events together have it in %s, recovery does not have it", uuid_of(doctor, folded, uuid),
                sl_fold_name(&doctor->whole, folded->queue));
}

/* ---- the bytes ----------------------------------------------------------------------------------------------------- */

static int check_claim(doctor *doctor, sl_str text, sl_str inline_data, sl_error *error)
{
    sl_claim *claim;
    if (!text.size || sl_str_is(text, "null")) return 0;
    if (sl_claim_parse(doctor->content, text, inline_data, &claim, error) < 0) return -1;
    int result = sl_content_verify(doctor->content, claim, error);
    doctor->found->claims++;
    doctor->found->bytes += claim->size;
    doctor->found->external += claim->kind == SL_EXTERNAL;
    sl_claim_unref(claim);
    return result;
}

static void check_flowfile(doctor *doctor, const sl_folded *folded)
{
    char uuid[SL_UUID_TEXT];
    sl_error error = {0};
    sl_buf claim = SL_BUF(CLAIM_LIMIT), data = SL_BUF(INLINE_LIMIT);
    int result = sl_query_claim(doctor->reader, folded->seq, false, &claim, &data, &error);
    if (result < 0 && error.code == ENODATA) result = 0; /* it never had content */
    if (result == 0) result = check_claim(doctor, sl_buf_view(&claim), sl_buf_view(&data), &error);
    if (result < 0)
        finding(doctor, "FlowFile %s in %s: %s", uuid_of(doctor, folded, uuid), sl_fold_name(&doctor->now, folded->queue), error.text);
    sl_buf_done(&claim);
    sl_buf_done(&data);
}

static void check_content(doctor *doctor)
{
    sl_error error = {0};
    char *folder = sl_asprintf("%s/journal", doctor->state);
    int result = sl_reader_open(folder, doctor->node, &doctor->reader, &error);
    free(folder);
    if (result == 0) result = sl_state_content(doctor->state, &doctor->content, &error);
    if (result < 0) finding(doctor, "%s", error.text);
    else SL_FOLD_EACH(&doctor->now, folded) check_flowfile(doctor, folded);
}

/* ---- the report ------------------------------------------------------------------------------------------------------ */

int sl_examine(const char *state, sl_examination *ret, sl_error *error)
{
    doctor doctor = {.state = state, .found = ret};
    *ret = (sl_examination){0};
    if (sl_state_node(state, &doctor.node, error) < 0) return -1;
    ret->findings = json_array();
    if (fold_both(&doctor) == 0) {
        compare_folds(&doctor);
        check_content(&doctor);
    }
    ret->events = doctor.whole.events;
    ret->last = doctor.now.last;
    ret->flowfiles = doctor.now.count;
    sl_fold_done(&doctor.now);
    sl_fold_done(&doctor.whole);
    sl_reader_close(doctor.reader);
    sl_content_close(doctor.content);
    return 0;
}

void sl_examination_done(sl_examination *examination) { json_decref(examination->findings); }

void sl_examination_print(const sl_examination *examination, const char *state, sl_buf *ret)
{
    char bytes[SL_HUMAN_TEXT];
    size_t i;
    json_t *text;
    json_array_foreach(examination->findings, i, text)
    {
        sl_add_printable(ret, sl_str_of(json_string_value(text)));
        sl_buf_char(ret, '\n');
    }
    if (examination->finding_count > SHOWN)
        sl_buf_printf(ret, "... and %llu more\n", (unsigned long long)(examination->finding_count - SHOWN));
    sl_add_printable(ret, sl_str_of(state));
    sl_buf_printf(ret, ": %llu events, %llu FlowFiles in queues, %llu contents of %s", (unsigned long long)examination->events,
                  (unsigned long long)examination->flowfiles, (unsigned long long)examination->claims,
                  sl_human_bytes(examination->bytes, bytes));
    if (examination->external) sl_buf_printf(ret, " (%llu of them are files elsewhere)", (unsigned long long)examination->external);
    if (examination->finding_count) sl_buf_printf(ret, "; %llu findings\n", (unsigned long long)examination->finding_count);
    else sl_buf_text(ret, "; all of it is whole\n");
}

json_t *sl_examination_json(const sl_examination *examination, const char *state)
{
    return json_pack("{s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "state", sl_json_text(state), "verdict",
                     examination->finding_count ? "damaged" : "whole", "events", (json_int_t)examination->events, "flowfiles",
                     (json_int_t)examination->flowfiles, "claims", (json_int_t)examination->claims, "bytes", (json_int_t)examination->bytes,
                     "external", (json_int_t)examination->external, "finding_count", (json_int_t)examination->finding_count, "findings",
                     examination->findings);
}

static int report(const sl_examination *examination, const char *state, bool json)
{
    if (json) return sl_common_print_json(sl_examination_json(examination, state));
    sl_buf out = SL_BUF(OUT_LIMIT);
    sl_examination_print(examination, state, &out);
    return sl_print(&out);
}

int sl_command_doctor(const sl_arguments *arguments)
{
    sl_error error = {0};
    sl_examination found;
    const char *state = sl_common_state(arguments);
    bool held;
    if (sl_state_held(state, &held, &error) < 0) return sl_complain(SL_EXIT_FAILED, "doctor: %s", error.text);
    if (held)
        return sl_complain(
            SL_EXIT_BUSY, "doctor: a process has %s and writes to it; stop it first, or ask it with `sluice status` and `sluice bulletins`",
            state);
    if (sl_state_complete(state, &error) < 0 || sl_examine(state, &found, &error) < 0)
        return sl_complain(SL_EXIT_FAILED, "doctor: %s", error.text);
    int code = report(&found, state, sl_given_option(arguments, "json"));
    if (found.finding_count) code = SL_EXIT_FAILED;
    sl_examination_done(&found);
    return code;
}
