/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the kernel door holds of one container, and of one grant in it. */

#include <systemd/sd-event.h>

#include "engine/door.h"
#include "engine/errand.h"
#include "engine/moved_interface.h"
#include "engine/teller.h"
#include "kernel/cgroup_device.h"
#include "kernel/node_store.h"
#include "kernel/process.h"

struct kernel_door {
    struct door interface;
    sd_event *event;
    struct node_store *store;
    int notes_fd;                       /* directory of all places' notes */
    char boot_id[PROCESS_BOOT_ID_SIZE]; /* "": not known */
    struct injectors injectors;
    char *bpf;                  /* directory, or NULL where there is no bpffs */
    uint64_t couriers_until_us; /* CLOCK_MONOTONIC: a predecessor's have ended by then, or hang */
};

/* A path that was made inside: a symbolic link of an item, a directory of a place. */
struct made_path {
    struct made_path *next;
    char *path;
    unsigned users; /* a directory: how many things of ours are below it */
    bool counted;   /* a link: among the users of its directories */
};

struct door_item {
    struct door_place *place;
    uint64_t id;       /* of its note, and of its node in the store */
    json_t *note;      /* the engine's; NULL: nothing was noted */
    struct node *node; /* NULL: not made */
    int lock_fd;       /* on the device's `dev` attribute, or -1 */
    bool attached;     /* or perhaps: its courier never answered */
    bool counted;      /* its node is among the users of its directories */
    bool placeholder;  /* what lies below the mount was made by us */
    uint64_t mount;    /* that its directory inside is on, or 0 */
    struct made_path *links;
    struct moved_interface *interface; /* NULL: not moved */
    json_t *home;                      /* how that is at home, or was when it was moved; or NULL */
    void (*on_lost)(void *);
    void *on_lost_userdata;
};

struct place_look; /* place_look.c */

struct door_place {
    struct kernel_door *door;
    char *name;
    char *root;          /* as it was registered with; NULL: the process' own */
    int notes_fd;        /* directory of this place's notes, or -1 */
    json_t *note;        /* the engine's */
    bool changed;        /* since it was noted */
    uint64_t start_time; /* of its process */
    bool resumed;        /* the notes are a predecessor's of the same container */
    struct namespaces namespaces;
    struct cgroup_device *gates;
    struct shared_injector *injector; /* NULL in the host's netns */
    struct errands *errands;
    pid_t courier; /* that was sent last, perhaps by a predecessor; 0: none */
    uint64_t courier_start_time;
    struct made_path *directories; /* below /dev; each goes with the last thing in it */
    unsigned udev_directories;     /* made by us: of enum courier_udev_directory */
    bool swept;                    /* what a predecessor of ours left of udev's is gone */
    bool has_usb;                  /* PLACE_MARK_USB is among the users of its directories */
    int has_udevd;                 /* what the kernel said last, */
    uint64_t udevd_fresh_us;       /* which holds until then: CLOCK_MONOTONIC */
    sd_event_source *death;
    void (*on_death)(void *);
    void *on_death_userdata;

    /* the look that is under way */
    struct errands *scouts; /* NULL until the first look */
    struct place_look *look;

    /* the step that is pending */
    struct door_item *item;
    enum step_kind kind;
    enum place_mark mark;
    char path[GRANT_PATH_MAX];
    door_done_fn done;
    void *done_userdata;
};

/* Lists of paths that were made. made_path_find(): NULL where it is not there, which
 * made_path_remove() accepts; made_path_add(): 0 or -ENOMEM. */
struct made_path *made_path_find(struct made_path *list, const char *path);
int made_path_add(struct made_path **list, const char *path);
void made_path_remove(struct made_path **list, const char *path);

/*
 * Directories belong to the place, not to the thing they were made for: what was made for the first
 * of two neighbours goes with the last.
 *
 * A thing was made at `path`, and the `made` nearest directories above it for it.
 */
void place_enter_directories(struct door_place *place, const char *path, unsigned made);
/* It has gone again; so have directories of ours that nothing else of ours is in. */
void place_leave_directories(struct door_place *place, const char *path);
/*
 * How many of the directories above `path`, from the nearest on, are to go with the thing there:
 * they were made by us, and nothing else of ours is in them. `counted`: the thing is one of their
 * users.
 */
unsigned place_count_directories(const struct door_place *place, const char *path, bool counted);

