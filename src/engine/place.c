/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

bool made_path_has(const struct made_path *list, const char *path)
{
    while (list && !streq(list->path, path))
        list = list->next;
    return list != NULL;
}

int made_path_add(struct made_path **list, const char *path)
{
    if (made_path_has(*list, path))
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

/* Field 22 of /proc/PID/stat, proc(5): with the pid it names one process of this boot. */
static uint64_t start_time(pid_t pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (size <= 0)
        return 0;
    text[size] = '\0';
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

static int share_injector(struct door_place *place, struct refusal *why)
{
    struct kernel_door *door = place->door;
    struct namespaces *ns = &place->namespaces;
    uint32_t uid, gid;

    for (struct shared_injector *i = door->injectors; i; i = i->next)
        if (i->net_inode == ns->net_inode) {
            i->users++;
            place->injector = i;
            return 0;
        }
    if (idmap_to_host(&ns->uids, 0, &uid) <= 0 || idmap_to_host(&ns->gids, 0, &gid) <= 0)
        return refuse(why, EOVERFLOW,
                      "the container's user namespace does not map root: its programs would "
                      "take no event from us");

    struct shared_injector *injector = calloc(1, sizeof(*injector));
    if (!injector)
        return refuse(why, ENOMEM, "no memory for an injector");
    int r = uevent_injector_open(ns->net_fd, uid, gid, &injector->injector, why);
    if (r < 0) {
        free(injector);
        return r;
    }
    *injector = (struct shared_injector){.next = door->injectors,
                                         .net_inode = ns->net_inode,
                                         .users = 1,
                                         .injector = injector->injector};
    door->injectors = injector;
    place->injector = injector;
    return 0;
}

static void release_injector(struct door_place *place)
{
    struct shared_injector *injector = TAKE_PTR(place->injector);
    if (!injector || --injector->users > 0)
        return;
    for (struct shared_injector **at = &place->door->injectors; *at; at = &(*at)->next)
        if (*at == injector) {
            *at = injector->next;
            break;
        }
    uevent_injector_close(injector->injector);
    free(injector);
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
