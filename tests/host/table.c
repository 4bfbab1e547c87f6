/* The table of calls that modules get, and the small ones of them: log, bulletins, figures, time. */
#include "private.h"

static void call_log(sluice_instance *instance, sluice_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void call_bulletin(sluice_instance *instance, sluice_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void note(box *box, sluice_level level, const char *text)
{
    host *host = box->host;
    sl_log(level == SLUICE_LOG_ERROR ? SL_WARNING : SL_DEBUG, box->name, "%s", text);
    uv_mutex_lock(&host->lock);
    sl_buf_text(&host->log, text);
    sl_buf_char(&host->log, '\n');
    uv_mutex_unlock(&host->lock);
}

static void call_log(sluice_instance *instance, sluice_level level, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    host_say(((box *)instance)->host, format, arguments, &text);
    va_end(arguments);
    note((box *)instance, level, text);
}

static void call_bulletin(sluice_instance *instance, sluice_level level, const char *format, ...)
{
    box *box = (struct box *)instance;
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    host_say(box->host, format, arguments, &text);
    va_end(arguments);
    note(box, level, text);
    uv_mutex_lock(&box->host->lock);
    box->bulletins = sl_grow(box->bulletins, box->bulletin_count, &box->bulletin_capacity, sizeof *box->bulletins);
    box->bulletins[box->bulletin_count++] = text;
    uv_mutex_unlock(&box->host->lock);
}

static void call_figure(sluice_instance *instance, const char *name, int64_t value, bool add)
{
    box *box = (struct box *)instance;
    uv_mutex_lock(&box->host->lock);
    int64_t *figure = sl_map_get(&box->figures, sl_str_of(name));
    if (!figure) {
        figure = SL_NEW(int64_t);
        sl_map_put(&box->figures, sl_str_of(name), figure);
    }
    *figure = add ? *figure + value : value;
    uv_mutex_unlock(&box->host->lock);
}

static int64_t call_now(void) { return host_current->realtime; }
static int64_t call_ticks(void) { return host_current->monotonic; }
static void call_random(void *data, size_t size) { sl_sys_real.random(data, size); }

const sluice_host host_table = {
    .size = sizeof(sluice_host),
    .has = call_has,
    .number = call_number,
    .real = call_real,
    .text = call_text,
    .count = call_count,
    .item = call_item,
    .item_name = call_item_name,
    .service = call_service,
    .name = call_name,
    .evaluate = call_evaluate,
    .evaluate_item = call_evaluate_item,
    .get = call_get,
    .create = call_create,
    .clone = call_clone,
    .attribute = call_attribute,
    .attribute_count = call_attribute_count,
    .attribute_at = call_attribute_at,
    .set = call_set,
    .unset = call_unset,
    .transfer = call_transfer,
    .drop = call_drop,
    .fail = call_fail,
    .event = call_event,
    .finish = call_finish,
    .yield = call_yield,
    .stopping = call_stopping,
    .content = call_content,
    .read = call_read,
    .write = call_write,
    .append = call_append,
    .close = call_close,
    .import = call_import,
    .hashes = call_hashes,
    .intent = call_intent,
    .intend = call_intend,
    .progress = call_progress,
    .progress_count = call_progress_count,
    .progress_at = call_progress_at,
    .after_commit = call_after_commit,
    .state = call_state,
    .set_state = call_set_state,
    .log = call_log,
    .bulletin = call_bulletin,
    .now = call_now,
    .ticks = call_ticks,
    .random = call_random,
    .timer = call_timer,
    .job = call_job,
    .cancel = call_cancel,
    .http_open = call_http_open,
    .http_close = call_http_close,
    .http = call_http,
    .figure = call_figure,
    .turn = call_turn,
    .scanned = call_scanned,
};
