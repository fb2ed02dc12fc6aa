/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/courier_verbs.h"

/*
 * passwd(5) and group(5) of the container, read as bytes: the C library's own look-ups would load
 * modules that the container chose. Of a line only its head matters; groups can have long tails.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/text.h"
#include "kernel/mount_api.h"

#define FILE_MAX (1024u * 1024)
#define HEAD_MAX 512

/* Looks for one name in a file that comes in pieces. */
struct search {
    const char *name;
    char head[HEAD_MAX]; /* of the line that is being read */
    size_t length;
    uint32_t id;
    bool found;
};

/* name:password:number:… in both files. Lines that are not so are passed over. */
static void search_line(struct search *search)
{
    uint64_t id;
    search->head[search->length] = '\0';
    char *rest = search->head;
    const char *name = strsep(&rest, ":");
    if (!streq(name, search->name) || !strsep(&rest, ":"))
        return;
    const char *number = strsep(&rest, ":");
    /* A number at the cut end of an overlong head would be another number. */
    if (!number || !rest || text_to_number(number, UINT32_MAX - 1, &id) < 0)
        return;
    search->id = (uint32_t)id;
    search->found = true;
}

static void search_bytes(struct search *search, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size && !search->found; i++) {
        if (bytes[i] == '\n') {
            search_line(search);
            search->length = 0;
        } else if (search->length < sizeof(search->head) - 1) {
            search->head[search->length++] = bytes[i];
        }
    }
}

/*
 * Opens a regular file of the container's. It is looked at before it is opened: opening a device
 * can have consequences.
 */
static int open_regular(const struct courier_world *world, const char *path, struct refusal *why)
{
    struct stat st;
    _cleanup_close_ int look_fd = open_in_root(world->root_fd, path, O_PATH);
    if (look_fd < 0 || fstat(look_fd, &st) < 0)
        return refuse(why, errno, "/%s inside cannot be opened: %s", path, strerrordesc_np(errno));
    if (!S_ISREG(st.st_mode))
        return refuse(why, EINVAL, "/%s inside is not a regular file", path);
    _cleanup_close_ int fd = open_in_root(world->root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return refuse(why, errno, "/%s inside cannot be opened: %s", path, strerrordesc_np(errno));
    if (!S_ISREG(st.st_mode))
        return refuse(why, EINVAL, "/%s inside is not a regular file", path);
    return TAKE_FD(fd);
}

static int search_file(int fd, const char *path, struct search *search, struct refusal *why)
{
    char bytes[4096];
    size_t total = 0;
    while (!search->found) {
        ssize_t got = read(fd, bytes, sizeof(bytes));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return refuse(why, errno, "/%s inside cannot be read: %s", path,
                          strerrordesc_np(errno));
        if (got == 0)
            break;
        total += (size_t)got;
        if (total > FILE_MAX)
            return refuse(why, EFBIG, "/%s inside is longer than %u bytes", path, FILE_MAX);
        search_bytes(search, bytes, (size_t)got);
    }
    if (!search->found && search->length > 0)
        search_line(search); /* the last line may lack its end */
    return 0;
}

static int find_id(const struct courier_world *world, const char *path, const char *name,
                   uint32_t *ret, struct refusal *why)
{
    struct search search = {.name = name};
    _cleanup_close_ int fd = open_regular(world, path, why);
    if (fd < 0)
        return fd;
    int r = search_file(fd, path, &search, why);
    if (r < 0)
        return r;
    if (!search.found)
        return refuse(why, ENOENT, "/%s inside has no \"%s\"", path, name);
    *ret = search.id;
    return 0;
}

int courier_identify(const struct courier_world *world, const struct courier_request *request,
                     struct courier_reply *reply, struct refusal *why)
{
    int r = 0;
    if (request->owner[0])
        r = find_id(world, "etc/passwd", request->owner, &reply->uid, why);
    if (r >= 0 && request->group[0])
        r = find_id(world, "etc/group", request->group, &reply->gid, why);
    return r;
}
