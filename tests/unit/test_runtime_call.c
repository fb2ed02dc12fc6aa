/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hooks/runtime_call.h"

#define WORDS(...) ((const char *[]){__VA_ARGS__, NULL})

static void the_command_and_its_bundle_are_found(void **state)
{
    (void)state;
    const struct {
        const char *const *words;
        const char *command, *id, *bundle, *config, *log;
        bool creates, log_is_json;
    } cases[] = {
        /* as containerd's shim calls it */
        {WORDS("--root", "/run/runc", "--log", "/b/log.json", "--log-format", "json",
               "--systemd-cgroup", "create", "--bundle", "/b", "--pid-file", "/b/pid",
               "--console-socket", "/s", "box"),
         "create", "box", "/b", NULL, "/b/log.json", true, true},
        /* as conmon does */
        {WORDS("--cgroup-manager=systemd", "create", "--bundle", "/b", "--pid-file", "/p", "box"),
         "create", "box", "/b", NULL, NULL, true, false},
        {WORDS("run", "-d", "-b", "/b", "box"), "run", "box", "/b", NULL, NULL, true, false},
        {WORDS("run", "-b/b", "box"), "run", "box", "/b", NULL, NULL, true, false},
        {WORDS("run", "-bundle=/b", "box"), "run", "box", "/b", NULL, NULL, true, false},
        {WORDS("-log=/l", "-log-format=text", "create", "box"), "create", "box", ".", NULL, "/l",
         true, false},
        {WORDS("create", "--no-pivot", "box", "--bundle", "/b"), "create", "box", "/b", NULL, NULL,
         true, false},
        {WORDS("create", "--config", "other.json", "box"), "create", "box", ".", "other.json", NULL,
         true, false},
        {WORDS("create", "--preserve-fds", "3", "box"), "create", "box", ".", NULL, NULL, true,
         false},
        {WORDS("create", "-bundle", "/b", "--pidfd-socket", "/s", "box"), "create", "box", "/b",
         NULL, NULL, true, false},
        /* crun's own file, where it is not the bundle's */
        {WORDS("create", "-f", "config.json", "-b", "/b", "box"), "create", "box", "/b", NULL, NULL,
         true, false},
        {WORDS("run", "-f", "other.json", "box"), "run", "box", ".", "other.json", NULL, true,
         false},
        {WORDS("create", "-fd/other.json", "box"), "create", "box", ".", "d/other.json", NULL, true,
         false},
        /* crun's letters in one word, and beginnings of names */
        {WORDS("run", "-db", "/b", "box"), "run", "box", "/b", NULL, NULL, true, false},
        {WORDS("run", "-db/b", "box"), "run", "box", "/b", NULL, NULL, true, false},
        {WORDS("--roo", "/r", "create", "--bund=/b", "--conf", "/c", "--pid", "/p", "box"),
         "create", "box", "/b", "/c", NULL, true, false},
        /* runc's names with one dash, after the id too, and the last of several */
        {WORDS("-root", "/r", "-debug", "run", "-detach", "-b=/b", "box"), "run", "box", "/b", NULL,
         NULL, true, false},
        {WORDS("create", "-b", "/a", "box", "-bundle", "/b"), "create", "box", "/b", NULL, NULL,
         true, false},
        {WORDS("create", "--bundle=", "box"), "create", "box", ".", NULL, NULL, true, false},
        {WORDS("create", "--", "--box"), "create", "--box", ".", NULL, NULL, true, false},
        {WORDS("--root", "create", "start", "box"), "start", "box", ".", NULL, NULL, false, false},
        {WORDS("--log", "/l", "exec", "--pid-file", "/p", "box", "ls", "-b", "x"), "exec", "box",
         "x", NULL, "/l", false, false},
        {WORDS("kill", "--all", "box", "9"), "kill", "box", ".", NULL, NULL, false, false},
        {WORDS("delete", "--force", "box"), "delete", "box", ".", NULL, NULL, false, false},
        {WORDS("--version"), NULL, NULL, ".", NULL, NULL, false, false},
        {WORDS("create"), "create", NULL, ".", NULL, NULL, false, false},
        {WORDS("create", "--bundle"), "create", NULL, ".", NULL, NULL, false, false},
        {(const char *[]){NULL}, NULL, NULL, ".", NULL, NULL, false, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct runtime_call call = runtime_call_read(cases[i].words);
        bool right =
            streq_null(call.command, cases[i].command) && streq_null(call.id, cases[i].id) &&
            streq(call.bundle, cases[i].bundle) && streq_null(call.config, cases[i].config) &&
            streq_null(call.log, cases[i].log) && call.log_is_json == cases[i].log_is_json &&
            runtime_call_creates(&call) == cases[i].creates;
        if (!right)
            fail_msg("case %zu: %s %s %s %s %s", i, call.command, call.id, call.bundle, call.config,
                     call.log);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_and_its_bundle_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
