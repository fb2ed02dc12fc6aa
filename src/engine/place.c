/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"

struct made_path *made_path_find(struct made_path *list, const char *path)
{
    while (list && !streq(list->path, path))
        list = list->next;
    return list;
}

int made_path_add(struct made_path **list, const char *path)
{
    if (made_path_find(*list, path))
        return 0;
    struct made_path *made = calloc(1, sizeof(*made));
    if (made)
        made->path = strdup(path);
    if (!made || !made->path) {
        free(made);
        return -ENOMEM;
    }
    made->next = *list;
    *list = made;
    return 0;
}

void made_path_remove(struct made_path **list, const char *path)
{
    for (struct made_path **at = list; *at; at = &(*at)->next)
        if (streq((*at)->path, path)) {
            struct made_path *made = *at;
            *at = made->next;
            free(made->path);
            free(made);
            return;
        }
}

/* The next directory above, below /dev; `path` is cut there. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return false;
    *slash = '\0';
    return true;
}

void place_enter_directories(struct door_place *place, const char *path, unsigned made)
{
    char above[GRANT_PATH_MAX];
    snprintf(above, sizeof(above), "%s", path);
    for (; go_up(above); made -= made > 0) {
        if (made > 0)
            (void)made_path_add(&place->directories, above); /* without memory it merely stays */
        struct made_path *directory = made_path_find(place->directories, above);
        if (directory)
            directory->users++;
    }
}

void place_leave_directories(struct door_place *place, const char *path)
{
    char above[GRANT_PATH_MAX];
    snprintf(above, sizeof(above), "%s", path);
    while (go_up(above)) {
        struct made_path *directory = made_path_find(place->directories, above);
        if (directory && directory->users-- <= 1)
            made_path_remove(&place->directories, above);
    }
}

unsigned place_count_directories(struct door_place *place, const char *path)
{
    char above[GRANT_PATH_MAX];
    unsigned made = 0;
    snprintf(above, sizeof(above), "%s", path);
    while (go_up(above) && made_path_find(place->directories, above))
        made++;
    return made;
}

