/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devolve-runtime: an OCI runtime for those who know no hooks.d (docker, containerd). It writes our
 * hook into the bundle of a container that is to be made, and becomes runc or crun, with the same
 * arguments. Whatever fails of the first, the second is done, unless --devolve-required.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "config.h"
#include "hooks/docker_record.h"
#include "hooks/runtime_call.h"
#include "hooks/runtime_config.h"
#include "model/varlink_message.h"

#define PROGRAM "devolve-runtime"
#define PREFIX "--devolve-"
#define ARGUMENTS_MAX 8

static const char usage[] =
    "Usage: devolve-runtime [--devolve-OPTION]... ARGUMENTS OF RUNC OR CRUN\n"
    "An OCI runtime that registers its containers with devolved: runc, or else crun, with a "
    "hook.\n\n"
    "  --devolve-runtime=PATH      the runtime to become\n"
    "  --devolve-runtime-dir=DIR   devolved's (/run/devolve)\n"
    "  --devolve-required          a container that cannot be registered does not start\n"
    "  --devolve-hook=PATH         the hook (" HOOK_DIRECTORY "/devolve-oci-hook)\n"
    "  --devolve-version, --devolve-help\n";

/* Not by PATH: the caller's environment chooses no program that runs as root. */
static const char *const runtimes[] = {"/usr/bin/runc",       "/usr/sbin/runc",
                                       "/usr/local/bin/runc", "/usr/local/sbin/runc",
                                       "/usr/bin/crun",       "/usr/local/bin/crun"};

struct shim {
    const char *runtime; /* NULL: one of `runtimes` */
    const char *directory;
    const char *hook;
    bool required;
};

/* Returns 1 where it is an option of ours, 0 where it is not, 2: all was said, or -EINVAL. */
static int take_option(struct shim *shim, const char *argument)
{
    const char *option = after_prefix(argument, PREFIX), *value;
    if (!option)
        return 0;
    if ((value = after_prefix(option, "runtime=")) && *value == '/')
        shim->runtime = value;
    else if ((value = after_prefix(option, "runtime-dir=")) && *value == '/')
        shim->directory = value;
    else if ((value = after_prefix(option, "hook=")) && *value == '/')
        shim->hook = value;
    else if (streq(option, "required"))
        shim->required = true;
    else if (streq(option, "help") || streq(option, "version"))
        return fputs(streq(option, "help") ? usage : PACKAGE_STRING "\n", stdout), 2;
    else
        return fprintf(stderr, PROGRAM ": what is '%s'? See " PROGRAM " --devolve-help\n",
                       argument),
               -EINVAL;
    return 1;
}

/* The hook's own arguments. The name is a default: the container's annotations go before it. */
static void hook_arguments(const struct shim *shim, const char *name,
                           const char *out[static ARGUMENTS_MAX])
{
    size_t count = 0;
    out[count++] = "devolve-oci-hook";
    if (shim->directory) {
        out[count++] = "--runtime-dir";
        out[count++] = shim->directory;
    }
    if (shim->required)
        out[count++] = "--required";
    if (name) {
        out[count++] = "--name";
        out[count++] = name;
    }
    out[count] = NULL;
}

static int edit(const struct shim *shim, const struct runtime_call *call, int bundle_fd,
                struct refusal *why)
{
    _cleanup_free_ char *text = NULL, *edited = NULL, *name = NULL;
    const char *arguments[ARGUMENTS_MAX];
    struct refusal remark;
    size_t size = 0;

    int r = runtime_config_read(bundle_fd, call->config, &text, &size, why);
    if (r < 0)
        return r;
    if (docker_record_name(text, size, call->id, &name, &remark) < 0)
        fprintf(stderr, PROGRAM ": container %s is registered under its id: %s\n", call->id,
                remark.text);
    hook_arguments(shim, name, arguments);
    const struct runtime_hook hook = {.path = shim->hook, .arguments = arguments};
    r = runtime_config_add_hook(text, size, &hook, &edited, why);
    return r < 0 ? refusal_prefix(why, "%s", call->config)
                 : runtime_config_write(bundle_fd, call->config, edited, why);
}

static int add_hook(const struct shim *shim, const struct runtime_call *call, struct refusal *why)
{
    if (access(shim->hook, X_OK) < 0)
        return refuse(why, errno, "%s: %s", shim->hook, strerror(errno));
    _cleanup_close_ int bundle_fd = open(call->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (bundle_fd < 0)
        return refuse(why, errno, "cannot open the bundle %s: %s", call->bundle, strerror(errno));
    return edit(shim, call, bundle_fd, why);
}

/* Where the runtime's caller looks for what went wrong, as runc writes it. */
static void log_error(const struct runtime_call *call, const char *text)
{
    char now[32] = "";
    time_t seconds = time(NULL);
    struct tm utc;
    if (!call->log)
        return;
    if (gmtime_r(&seconds, &utc))
        (void)strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &utc);
    _cleanup_json_ json_t *json =
        json_pack("{s:s, s:s, s:s}", "level", "error", "msg", text, "time", now);
    _cleanup_free_ char *line = json ? json_dumps(json, JSON_COMPACT) : NULL;
    FILE *file = line ? fopen(call->log, "ae") : NULL;
    if (!file)
        return;
    if (call->log_is_json)
        fprintf(file, "%s\n", line);
    else
        fprintf(file, "time=\"%s\" level=error msg=\"%s\"\n", now, text);
    fclose(file);
}

/* Returns only where it fails. */
static void become(const struct shim *shim, char **arguments, struct refusal *why)
{
    const char *path = shim->runtime;
    for (size_t i = 0; !path && i < ARRAY_SIZE(runtimes); i++)
        if (access(runtimes[i], X_OK) == 0)
            path = runtimes[i];
    if (!path) {
        refuse(why, ENOENT, "there is neither runc nor crun: see --devolve-runtime");
        return;
    }
    arguments[0] = (char *)(uintptr_t)path;
    execv(path, arguments);
    refuse(why, errno, "cannot run %s: %s", path, strerror(errno));
}

static void say(const struct runtime_call *call, const struct refusal *why)
{
    fprintf(stderr, PROGRAM ": container %s: %s\n", call->id ? call->id : "?", why->text);
}

static int fail(const struct runtime_call *call, const struct refusal *why)
{
    char text[REFUSAL_MAX + 64];
    snprintf(text, sizeof(text), PROGRAM ": %s", why->text);
    say(call, why);
    log_error(call, text);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct shim shim = {.hook = HOOK_DIRECTORY "/devolve-oci-hook"};
    struct refusal why = {.error = 0};
    int first = 1, r = 0;
    while (first < argc && (r = take_option(&shim, argv[first])) == 1)
        first++;
    if (first < argc && r != 0)
        return r < 0 ? 2 : 0;
    struct runtime_call call = runtime_call_read((const char *const *)argv + first);
    if (runtime_call_creates(&call) && add_hook(&shim, &call, &why) < 0) {
        if (shim.required)
            return fail(&call, &why);
        say(&call, &why);
    }
    argv[first - 1] = argv[0];
    become(&shim, argv + first - 1, &why);
    return fail(&call, &why);
}
