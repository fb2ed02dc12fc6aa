/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devolve-runtime: an OCI runtime for those who know no hooks.d (docker, containerd). It writes our
 * hook into the bundle of a container that is to be made, and becomes runc or crun, with the same
 * arguments. Whatever fails of the first, the second is done, unless --devolve-required.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "config.h"
#include "hooks/docker_record.h"
#include "hooks/runtime_call.h"
#include "hooks/runtime_config.h"
#include "hooks/runtime_log.h"

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
    const char *unknown; /* an option that begins as ours do */
    bool required;
};

/* Returns 1 where it is an option of ours, 0 where it is not, 2: all was said. */
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
        shim->unknown = argument;
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

static int edit(const struct shim *shim, const char *id, int dir_fd, const char *file,
                struct refusal *why)
{
    _cleanup_free_ char *text = NULL, *edited = NULL, *name = NULL;
    const char *arguments[ARGUMENTS_MAX];
    struct refusal remark;
    size_t size = 0;

    int r = runtime_config_read(dir_fd, file, &text, &size, why);
    if (r < 0)
        return r;
    if (docker_record_name(text, size, id, &name, &remark) < 0)
        fprintf(stderr, PROGRAM ": container %s is registered under its id: %s\n", id, remark.text);
    hook_arguments(shim, name, arguments);
    const struct runtime_hook hook = {.path = shim->hook, .arguments = arguments};
    r = runtime_config_add_hook(text, size, &hook, &edited, why);
    return r < 0 ? refusal_prefix(why, "%s", file)
                 : runtime_config_write(dir_fd, file, edited, why);
}

/* Opens the directory of the configuration. *ret_file is its name there. */
static int open_directory(const struct runtime_call *call, const char **ret_file)
{
    const char *path = call->config, *slash = path ? strrchr(path, '/') : NULL;
    *ret_file = slash ? slash + 1 : path ? path : "config.json";
    _cleanup_free_ char *directory =
        slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(path ? "." : call->bundle);
    return directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static int add_hook(const struct shim *shim, const struct runtime_call *call, struct refusal *why)
{
    const char *file;
    if (access(shim->hook, X_OK) < 0)
        return refuse(why, errno, "%s: %s", shim->hook, strerror(errno));
    _cleanup_close_ int dir_fd = open_directory(call, &file);
    if (dir_fd < 0)
        return refuse(why, errno, "cannot look for %s in %s: %s", file,
                      call->config ? call->config : call->bundle, strerror(errno));
    return edit(shim, call->id, dir_fd, file, why);
}

/* Somebody moves runc away and gives us its name: then we are not what we are to become. */
static bool is_ourselves(const char *path)
{
    struct stat own, its;
    return stat("/proc/self/exe", &own) == 0 && stat(path, &its) == 0 && own.st_dev == its.st_dev &&
           own.st_ino == its.st_ino;
}

static const char *find_runtime(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++)
        if (access(runtimes[i], X_OK) == 0 && !is_ourselves(runtimes[i]))
            return runtimes[i];
    return NULL;
}

/* Returns only where it fails. */
static void become(const struct shim *shim, char **arguments, struct refusal *why)
{
    const char *path = shim->runtime ? shim->runtime : find_runtime();
    if (!path) {
        refuse(why, ENOENT, "there is neither runc nor crun: see --devolve-runtime");
        return;
    }
    if (is_ourselves(path)) {
        refuse(why, ELOOP, "%s is " PROGRAM " itself", path);
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
    if (call->log)
        (void)runtime_log_error(call->log, call->log_is_json, text);
    return EXIT_FAILURE;
}

/* Returns 0: go on, or a negative errno: the container must not be made. */
static int prepare(const struct shim *shim, const struct runtime_call *call, struct refusal *why)
{
    bool creates = runtime_call_creates(call);
    /* One that is there already must be stopped and deleted, whatever is wrong with our options. */
    if (shim->unknown && (creates || !call->command))
        return refuse(why, EINVAL, "what is '%s'? See " PROGRAM " --devolve-help", shim->unknown);
    if (!creates || add_hook(shim, call, why) == 0)
        return 0;
    if (shim->required)
        return -why->error;
    say(call, why);
    return 0;
}

int main(int argc, char **argv)
{
    struct shim shim = {.hook = HOOK_DIRECTORY "/devolve-oci-hook"};
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    struct sigaction pipe_action;
    struct refusal why = {.error = 0};
    int first = 1, r = 0;
    while (first < argc && (r = take_option(&shim, argv[first])) == 1)
        first++;
    if (first < argc && r != 0)
        return EXIT_SUCCESS;
    struct runtime_call call = runtime_call_read((const char *const *)argv + first);
    /* That nobody reads what we say is no reason to die. What we become is to have it as it was. */
    (void)sigaction(SIGPIPE, &ignored, &pipe_action);
    if (prepare(&shim, &call, &why) < 0)
        return fail(&call, &why);
    (void)sigaction(SIGPIPE, &pipe_action, NULL);
    argv[first - 1] = argv[0];
    become(&shim, argv + first - 1, &why);
    return fail(&call, &why);
}
