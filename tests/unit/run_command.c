/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ARGUMENTS_MAX 16

struct result run_command(command_fn *function, const char *const *argv)
{
    const struct command command = {argv[0], "ARGUMENTS", "Summary.\n\n  --detail", function};
    struct result result = {0};
    char *arguments[ARGUMENTS_MAX + 1] = {NULL};
    size_t size;
    int argc = 0;

    for (; argv[argc]; argc++) {
        assert_true(argc < ARGUMENTS_MAX);
        arguments[argc] = (char *)argv[argc];
    }
    struct cli cli = {.out = {.file = open_memstream(&result.out, &size)},
                      .err = {.file = open_memstream(&result.err, &size)}};
    assert_true(cli.out.file && cli.err.file);
    optind = 0;
    result.status = function(&cli, &command, argc, arguments);
    cli_done(&cli);
    fclose(cli.out.file);
    fclose(cli.err.file);
    return result;
}

void result_done(struct result *result)
{
    free(result->out);
    free(result->err);
    *result = (struct result){0};
}