/*
 * Tells the programs in the place's network namespace of a device; nothing where the kernel does
 * it. Returns 0, or a negative errno and the reason.
 */
int place_tell(struct door_place *place, uint64_t inode, const struct uevent *event,
               struct refusal *why);

/* The same with udev's word. Returns as above. */
int place_tell_udev(struct door_place *place, uint64_t inode, const struct udev_word *word,
                    struct refusal *why);

/* The door's functions of the same names. */
int place_look_at_readers(void *userdata, struct door_place *place, enum step_kind kind);
void place_resume_told(void *userdata, struct door_place *place, uint64_t inode,
                       const char *message, size_t size, bool udev);
bool place_is_behind(void *userdata, const struct door_place *place);
int place_catch_up(void *userdata, struct door_place *place, uint64_t *told);

/* What a reply with an error says, or that none came (NULL). */
void place_refused(const struct courier_reply *reply, struct step_result *result);

/* In place_udev.c: the request of STEP_RECORD_*, and what its answer says of the directories. */
void place_ask_record(const struct door_place *place, const struct step *step,
                      struct courier_request *request);
void place_note_record(struct door_place *place, enum step_kind kind,
                       const struct courier_reply *reply);

/* The door's functions of the same names. */
int place_has_udevd(void *userdata, struct door_place *place);
int place_mark(void *userdata, struct door_place *place, enum place_mark mark, bool present,
               door_done_fn done, void *done_userdata, struct step_result *result);
int place_look(void *userdata, struct door_place *place, const struct look *look, door_look_fn done,
               void *done_userdata, struct refusal *why);
void place_look_free(struct place_look *look);
int place_open(void *userdata, pid_t pid, const char *root, void (*on_death)(void *),
               void *on_death_userdata, struct door_place **ret, struct place_facts *ret_facts,
               struct refusal *why);
int place_admit(void *userdata, struct door_place *place, const char *name, const json_t *saved,
                struct refusal *why);
void place_prune(void *userdata, struct door_place *place);
void place_leave(void *userdata, struct door_place *place);

/* In place_mark.c: a predecessor made PLACE_MARK_USB. */
void place_resume_usb(struct door_place *place);

/* In item.c: the door's functions of the same names, */
struct door_item *item_new(void *userdata, struct door_place *place, void (*on_lost)(void *),
                           void *on_lost_userdata);
int item_resume(void *userdata, struct door_place *place, uint64_t id, const json_t *saved,
                const struct grant *grant, int ifindex, bool certain, void (*on_lost)(void *),
                void *on_lost_userdata, struct door_item **ret);
void item_leave(void *userdata, struct door_item *item);
void item_free(void *userdata, struct door_item *item);
/*
 * and STEP_NODE_MAKE. The number is taken for this incarnation and no other: the descriptor is
 * opened before the node is made and asked afterwards. Returns 0, or a negative errno and the
 * reason.
 */
int item_make_node(struct door_item *item, const struct grant *grant, const struct step_ids *ids,
                   struct refusal *why);

/* In place_note.c: what is noted of places and items, for a successor. */
int place_note(void *userdata, struct door_place *place, json_t *note_take, struct refusal *why);
int item_note(void *userdata, struct door_place *place, struct door_item *item, json_t *note_take,
              struct refusal *why);
/* Notes the place anew, where anything has changed; without memory or room it is as before. */
void place_note_changes(struct door_place *place);
/* A courier was hired: before it can hang, a successor would know it. `userdata` is the place. */
void place_note_courier(void *userdata, pid_t pid);
void item_drop(void *userdata, struct door_place *place, uint64_t id);
/* The same for an item. Returns 0, or a negative errno and the reason. */
int item_note_changes(struct door_item *item, struct refusal *why);
/* Takes over what is made in a place, and of an item. Return 0, -EBADMSG or -ENOMEM. */
int place_load(struct door_place *place, const json_t *saved);
int item_load(struct door_item *item, const json_t *saved);
/* The notes go. */
void place_forget(struct door_place *place);
void item_forget(struct door_item *item);
int place_alive(void *userdata, const struct door_place *place);
void place_close(void *userdata, struct door_place *place);
const char *place_describe_access(void *userdata, const struct door_place *place, char *out,
                                  size_t size);
int place_repair(void *userdata, struct door_place *place, struct refusal *why);
