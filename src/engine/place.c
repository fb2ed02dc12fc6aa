/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/place.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"

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
        place->changed |= made > 0;
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
        if (directory && directory->users-- <= 1) {
            made_path_remove(&place->directories, above);
            place->changed = true;
        }
    }
}

unsigned place_count_directories(const struct door_place *place, const char *path, bool counted)
{
    char above[GRANT_PATH_MAX];
    unsigned made = 0;
    snprintf(above, sizeof(above), "%s", path);
    while (go_up(above)) {
        struct made_path *directory = made_path_find(place->directories, above);
        if (!directory || directory->users > counted)
            break;
        made++;
    }
    return made;
}

void place_refused(const struct courier_reply *reply, struct step_result *result)
{
    result->stalled = !reply;
    if (reply)
        refuse(&result->why, -reply->error, "%.*s", (int)sizeof(reply->text) - 1, reply->text);
    else
        refuse(&result->why, ETIMEDOUT,
               "the container did not answer within %u ms: its file system hangs",
               ERRAND_DEADLINE_US / 1000);
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

int place_tell(struct door_place *place, uint64_t inode, const struct uevent *event,
               struct refusal *why)
{
    if (place->namespaces.net_kind != NETNS_ISOLATED)
        return 0;
    return injector_tell(place->injector, place, inode, event, why);
}

void place_resume_told(void *userdata, struct door_place *place, uint64_t inode,
                       const char *message, size_t size, bool udev)
{
    struct shared_injector *injector = place->injector;
    (void)userdata;
    if (injector && message && place->namespaces.net_kind == NETNS_ISOLATED)
        injector_resume(injector, CHANNEL_KERNEL, place, inode, message, size);
    if (injector && udev)
        injector_resume(injector, CHANNEL_UDEV, place, inode, NULL, 0);
}

int place_look_at_readers(void *userdata, struct door_place *place, enum step_kind kind)
{
    (void)userdata;
    enum channel channel = kind == STEP_UDEV_EVENT ? CHANNEL_UDEV : CHANNEL_KERNEL;
    return place->injector ? injector_look(place->injector, channel) : 0;
}

bool place_is_behind(void *userdata, const struct door_place *place)
{
    (void)userdata;
    return place->injector && injector_is_behind(place->injector);
}

int place_catch_up(void *userdata, struct door_place *place, uint64_t *told)
{
    (void)userdata;
    return !place->injector || injector_catch_up(place->injector, told);
}

/* What is ours alone; the rest of it is in the kernel. */
static void release(struct door_place *place, bool ended)
{
    sd_event_source_disable_unref(place->death);
    errands_free(place->errands);
    errands_free(place->scouts);
    place_look_free(place->look);
    while (place->directories)
        made_path_remove(&place->directories, place->directories->path);
    injector_release(&place->door->injectors, TAKE_PTR(place->injector), place, ended);
    namespaces_close(&place->namespaces);
    json_decref(place->note);
    fd_close(place->notes_fd);
    free(place->root);
    free(place->name);
    free(place);
}

void place_close(void *userdata, struct door_place *place)
{
    (void)userdata;
    if (!place)
        return;
    cgroup_device_close(TAKE_PTR(place->gates));
    place_forget(place);
    release(place, true);
}

void place_leave(void *userdata, struct door_place *place)
{
    (void)userdata;
    if (!place)
        return;
    cgroup_device_leave(TAKE_PTR(place->gates));
    release(place, false);
}

static void on_gates_change(void *userdata)
{
    struct door_place *place = userdata;
    place->changed = true;
    place_note_changes(place);
}

void place_prune(void *userdata, struct door_place *place)
{
    (void)userdata;
    int r = cgroup_device_prune(place->gates);
    if (r < 0)
        log_about(LOG_ERR, place->name, NULL,
                  "what a predecessor allowed in the device cgroup cannot be denied: %s",
                  strerror(-r));
}

/* What is damaged of it is left out: directories that stay behind. */
static int resume(struct door_place *place, const json_t *saved)
{
    return saved && place_load(place, saved) == -ENOMEM ? -ENOMEM : 0;
}

int place_admit(void *userdata, struct door_place *place, const char *name, const json_t *saved,
                struct refusal *why)
{
    struct kernel_door *door = userdata;
    const struct namespaces *namespaces = &place->namespaces;
    place->name = strdup(name);
    place->resumed = saved != NULL;
    if (!place->name || resume(place, saved) < 0)
        return refuse(why, ENOMEM, "no memory for another container");
    int r = cgroup_device_open(name, namespaces, door->bpf,
                               saved ? json_object_get(saved, "gates") : NULL, &place->gates, why);
    if (r == 0)
        cgroup_device_watch(place->gates, on_gates_change, place);
    if (r == 0 && namespaces->net_kind == NETNS_ISOLATED)
        r = injector_share(&door->injectors, namespaces, &place->injector, why);
    if (r < 0)
        return r;
    /* It hears the kernel without us; only udev's word would be missing. */
    if (namespaces->net_kind == NETNS_NATIVE)
        (void)injector_share(&door->injectors, namespaces, &place->injector, NULL);
    place->errands = errands_new(door->event, &place->namespaces, place_note_courier, place);
    if (!place->errands)
        return refuse(why, ENOMEM, "no memory for a courier");
    errands_inherit(place->errands, process_open(place->courier, place->courier_start_time),
                    door->couriers_until_us);
    return 0;
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
                                 .notes_fd = -1,
                                 .namespaces = NAMESPACES_EMPTY,
                                 .on_death = on_death,
                                 .on_death_userdata = on_death_userdata};
    int r = namespaces_open(pid, root, &place->namespaces, why);
    if (r == 0 && root && !(place->root = strdup(root)))
        r = refuse(why, ENOMEM, "no memory for another container");
    place->start_time = r < 0 ? 0 : process_start_time(pid);
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
                                      .tells_udev = place->namespaces.net_kind != NETNS_HOST,
                                      .process_key = place->start_time};
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
