/* conformance/play: a scenario, and reading what came of it. A host's test defines `play` and includes scenarios.h. */
#ifndef PLAY_H
#define PLAY_H

#include "base/base.h"
#include "test.h"

typedef struct scenario {
    const char *type, *script;
    const char *items; /* NULL: [one] */
    const char *more;  /* further properties of the subject, lines of YAML */
    const char *expect;
    unsigned concurrency; /* 0: 1 */
    bool cancelled;       /* the session that waits is cancelled from outside, once */
    bool faulty;          /* the module does what it must not */
} scenario;

static inline const char *scenario_items(const scenario *scenario) { return scenario->items ? scenario->items : "[one]"; }

bool play_dies(const scenario *scenario); /* the process does, once */
/* The folder that conform-sink and effects write to; made. The caller frees it. */
char *play_out(void);
/* The folder of the module. The caller frees it. */
char *play_module(void);
/* Checks what is in `out`, and `events` ("event: TYPE URI" a line, in any order), against the scenario. */
void play_check(const scenario *scenario, const char *out, const sl_buf *events);

#define SCENARIO(name_, ...) \
    TEST(name_) { play(&(const scenario){__VA_ARGS__}); }

#endif
