#include "capture.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sys.h"
#include "cli/arguments.h"
#include "cli/output.h"
#include "test.h"

static int run(int argc, char **argv)
{
    sl_error error = {0};
    sl_arguments arguments;
    int words = 0;
    const sl_command *command = sl_command_find(argc, argv, &words, &error);
    if (!command) return sl_complain(SL_EXIT_USAGE, "%s", error.text);
    if (!command->run) return sl_complain(SL_EXIT_USAGE, "%s: not in this version", command->name);
    if (sl_arguments_parse(command, argc - words, argv + words, &arguments, &error) < 0)
        return sl_complain(SL_EXIT_USAGE, "%s", error.text);
    int code = command->run(&arguments);
    sl_arguments_done(&arguments);
    return code;
}

/* Puts the file in the descriptor's place; returns what was there. */
static int put(int fd, const char *path, int flags)
{
    int kept = dup(fd), opened = open(path, flags, 0600);
    SL_ASSERT(kept >= 0 && opened >= 0);
    dup2(opened, fd);
    close(opened);
    return kept;
}

static void put_back(int fd, int kept)
{
    dup2(kept, fd);
    close(kept);
}

static char *text_of(const char *path)
{
    sl_buf text = SL_BUF(64 << 20);
    SL_ASSERT(sl_read_file(path, 64 << 20, &text, NULL) == 0);
    return sl_buf_take(&text);
}

sl_captured sl_capture(const char *input, const char *const *words)
{
    char *argv[64];
    int argc = 0;
    for (; words[argc]; argc++) argv[argc] = (char *)words[argc];
    argv[argc] = NULL;
    const char *in = sl_test_file("standard-input", input ? input : ""), *out = sl_test_path("standard-output");
    const char *err = sl_test_path("standard-error");
    fflush(stdout);
    int kept_in = put(STDIN_FILENO, in, O_RDONLY), kept_out = put(STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC);
    int kept_err = put(STDERR_FILENO, err, O_WRONLY | O_CREAT | O_TRUNC);
    clearerr(stdin);
    sl_captured captured = {.code = run(argc, argv)};
    fflush(stdout);
    put_back(STDIN_FILENO, kept_in);
    put_back(STDOUT_FILENO, kept_out);
    put_back(STDERR_FILENO, kept_err);
    captured.out = text_of(out);
    captured.err = text_of(err);
    return captured;
}

void sl_captured_done(sl_captured *captured)
{
    free(captured->out);
    free(captured->err);
}

const char *sl_test_path(const char *name)
{
    static char paths[64][256];
    static unsigned next;
    char *path = paths[next++ % SL_COUNT(paths)];
    snprintf(path, sizeof paths[0], "%s/%s", sl_test_folder(), name);
    return path;
}

const char *sl_test_file(const char *name, const char *text)
{
    const char *path = sl_test_path(name);
    SL_ASSERT(sl_write_file_durably(path, sl_str_of(text), 0600, NULL) == 0);
    return path;
}
