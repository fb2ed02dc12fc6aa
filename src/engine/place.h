/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the kernel door holds of one container, and of one grant in it. */

#include <systemd/sd-event.h>

#include "engine/door.h"
#include "engine/errand.h"
#include "kernel/cgroup_device.h"
#include "kernel/node_store.h"
#include "kernel/uevent_injector.h"

/* One injector per network namespace, shared by the places in it. */
struct shared_injector {
    struct shared_injector *next;
    uint64_t net_inode;
    unsigned users;
    struct uevent_injector *injector;
};

struct kernel_door {
    struct door interface;
    sd_event *event;
    struct node_store *store;
    struct shared_injector *injectors;
    char *bpf; /* directory, or NULL where there is no bpffs */
};

/* A path that was made inside: a symbolic link of an item, a directory of a place. */
struct made_path {
    struct made_path *next;
    char *path;
};

struct door_item {
    struct node *node; /* NULL: not made */
    int lock_fd;       /* on the device's `dev` attribute, or -1 */
    bool attached;     /* or perhaps: its courier never answered */
    bool placeholder;  /* what lies below the mount was made by us */
    struct made_path *links;
};

struct door_place {
    struct kernel_door *door;
    struct namespaces namespaces;
    struct cgroup_device *gates;
    struct shared_injector *injector; /* NULL unless the netns is isolated */
    struct errands *errands;
    struct made_path *directories; /* below /dev; each goes with the last thing in it */
    sd_event_source *death;
    void (*on_death)(void *);
    void *on_death_userdata;

    /* the step that is pending */
    struct door_item *item;
    enum step_kind kind;
    char path[GRANT_PATH_MAX];
    door_done_fn done;
    void *done_userdata;
};

/* Lists of paths that were made. made_path_add(): 0 or -ENOMEM; the others accept what is not
 * there. */
bool made_path_has(const struct made_path *list, const char *path);
int made_path_add(struct made_path **list, const char *path);
void made_path_remove(struct made_path **list, const char *path);

/* The door's functions of the same names. */
int place_open(void *userdata, pid_t pid, const char *root, void (*on_death)(void *),
               void *on_death_userdata, struct door_place **ret, struct place_facts *ret_facts,
               struct refusal *why);
int place_admit(void *userdata, struct door_place *place, const char *name, struct refusal *why);
int place_alive(void *userdata, const struct door_place *place);
void place_close(void *userdata, struct door_place *place);
const char *place_describe_access(void *userdata, const struct door_place *place, char *out,
                                  size_t size);
int place_repair(void *userdata, struct door_place *place, struct refusal *why);