/* Field 22 of /proc/PID/stat, proc(5): with the pid it names one process of this boot. */
static uint64_t start_time(pid_t pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (file_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
        return 0;
    char *at = strrchr(text, ')'); /* the name before it may hold anything */
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

static int on_pidfd(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct door_place *place = userdata;
    (void)fd;
    (void)events;
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    place->on_death(place->on_death_userdata);
    return 0;
}

/* The record of a place, or of the first of all (NULL), that tells of a device. */
static struct teller **find_teller(struct shared_injector *shared, uint64_t inode,
                                   const struct door_place *place)
{
    struct teller **at = &shared->tellers;
    while (*at && ((*at)->inode != inode || (place && (*at)->place != place)))
        at = &(*at)->next;
    return at;
}

/* Puts the message in the place's record, or in a new one at the end. */
static int note_teller(struct door_place *place, uint64_t inode, const char *message, size_t size)
{
    struct teller **at = find_teller(place->injector, inode, place);
    struct teller *teller = realloc(*at, sizeof(*teller) + size);
    if (!teller)
        return -ENOMEM;
    if (!*at)
        *teller = (struct teller){.place = place, .inode = inode};
    teller->size = size;
    memcpy(teller->message, message, size);
    *at = teller;
    return 0;
}

static void forget_teller(struct teller **at)
{
    struct teller *teller = *at;
    if (!teller)
        return;
    *at = teller->next;
    free(teller);
}

int place_tell(struct door_place *place, uint64_t inode, const struct uevent *event,
               struct refusal *why)
{
    char message[UEVENT_INJECT_MAX];
    struct shared_injector *shared = place->injector;
    bool removal = event->action == UEVENT_REMOVE;
    int size = uevent_serialise(event, message, sizeof(message), NULL);
    if (size < 0)
        return refuse(why, E2BIG, "the event is too large to inject");
    if (!shared)
        return 0;
    bool fresh = !*find_teller(shared, inode, place);
    if (removal)
        forget_teller(find_teller(shared, inode, place));
    else if (note_teller(place, inode, message, (size_t)size) < 0)
        return refuse(why, ENOMEM, "no memory to tell of the device");

    const struct teller *first = *find_teller(shared, inode, NULL);
    if (first && (removal || first->place != place))
        return 0;
    int r = uevent_injector_send(shared->injector, message, (size_t)size, why);
    if (r < 0 && fresh && !removal)
        forget_teller(find_teller(shared, inode, place));
    return r;
}

/* The place ends without a `remove`, but there are others in its namespace that heard of it. */
static void tell_removal(struct shared_injector *shared, const struct teller *teller)
{
    char message[UEVENT_INJECT_MAX];
    struct uevent event;
    if (uevent_parse(&event, teller->message, teller->size, NULL) < 0)
        return;
    uevent_unset(&event, "DEVPATH_OLD");
    (void)uevent_set(&event, "ACTION", uevent_action_name(UEVENT_REMOVE));
    int size = uevent_serialise(&event, message, sizeof(message), NULL);
    if (size > 0)
        (void)uevent_injector_send(shared->injector, message, (size_t)size, NULL);
}

static void forget_tellers(struct shared_injector *shared, const struct door_place *place)
{
    for (struct teller **at = &shared->tellers; *at;) {
        struct teller *teller = *at;
        if (teller->place != place) {
            at = &teller->next;
            continue;
        }
        *at = teller->next;
        if (shared->users > 1 && !*find_teller(shared, teller->inode, NULL))
            tell_removal(shared, teller);
        free(teller);
    }
}

static int open_injector(struct kernel_door *door, const struct namespaces *ns, uint32_t uid,
                         uint32_t gid, struct shared_injector **ret, struct refusal *why)
{
    struct uevent_injector *injector = NULL;
    struct shared_injector *shared = calloc(1, sizeof(*shared));
    int r = shared ? uevent_injector_open(ns->net_fd, uid, gid, &injector, why)
                   : refuse(why, ENOMEM, "no memory for an injector");
    if (r < 0) {
        free(shared);
        return r;
    }
    *shared = (struct shared_injector){.next = door->injectors,
                                       .net_inode = ns->net_inode,
                                       .uid = uid,
                                       .gid = gid,
                                       .injector = injector};
    door->injectors = shared;
    *ret = shared;
    return 0;
}

static int share_injector(struct door_place *place, struct refusal *why)
{
    const struct namespaces *ns = &place->namespaces;
    struct shared_injector *shared = place->door->injectors;
    uint32_t uid, gid;

    if (idmap_to_host(&ns->uids, 0, &uid) <= 0 || idmap_to_host(&ns->gids, 0, &gid) <= 0)
        return refuse(why, EOVERFLOW,
                      "the container's user namespace does not map root: its programs would "
                      "take no event from us");
    while (shared && shared->net_inode != ns->net_inode)
        shared = shared->next;
    if (shared && (shared->uid != uid || shared->gid != gid))
        return refuse(why, EBUSY,
                      "another container in its network namespace has root %u:%u of the host, this "
                      "one %u:%u: one of them would take no event from us",
                      shared->uid, shared->gid, uid, gid);
    int r = shared ? 0 : open_injector(place->door, ns, uid, gid, &shared, why);
    if (r < 0)
        return r;
    shared->users++;
    place->injector = shared;
    return 0;
}

static void release_injector(struct door_place *place)
{
    struct shared_injector *shared = TAKE_PTR(place->injector);
    if (!shared)
        return;
    forget_tellers(shared, place);
    if (--shared->users > 0)
        return;
    for (struct shared_injector **at = &place->door->injectors; *at; at = &(*at)->next)
        if (*at == shared) {
            *at = shared->next;
            break;
        }
    uevent_injector_close(shared->injector);
    free(shared);
}

void place_close(void *userdata, struct door_place *place)
{
    (void)userdata;
    if (!place)
        return;
    sd_event_source_disable_unref(place->death);
    errands_free(place->errands);
    while (place->directories)
        made_path_remove(&place->directories, place->directories->path);
    cgroup_device_close(place->gates);
    release_injector(place);
    namespaces_close(&place->namespaces);
    free(place);
}

int place_admit(void *userdata, struct door_place *place, const char *name, struct refusal *why)
{
    struct kernel_door *door = userdata;
    int r = cgroup_device_open(name, &place->namespaces, door->bpf, &place->gates, why);
    if (r == 0 && place->namespaces.net_kind == NETNS_ISOLATED)
        r = share_injector(place, why);
    if (r < 0)
        return r;
    place->errands = errands_new(door->event, &place->namespaces);
    return place->errands ? 0 : refuse(why, ENOMEM, "no memory for a courier");
}

int place_alive(void *userdata, const struct door_place *place)
{
    (void)userdata;
    return namespaces_alive(&place->namespaces);
}

int place_open(void *userdata, pid_t pid, const char *root, void (*on_death)(void *),
               void *on_death_userdata, struct door_place **ret, struct place_facts *ret_facts,
               struct refusal *why)
{
    struct kernel_door *door = userdata;
    struct door_place *place = calloc(1, sizeof(*place));
    if (!place)
        return refuse(why, ENOMEM, "no memory for another container");
    *place = (struct door_place){.door = door,
                                 .namespaces = NAMESPACES_EMPTY,
                                 .on_death = on_death,
                                 .on_death_userdata = on_death_userdata};
    int r = namespaces_open(pid, root, &place->namespaces, why);
    uint64_t process_key = r < 0 ? 0 : start_time(pid);
    if (r == 0 && !namespaces_alive(&place->namespaces))
        r = refuse(why, ESRCH, "process %d died while it was looked at", (int)pid);
    if (r == 0 && sd_event_add_io(door->event, &place->death, place->namespaces.pid_fd, EPOLLIN,
                                  on_pidfd, place) < 0)
        r = refuse(why, ENOMEM, "cannot watch process %d", (int)pid);
    if (r < 0) {
        place_close(userdata, place);
        return r;
    }
    *ret_facts = (struct place_facts){.netns = place->namespaces.net_kind,
                                      .uids = &place->namespaces.uids,
                                      .gids = &place->namespaces.gids,
                                      .process_key = process_key};
    *ret = place;
    return 0;
}

const char *place_describe_access(void *userdata, const struct door_place *place, char *out,
                                  size_t size)
{
    (void)userdata;
    return cgroup_device_describe(place->gates, out, size);
}

int place_repair(void *userdata, struct door_place *place, struct refusal *why)
{
    (void)userdata;
    return place->gates ? cgroup_device_repair(place->gates, why) : 0;
}
