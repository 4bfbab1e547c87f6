/* The test host finds what a module does wrong. The module is the conformance suite's, which does as its script says. */
#include <libgen.h>
#include <limits.h>
#include <unistd.h>

#include "host.h"

static char *conformance_module(void)
{
    char binary[PATH_MAX] = "";
    if (readlink("/proc/self/exe", binary, sizeof binary - 1) < 0) sl_panic(__FILE__, __LINE__, "cannot read /proc/self/exe");
    return sl_asprintf("%s/../conformance/module", dirname(binary));
}

/* What is said when a session of `type` plays `script`, starting at SIZE bytes of content. */
static void check_fault(const char *type, const char *script, size_t size, const char *expected)
{
    char *module = conformance_module(), *yaml = sl_asprintf("type: %s\nout: %s\nscript: %s\n", type, sl_test_folder(), script);
    char *content = sl_alloc(size + 1);
    memset(content, 'x', size);
    host *host = host_new(module);
    box *box = box_new(host, yaml);
    box_feed_bytes(box, content, size, NULL);
    host_fault(host);
    box_run(box);
    const char *fault = host_fault(host);
    if (!fault) fault = "(none)";
    if (!strstr(fault, expected)) sl_test_failed(__FILE__, __LINE__, "%s: found \"%s\", expected \"%s\"", script, fault, expected);
    host_free(host);
    free(content);
    free(module);
    free(yaml);
}

TEST(a_flowfile_needs_one_end)
{
    check_fault("conform-loop", "[get, transfer success]", 1, "(none)");
    check_fault("conform-loop", "[get]", 1, "neither transferred, dropped nor failed");
    check_fault("conform-loop", "[get, clone, drop]", 1, "neither transferred, dropped nor failed");
    check_fault("conform-loop", "[get, transfer success, drop]", 1, "a second end");
    check_fault("conform-loop", "[get, transfer nowhere]", 1, "\"nowhere\" is no relationship");
}

TEST(the_loop_must_not_block)
{
    check_fault("conform-worker", "[get, read, fill 700000, transfer success]", 700000, "(none)");
    check_fault("conform-loop", "[get, read, transfer success]", 700000, "was read on the loop");
    check_fault("conform-loop", "[get, fill 700000, transfer success]", 1, "were written on the loop");
}

TEST(intents_are_for_effects)
{
    check_fault("conform-loop-effects", "[get, intend x, progress y, transfer success]", 1, "(none)");
    check_fault("conform-loop", "[get, intend x, transfer success]", 1, "SLUICE_EFFECTS");
    check_fault("conform-loop-effects", "[get, progress x, transfer success]", 1, "progress without an intent");
    check_fault("conform-loop-effects", "[get, drop, create, turn x, transfer success]", 1, "came from the queue");
}
