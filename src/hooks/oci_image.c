/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/oci_image.h"

/*
 * Who the runtime's caller is cannot be asked of an annotation: an image may set those by which
 * podman and CRI-O mark their containers. The bundle tells it. podman's is
 * GRAPHROOT/DRIVER-containers/ID/userdata; in DRIVER-containers there are lists that name each
 * container's image, whose manifests lie in GRAPHROOT/DRIVER-images/IMAGE: "manifest" is the one in
 * use, others have names that begin with '='. An annotation that any of them has counts as the
 * image's. CRI-O's bundle has the same form below another directory, without lists.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/text.h"
#include "hooks/json_file.h"
#include "model/varlink_message.h"

#define LIST_MAX (16u << 20) /* bytes */
#define MANIFEST_MAX (4u << 20)

static const char *const lists[] = {"containers.json", "volatile-containers.json"};
static const char *const marks[] = {"containers.lock", "containers.json",
                                    "volatile-containers.json"};

/* The directory that the lists are in, of "GRAPHROOT/DRIVER-containers/ID/userdata"; or false. */
static bool containers_directory(const struct oci_state *state, char ret[PATH_MAX])
{
    char tail[PATH_MAX];
    int length = snprintf(tail, sizeof(tail), "-containers/%s/userdata", state->id);
    size_t size = strlen(state->bundle);
    if (length <= 0 || size <= (size_t)length || size >= PATH_MAX ||
        !streq(state->bundle + size - (size_t)length, tail))
        return false;
    size_t kept = size - (size_t)length + strlen("-containers");
    memcpy(ret, state->bundle, kept);
    ret[kept] = '\0';
    return true;
}

static bool exists_in(const char *directory, const char *name)
{
    char path[PATH_MAX];
    return snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path) &&
           access(path, F_OK) == 0;
}

static bool is_graph_root(const char *directory)
{
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (exists_in(directory, marks[i]))
            return true;
    return false;
}

/* The image of the container in one of the lists, copied, or NULL. */
static char *image_in(const json_t *list, const char *id)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        const char *its = json_string_value(json_object_get(entry, "id"));
        const char *image = json_string_value(json_object_get(entry, "image"));
        if (its && streq(its, id))
            return strdup(image ? image : "");
    }
    return NULL;
}

/* *ret is "" for a container without an image. */
static int find_image(const char *directory, const char *id, char **ret, struct refusal *why)
{
    _cleanup_close_ int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(lists); i++) {
        _cleanup_json_ json_t *list = NULL;
        int r = json_file_load(fd, lists[i], LIST_MAX, &list, why);
        if (r < 0 && r != -ENOENT)
            return r;
        char *image = r < 0 ? NULL : image_in(list, id);
        if (image) {
            *ret = image;
            return 0;
        }
    }
    return refuse(why, ENOENT, "%s does not list the container", directory);
}

/* Adds what one of the image's files annotates. What is no manifest has none. */
static void add_annotations(int image_fd, const char *file, json_t *annotations,
                            struct refusal *why)
{
    _cleanup_json_ json_t *manifest = NULL;
    if (json_file_load(image_fd, file, MANIFEST_MAX, &manifest, why) < 0)
        return;
    (void)json_object_update(annotations, json_object_get(manifest, "annotations"));
}

/* Whether the manifest in use could be read: without it nothing is known. */
static int check_manifest(int image_fd, struct refusal *why)
{
    _cleanup_json_ json_t *manifest = NULL;
    return json_file_load(image_fd, "manifest", MANIFEST_MAX, &manifest, why);
}

static int read_manifests(const char *path, json_t *annotations, struct refusal *why)
{
    struct refusal ignored;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        int error = errno;
        (void)fd_close(fd);
        return refuse(why, error, "cannot read %s: %s", path, strerror(error));
    }
    int r = check_manifest(fd, why);
    for (struct dirent *entry; r == 0 && (entry = readdir(stream));)
        if (*entry->d_name == '=' || after_prefix(entry->d_name, "manifest"))
            add_annotations(fd, entry->d_name, annotations, &ignored);
    closedir(stream);
    return r;
}

/* `directory` is GRAPHROOT/DRIVER-containers. */
static int read_image(const struct oci_state *state, const char *directory, json_t *annotations,
                      struct refusal *why)
{
    char path[PATH_MAX];
    _cleanup_free_ char *image = NULL;
    int r = find_image(directory, state->id, &image, why);
    if (r < 0 || !*image)
        return r;
    if (strchr(image, '/') || *image == '.')
        return refuse(why, EBADMSG, "'%s' is no image", image);
    int kept = (int)(strlen(directory) - strlen("containers"));
    if (snprintf(path, sizeof(path), "%.*simages/%s", kept, directory, image) >= (int)sizeof(path))
        return refuse(why, ENAMETOOLONG, "%s is too long a path", state->bundle);
    return read_manifests(path, annotations, why);
}

static int read_annotations(const struct oci_state *state, json_t *annotations, struct refusal *why)
{
    char directory[PATH_MAX];
    /* crun 1.8 says "/" for a container with a user namespace and a device. */
    if (!exists_in(state->bundle, "config.json"))
        return refuse(why, ENOENT, "there is no bundle at %s, where the runtime says it is",
                      state->bundle);
    if (!containers_directory(state, directory) || !is_graph_root(directory))
        return 0;
    return read_image(state, directory, annotations, why);
}

json_t *oci_image_annotations(const struct oci_state *state, struct refusal *why)
{
    json_t *annotations = json_object();
    if (!annotations)
        refuse(why, ENOMEM, "no memory");
    else if (read_annotations(state, annotations, why) == 0)
        return annotations;
    json_decref(annotations);
    return NULL;
}
