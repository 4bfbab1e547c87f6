/* Functions without a subject. */
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow/expression/functions.h"

/* A copy in the scratch. */
static int text(evaluation *e, const char *from, value *ret)
{
    size_t size = strlen(from);
    char *copy = scratch(e, size);
    if (!copy) return -1;
    memcpy(copy, from, size);
    *ret = VALUE_TEXT(((sl_str){copy, size}));
    return 0;
}

FUNCTION(alone_literal)
{
    (void)c, (void)subject;
    *ret = arguments[0];
    if (ret->missing) *ret = VALUE_TEXT(SL_STR("null"));
    return value_to(e, KIND_TEXT, ret);
}

FUNCTION(alone_uuid)
{
    (void)c, (void)subject, (void)arguments;
    char uuid[SL_UUID_TEXT];
    sl_uuid_random(uuid);
    return text(e, uuid, ret);
}

FUNCTION(alone_next_int)
{
    (void)e, (void)c, (void)subject, (void)arguments;
    static atomic_llong next;
    *ret = VALUE_WHOLE((int64_t)atomic_fetch_add_explicit(&next, 1, memory_order_relaxed));
    return 0;
}

FUNCTION(alone_thread)
{
    (void)c, (void)subject, (void)arguments;
    char name[32] = "";
    if (e->scope && e->scope->component) return text(e, e->scope->component, ret);
    pthread_getname_np(pthread_self(), name, sizeof name);
    return text(e, name, ret);
}

FUNCTION(alone_get_state)
{
    (void)c, (void)subject;
    *ret = VALUE_MISSING(KIND_TEXT);
    if (arguments[0].missing || !e->scope || !e->scope->state) return 0;
    sl_str found = e->scope->state(e->scope->context, arguments[0].text);
    if (found.data) *ret = VALUE_TEXT(found);
    return 0;
}

/* ---- this machine: looked up once, without asking a name server -------------------------------------------- */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char host_name[256], full_name[256], address[64];

/* "ADDRESS NAME ALIAS..." with our name among them. */
static void read_hosts_line(sl_str line)
{
    char found_address[64] = "", first[256] = "";
    const char *comment = memchr(line.data, '#', line.size);
    if (comment) line.size = (size_t)(comment - line.data);
    for (size_t at = 0, word = 0; at < line.size; word++) {
        while (at < line.size && strchr(" \t\r", line.data[at])) at++;
        size_t from = at;
        while (at < line.size && !strchr(" \t\r", line.data[at])) at++;
        if (at == from) break;
        sl_str here = {line.data + from, at - from};
        if (word == 0) snprintf(found_address, sizeof found_address, "%.*s", SL_STR_ARGS(here));
        if (word == 1) snprintf(first, sizeof first, "%.*s", SL_STR_ARGS(here));
        if (word == 0 || !sl_str_is(here, host_name)) continue;
        snprintf(full_name, sizeof full_name, "%s", first);
        if (!address[0] || strchr(address, ':')) snprintf(address, sizeof address, "%s", found_address);
        break;
    }
}

static void read_interfaces(void)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0) return;
    for (struct ifaddrs *at = all; at && !address[0]; at = at->ifa_next) {
        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET) continue;
        uint32_t bytes = ntohl(((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr.s_addr);
        if (bytes >> 24 == 127) continue;
        snprintf(address, sizeof address, "%u.%u.%u.%u", bytes >> 24, bytes >> 16 & 255, bytes >> 8 & 255, bytes & 255);
    }
    freeifaddrs(all);
}

static void look_up(void)
{
    if (gethostname(host_name, sizeof host_name - 1) != 0) snprintf(host_name, sizeof host_name, "localhost");
    snprintf(full_name, sizeof full_name, "%s", host_name);
    sl_buf hosts = SL_BUF(1024 * 1024);
    if (sl_read_file("/etc/hosts", 1024 * 1024, &hosts, NULL) == 0) {
        size_t at = 0;
        for (sl_str line; split_next(sl_buf_view(&hosts), SL_STR("\n"), &at, &line);) read_hosts_line(line);
    }
    sl_buf_done(&hosts);
    if (!address[0]) read_interfaces();
    if (!address[0]) snprintf(address, sizeof address, "127.0.0.1");
}

