/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/docker_record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "model/json_span.h"
#include "model/varlink_message.h"

#define RECORD_MAX (16u << 20) /* bytes */
#define ID_LENGTH 64           /* of docker's containers: hexadecimal digits */

static const char *const mounted[] = {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"};

static bool is_id(const char *id)
{
    return strlen(id) == ID_LENGTH && strspn(id, "0123456789abcdef") == ID_LENGTH;
}

/*
 * "/var/lib/docker/containers/OTHER/hostname" → "/var/lib/docker/containers/ID". The other one is
 * another where the network is another container's. A file that somebody mounted over dockerd's is
 * elsewhere.
 */
static bool find_folder(const char *source, const char *id, char out[static PATH_MAX])
{
    static const char above[] = "/containers";
    char path[PATH_MAX];
    if (*source != '/' || snprintf(path, sizeof(path), "%s", source) >= (int)sizeof(path))
        return false;
    for (int i = 0; i < 2; i++) { /* the file, and the folder */
        char *slash = strrchr(path, '/');
        if (!slash || (i == 1 && !is_id(slash + 1)))
            return false;
        *slash = '\0';
    }
    size_t length = strlen(path), tail = sizeof(above) - 1;
    return length > tail && streq(path + length - tail, above) &&
           snprintf(out, PATH_MAX, "%s/%s", path, id) < PATH_MAX;
}

static const char *member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* The folder by the mount at a destination. The last mount there is the one that is seen. */
static bool find_mount(const json_t *mounts, const char *destination, const char *id,
                       char out[static PATH_MAX])
{
    bool found = false;
    for (size_t i = 0; i < json_array_size(mounts); i++) {
        const json_t *mount = json_array_get(mounts, i);
        const char *at = member(mount, "destination"), *source = member(mount, "source");
        if (at && source && streq(at, destination))
            found = find_folder(source, id, out);
    }
    return found;
}

static int read_record(const char *folder, char **ret, size_t *ret_size, struct refusal *why)
{
    char path[PATH_MAX + 32];
    struct stat st;
    snprintf(path, sizeof(path), "%s/config.v2.json", folder);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return refuse(why, errno, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
        return refuse(why, EPERM, "%s is not dockerd's: another may write it", path);
    _cleanup_free_ char *text = malloc(RECORD_MAX + 1);
    if (!text)
        return refuse(why, ENOMEM, "no memory");
    ssize_t size = file_read(fd, text, RECORD_MAX + 1);
    if (size < 0)
        return refuse(why, (int)-size, "cannot read %s: %s", path, strerror((int)-size));
    *ret = TAKE_PTR(text);
    *ret_size = (size_t)size;
    return 0;
}

static int load_text(const char *text, size_t size, const char *key, json_t **ret,
                     struct refusal *why)
{
    int r = json_span_load(text, size, key, ret, why);
    if (r < 0)
        return r;
    return r > 0 && json_is_string(*ret) ? 0 : refuse(why, EBADMSG, "it has no %s", key);
}

static int read_name(const char *folder, const char *id, char **ret, struct refusal *why)
{
    _cleanup_free_ char *text = NULL;
    _cleanup_json_ json_t *its_id = NULL, *name = NULL;
    size_t size = 0;
    int r = read_record(folder, &text, &size, why);
    if (r == 0)
        r = load_text(text, size, "ID", &its_id, why);
    if (r == 0)
        r = load_text(text, size, "Name", &name, why);
    if (r < 0)
        return r;
    const char *word = after_prefix(json_string_value(name), "/");
    if (!streq(json_string_value(its_id), id) || !word || !*word)
        return refuse(why, EBADMSG, "%s/config.v2.json is of another container", folder);
    *ret = strdup(word);
    return *ret ? 1 : refuse(why, ENOMEM, "no memory");
}

int docker_record_name(const char *config, size_t size, const char *id, char **ret,
                       struct refusal *why)
{
    _cleanup_json_ json_t *mounts = NULL;
    char folder[PATH_MAX];
    if (!is_id(id))
        return 0;
    int r = json_span_load(config, size, "mounts", &mounts, why);
    if (r <= 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(mounted); i++)
        if (find_mount(mounts, mounted[i], id, folder))
            return read_name(folder, id, ret, why);
    return 0;
}
