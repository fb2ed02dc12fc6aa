/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/courier_verbs.h"

/*
 * udev's database, for a container that runs no udevd: a record is written beside its place and
 * renamed, so that libudev never reads half of one. What is ours is root's and has mode 0444, by
 * which we know it again; udevd writes 0644 (and sets the sticky bit for records that outlive a
 * switch of roots). The marker, /run/udev/control, is an empty file; a udevd that comes has its
 * socket there.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/mount_api.h"

#define MARKER "/run/udev/control"
#define FRESH_NAME ".#devolve" /* a record in the making */
#define OUR_MODE 0444
#define TAG_MAX 256

/* What lies at the name of a record, or of the marker. */
enum owner { NOBODY, OURS, ANOTHER };

static int refuse_file(const char *path, int error, const char *what, struct refusal *why)
{
    return refuse(why, error, "%s inside cannot be %s: %s", path, what, strerrordesc_np(error));
}

static enum owner owner_of(int parent_fd, const char *name)
{
    struct stat st;
    _cleanup_close_ int fd = open_beneath(parent_fd, name, O_PATH, 0);
    if (fd < 0)
        return errno == ENOENT ? NOBODY : ANOTHER;
    bool ours = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == OUR_MODE &&
                st.st_uid == 0;
    return ours ? OURS : ANOTHER;
}

/* The directories of a path by their depth. A tag may be called like any of the others. */
enum depth { DEPTH_RUN, DEPTH_UDEV, DEPTH_DATA_OR_TAGS, DEPTH_TAG };

/* Which of udev's directories were made for a path. */
static unsigned made_directories(const struct courier_place *place)
{
    size_t highest_made = place->wanted - place->made;
    unsigned mask = 0;
    if (highest_made <= DEPTH_UDEV && place->wanted > DEPTH_UDEV)
        mask |= COURIER_UDEV_TOP;
    if (highest_made <= DEPTH_DATA_OR_TAGS && place->wanted > DEPTH_DATA_OR_TAGS)
        mask |=
            streq(place->names[DEPTH_DATA_OR_TAGS], "data") ? COURIER_UDEV_DATA : COURIER_UDEV_TAGS;
    return mask;
}

/* Removes a directory that was made by us, if it is empty. Whether it is gone. */
static bool directory_remove(const struct courier_world *world, const char *path)
{
    _cleanup_(courier_place_close) struct courier_place place = {0};
    if (courier_place_open(world, path, false, &place, NULL) < 0)
        return true; /* something else is in its way: ours is gone */
    int parent_fd = courier_place_parent(&place);
    return parent_fd < 0 || unlinkat(parent_fd, place.name, AT_REMOVEDIR) == 0 ||
           (errno != ENOTEMPTY && errno != EBUSY);
}

/* Of the directories in `mask`, those that stay. */
static unsigned directories_remove(const struct courier_world *world, unsigned mask)
{
    if (mask & COURIER_UDEV_DATA && directory_remove(world, "/run/udev/data"))
        mask &= ~(unsigned)COURIER_UDEV_DATA;
    if (mask & COURIER_UDEV_TAGS && directory_remove(world, "/run/udev/tags"))
        mask &= ~(unsigned)COURIER_UDEV_TAGS;
    if (mask == COURIER_UDEV_TOP && directory_remove(world, "/run/udev"))
        mask = 0;
    return mask;
}