int prepare_hostname(compiler *c, call *call)
{
    if (call->count && (!constant_argument(call, 0) || constant_argument(call, 0)->kind != KIND_TRUTH))
        return compile_fail(c, call->arguments[0]->offset, "hostname: expected true or false");
    return 0;
}

FUNCTION(alone_hostname)
{
    (void)subject;
    pthread_once(&once, look_up);
    return text(e, c->count && arguments[0].truth ? full_name : host_name, ret);
}

FUNCTION(alone_ip)
{
    (void)c, (void)subject, (void)arguments;
    pthread_once(&once, look_up);
    return text(e, address, ret);
}

/* ---- getUri: the parts of java.net.URI, quoted where a part may not hold a character -------------------------- */
static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-!.~'()*";

/* Characters beyond ASCII stay; a percent sign never does. */
static void add_quoted(sl_buf *out, sl_str part, const char *legal)
{
    for (size_t i = 0; i < part.size && !out->overflowed; i++) {
        unsigned char b = (unsigned char)part.data[i];
        if (b >= 0x80 || (b && (strchr(unreserved, b) || strchr(legal, b)))) sl_buf_char(out, (char)b);
        else sl_buf_printf(out, "%%%02X", b);
    }
}

static void add_host(sl_buf *out, sl_str host)
{
    bool bare = memchr(host.data, ':', host.size) && host.data[0] != '[';
    if (bare) sl_buf_char(out, '[');
    sl_buf_str(out, host);
    if (bare) sl_buf_char(out, ']');
}

static bool is_scheme(sl_str text_)
{
    for (size_t i = 0; i < text_.size; i++) {
        char c = text_.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (!i || !c || !strchr("0123456789+-.", c))) return false;
    }
    return text_.size > 0;
}

static bool is_host(sl_str host)
{
    for (size_t i = 0; i < host.size; i++)
        if (!host.data[i] || !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]%", host.data[i])) return false;
    return host.size > 0;
}

enum { SCHEME, USER, HOST, PORT, PATH, QUERY, FRAGMENT };

static int check_uri(evaluation *e, const value *part, int64_t *ret_port)
{
    value port;
    bool overflow = false;
    sl_str text_ = part[PORT].missing ? SL_STR("") : part[PORT].text;
    if (number_of(text_, &port, &overflow) != WHOLE_NUMBER || overflow || port.whole != (int32_t)port.whole)
        return fail(e, "expected a number as its port (-1: none), found \"%.*s\"", (int)SL_MIN(text_.size, (size_t)60), text_.data);
    *ret_port = port.whole;
    if (!part[SCHEME].missing && !is_scheme(part[SCHEME].text)) return fail(e, "expected a scheme as https");
    if (!part[HOST].missing && !is_host(part[HOST].text)) return fail(e, "expected a host's name or address");
    if (part[HOST].missing && (!part[USER].missing || port.whole != -1)) return fail(e, "expected a host where there is a user or a port");
    bool relative = !part[PATH].missing && part[PATH].text.size && part[PATH].text.data[0] != '/';
    if (relative && (!part[SCHEME].missing || !part[HOST].missing)) return fail(e, "expected a path that begins with /");
    return 0;
}

FUNCTION(alone_get_uri)
{
    (void)c, (void)subject;
    int64_t port = -1;
    if (check_uri(e, arguments, &port) < 0) return -1;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    if (!arguments[SCHEME].missing) sl_buf_printf(&out, "%.*s:", SL_STR_ARGS(arguments[SCHEME].text));
    if (!arguments[HOST].missing) {
        sl_buf_text(&out, "//");
        if (!arguments[USER].missing) {
            add_quoted(&out, arguments[USER].text, ";:&=+$,");
            sl_buf_char(&out, '@');
        }
        add_host(&out, arguments[HOST].text);
        if (port != -1) sl_buf_printf(&out, ":%lld", (long long)port);
    }
    if (!arguments[PATH].missing) add_quoted(&out, arguments[PATH].text, ":@&=+$,;/");
    if (!arguments[QUERY].missing) {
        sl_buf_char(&out, '?');
        add_quoted(&out, arguments[QUERY].text, ";/?:@&=+$,[]");
    }
    if (!arguments[FRAGMENT].missing) {
        sl_buf_char(&out, '#');
        add_quoted(&out, arguments[FRAGMENT].text, ";/?:@&=+$,[]");
    }
    return scratch_buf(e, &out, ret);
}
