/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/runtime_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "model/json_span.h"
#include "model/varlink_message.h"

#define FRESH_NAME ".config.json.devolve" /* in the making */
#define TIMEOUT_S 10                      /* of the hook; it has two seconds of its own */

static const char *const stages[] = {"createRuntime", "poststart", "poststop"};

int runtime_config_read(int dir_fd, const char *name, char **ret, size_t *ret_size,
                        struct refusal *why)
{
    struct stat st;
    _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return refuse(why, errno, "cannot read %s: %s", name, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return refuse(why, EBADMSG, "%s is no file", name);
    _cleanup_free_ char *text = malloc(RUNTIME_CONFIG_MAX + 1);
    if (!text)
        return refuse(why, ENOMEM, "no memory");
    ssize_t size = file_read(fd, text, RUNTIME_CONFIG_MAX + 1);
    if (size < 0)
        return refuse(why, (int)-size, "cannot read %s: %s", name, strerror((int)-size));
    *ret = TAKE_PTR(text);
    *ret_size = (size_t)size;
    return 0;
}

/* Ours may be there with other arguments: a bundle that was used before, or was made with it. */
static void remove_hook(json_t *entries, const char *path)
{
    for (size_t i = json_array_size(entries); i-- > 0;) {
        const char *there = json_string_value(json_object_get(json_array_get(entries, i), "path"));
        if (there && streq(there, path))
            (void)json_array_remove(entries, i);
    }
}

static json_t *format_hook(const struct runtime_hook *hook)
{
    json_t *arguments = json_array();
    for (const char *const *argument = hook->arguments; arguments && *argument; argument++)
        if (json_array_append_new(arguments, json_string(*argument)) < 0)
            json_decref(TAKE_PTR(arguments));
    return json_pack("{s:s, s:o, s:i}", "path", hook->path, "args", arguments, "timeout",
                     TIMEOUT_S);
}

static int add_to_stage(json_t *hooks, const char *stage, const struct runtime_hook *hook,
                        struct refusal *why)
{
    json_t *entries = json_object_get(hooks, stage);
    if (!entries || json_is_null(entries)) {
        entries = json_array();
        if (json_object_set_new(hooks, stage, entries) < 0)
            return refuse(why, ENOMEM, "no memory");
    }
    if (!json_is_array(entries))
        return refuse(why, EBADMSG, "its hooks at %s are no list", stage);
    remove_hook(entries, hook->path);
    return json_array_append_new(entries, format_hook(hook)) < 0 ? refuse(why, ENOMEM, "no memory")
                                                                 : 0;
}

int runtime_config_add_hook(const char *text, size_t size, const struct runtime_hook *hook,
                            char **ret, struct refusal *why)
{
    struct json_span span;
    _cleanup_json_ json_t *hooks = NULL;
    int r = json_span_load(text, size, "hooks", &hooks, why);
    if (r >= 0 && json_span_find(text, size, "hooks", &span, why) < 0)
        r = -why->error;
    if (r < 0)
        return r;
    if (!hooks || json_is_null(hooks)) {
        json_decref(hooks);
        hooks = json_object();
    }
    if (!json_is_object(hooks))
        return refuse(why, EBADMSG, "its hooks are no object");
    r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(stages); i++)
        r = add_to_stage(hooks, stages[i], hook, why);
    if (r < 0)
        return r;
    _cleanup_free_ char *value = json_dumps(hooks, JSON_COMPACT);
    *ret = value ? json_span_replace(text, size, "hooks", &span, value) : NULL;
    return *ret ? 0 : refuse(why, ENOMEM, "no memory");
}

static int write_fresh(int fd, const struct stat *old, const char *text)
{
    int r = file_write(fd, text);
    if (r < 0)
        return r;
    if (fchown(fd, old->st_uid, old->st_gid) < 0 || fchmod(fd, old->st_mode & 07777) < 0)
        return -errno;
    return 0;
}

int runtime_config_write(int dir_fd, const char *name, const char *text, struct refusal *why)
{
    struct stat old;
    (void)unlinkat(dir_fd, FRESH_NAME, 0);
    _cleanup_close_ int fd =
        openat(dir_fd, FRESH_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int r = fd < 0 || fstatat(dir_fd, name, &old, 0) < 0 ? -errno : write_fresh(fd, &old, text);
    if (r == 0 && renameat(dir_fd, FRESH_NAME, dir_fd, name) < 0)
        r = -errno;
    if (r == 0)
        return 0;
    (void)unlinkat(dir_fd, FRESH_NAME, 0);
    return refuse(why, -r, "cannot write %s: %s", name, strerror(-r));
}