/* Of an old record of ours; empty where there is none that can be read. */
static void read_record(int parent_fd, const char *name, char text[static UDEV_RECORD_MAX])
{
    size_t length = 0;
    struct stat st;
    *text = '\0';
    if (owner_of(parent_fd, name) != OURS)
        return;
    _cleanup_close_ int fd = open_beneath(parent_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    while (length < UDEV_RECORD_MAX - 1) {
        ssize_t got = read(fd, text + length, UDEV_RECORD_MAX - 1 - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    text[length] = '\0';
}

/* The next tag ("G:") of a record's text, or false. */
static bool next_tag(const char **at, char tag[static TAG_MAX])
{
    while (**at) {
        const char *line = *at;
        size_t length = strcspn(line, "\n");
        *at = line + length + (line[length] != '\0');
        if (length < 3 || line[0] != 'G' || line[1] != ':' || length - 2 >= TAG_MAX)
            continue;
        memcpy(tag, line + 2, length - 2);
        tag[length - 2] = '\0';
        if (udev_record_tag_is_valid(tag, length - 2))
            return true;
    }
    return false;
}

static bool has_tag(const char *text, const char *wanted)
{
    char tag[TAG_MAX];
    while (next_tag(&text, tag))
        if (streq(tag, wanted))
            return true;
    return false;
}

static int tag_make(const struct courier_world *world, const char *tag, const char *id,
                    unsigned *made, struct refusal *why)
{
    char path[UDEV_RECORD_PATH_MAX];
    _cleanup_(courier_place_close) struct courier_place place = {0};
    int r = udev_record_tag_path(tag, id, path);
    if (r < 0)
        return refuse(why, -r, "%s cannot be a tag", tag);
    r = courier_place_open(world, path, true, &place, why);
    if (r < 0)
        return r;
    _cleanup_close_ int fd = open_beneath(courier_place_parent(&place), place.name,
                                          O_WRONLY | O_CREAT | O_EXCL, OUR_MODE);
    if (fd < 0 && errno != EEXIST) {
        int error = errno;
        courier_place_remove_made(&place, place.made);
        return refuse_file(path, error, "made", why);
    }
    *made |= made_directories(&place);
    return 0;
}

/* The tag's directory goes with the last device that has the tag. */
static void tag_remove(const struct courier_world *world, const char *tag, const char *id)
{
    char path[UDEV_RECORD_PATH_MAX];
    _cleanup_(courier_place_close) struct courier_place place = {0};
    if (udev_record_tag_path(tag, id, path) < 0 ||
        courier_place_open(world, path, false, &place, NULL) < 0)
        return;
    int parent_fd = courier_place_parent(&place);
    if (parent_fd >= 0 && owner_of(parent_fd, place.name) == OURS)
        (void)unlinkat(parent_fd, place.name, 0);
    courier_place_remove_made(&place, 1);
}

/* The tags of `text` that are not in `kept`. */
static void tags_remove(const struct courier_world *world, const char *text, const char *kept,
                        const char *id)
{
    char tag[TAG_MAX];
    while (next_tag(&text, tag))
        if (!has_tag(kept, tag))
            tag_remove(world, tag, id);
}

static int tags_make(const struct courier_world *world, const char *text, const char *id,
                     unsigned *made, struct refusal *why)
{
    char tag[TAG_MAX];
    int r = 0;
    while (r == 0 && next_tag(&text, tag))
        r = tag_make(world, tag, id, made, why);
    return r;
}

static int write_text(int fd, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t done = write(fd, text, left);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        text += done;
        left -= (size_t)done;
    }
    return 0;
}

/* Returns 0 or a negative errno. A name that somebody took since we looked stays theirs. */
static int put_record(const struct courier_place *place, const char *text, bool replace)
{
    int parent_fd = courier_place_parent(place);
    (void)unlinkat(parent_fd, FRESH_NAME, 0); /* a courier died over it */
    _cleanup_close_ int fd =
        open_beneath(parent_fd, FRESH_NAME, O_WRONLY | O_CREAT | O_EXCL, OUR_MODE);
    if (fd < 0)
        return -errno;
    int r = write_text(fd, text);
    if (r == 0 && syscall(SYS_renameat2, parent_fd, FRESH_NAME, parent_fd, place->name,
                          replace ? 0 : RENAME_NOREPLACE) < 0)
        r = -errno;
    if (r < 0)
        (void)unlinkat(parent_fd, FRESH_NAME, 0);
    return r;
}

static int replace_record(const struct courier_world *world, const struct courier_place *place,
                          const struct courier_request *request, unsigned *made,
                          struct refusal *why)
{
    char before[UDEV_RECORD_MAX];
    int parent_fd = courier_place_parent(place);
    enum owner owner = owner_of(parent_fd, place->name);
    if (owner == ANOTHER)
        return refuse(why, EEXIST, "the record /run/udev/data/%s inside is another's",
                      request->path);
    read_record(parent_fd, place->name, before);
    int r = tags_make(world, request->text, request->path, made, why);
    if (r == 0) {
        r = put_record(place, request->text, owner == OURS);
        if (r < 0)
            refuse(why, -r, "the record /run/udev/data/%s inside cannot be written: %s",
                   request->path, strerrordesc_np(-r));
    }
    if (r < 0) {
        tags_remove(world, request->text, before, request->path);
        return r;
    }
    tags_remove(world, before, request->text, request->path);
    return 0;
}

static int open_record(const struct courier_world *world, const struct courier_request *request,
                       bool make, struct courier_place *ret, struct refusal *why)
{
    char path[UDEV_RECORD_PATH_MAX];
    int r = udev_record_path(request->path, path);
    if (r < 0)
        return refuse(why, -r, "%s is no name of a record", request->path);
    return courier_place_open(world, path, make, ret, why);
}

int courier_record_write(const struct courier_world *world, const struct courier_request *request,
                         struct courier_reply *reply, struct refusal *why)
{
    _cleanup_(courier_place_close) struct courier_place place = {0};
    int r = open_record(world, request, true, &place, why);
    if (r < 0)
        return r;
    unsigned made = made_directories(&place);
    r = replace_record(world, &place, request, &made, why);
    if (r < 0) {
        (void)directories_remove(world, made);
        return r;
    }
    /* An init may have mounted its own /run since the marker was made. */
    (void)courier_marker_make(world, false, reply, NULL);
    reply->made_dirs |= made;
    return 0;
}

int courier_record_remove(const struct courier_world *world, const struct courier_request *request,
                          struct courier_reply *reply, struct refusal *why)
{
    char text[UDEV_RECORD_MAX];
    _cleanup_(courier_place_close) struct courier_place place = {0};
    int r = open_record(world, request, false, &place, why);
    if (r == -ELOOP || r == -ENOTDIR)
        return 0; /* the directory that held it was exchanged by the container */
    if (r < 0)
        return r;
    int parent_fd = courier_place_parent(&place);
    if (parent_fd >= 0 && owner_of(parent_fd, place.name) == OURS) {
        read_record(parent_fd, place.name, text);
        tags_remove(world, text, "", request->path);
        if (unlinkat(parent_fd, place.name, 0) < 0 && errno != ENOENT)
            return refuse(why, errno, "the record /run/udev/data/%s inside cannot be removed: %s",
                          request->path, strerrordesc_np(errno));
    }
    reply->made_dirs = directories_remove(world, request->made_dirs);
    return 0;
}

int courier_marker_make(const struct courier_world *world, bool first, struct courier_reply *reply,
                        struct refusal *why)
{
    _cleanup_(courier_place_close) struct courier_place place = {0};
    if (first)
        courier_records_sweep(world);
    int r = courier_place_open(world, MARKER, true, &place, why);
    if (r < 0)
        return r;
    int parent_fd = courier_place_parent(&place);
    _cleanup_close_ int fd =
        open_beneath(parent_fd, place.name, O_WRONLY | O_CREAT | O_EXCL, OUR_MODE);
    if (fd < 0 && errno != EEXIST) {
        int error = errno;
        courier_place_remove_made(&place, place.made);
        return refuse_file(MARKER, error, "made", why);
    }
    reply->made_dirs = made_directories(&place);
    if (fd < 0 && first && owner_of(parent_fd, place.name) == OURS)
        reply->made_dirs = COURIER_UDEV_ALL; /* as far as they are empty when it goes */
    return 0;
}

int courier_marker_remove(const struct courier_world *world, const struct courier_request *request,
                          struct courier_reply *reply, struct refusal *why)
{
    _cleanup_(courier_place_close) struct courier_place place = {0};
    int r = courier_place_open(world, MARKER, false, &place, why);
    if (r == -ELOOP || r == -ENOTDIR)
        return 0;
    if (r < 0)
        return r;
    int parent_fd = courier_place_parent(&place);
    if (parent_fd >= 0 && owner_of(parent_fd, place.name) == OURS &&
        unlinkat(parent_fd, place.name, 0) < 0 && errno != ENOENT)
        return refuse_file(MARKER, errno, "removed", why);
    reply->made_dirs = directories_remove(world, request->made_dirs);
    return 0;
}
