/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "recording_door.h"

struct door_item {
    struct door_item *next;
    uint64_t id;
    json_t *note;
    bool made, revoked, attached, allowed, recorded;
    char links[8][128];
    bool moved, lost; /* an interface */
    void (*on_lost)(void *);
    void *on_lost_userdata;
};

struct door_place {
    struct door_place *next;
    char name[64];
    pid_t pid;
    bool alive, admitted;
    bool resumed, pruned, left; /* left: its predecessor is gone, its successor not there yet */
    json_t *note;
    void (*on_death)(void *);
    void *on_death_userdata;
    struct idmap map;
    struct door_item *items;
    door_done_fn done; /* of the step that pends */
    void *done_userdata;
    struct door_item *item; /* NULL: a mark's */
    struct step step;
    bool marked[PLACE_MARK_COUNT], marking;
    enum place_mark mark;   /* that is being made or removed */
    door_look_fn look_done; /* of the look that pends */
    void *look_userdata;
    enum look_kind look;
};

struct recording_timer {
    struct recording_timer *next;
    uint64_t delay_us;
    void (*fn)(void *);
    void *userdata;
};

static struct door_place *add_place(struct recording_door *door)
{
    struct door_place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    place->next = door->places;
    door->places = place;
    return place;
}

/* What a predecessor left of the process. */
static struct door_place *find_left(const struct recording_door *door, pid_t pid)
{
    struct door_place *place = door->places;
    while (place && !(place->left && place->pid == pid))
        place = place->next;
    return place;
}

static int place_open(void *userdata, pid_t pid, const char *root, void (*on_death)(void *),
                      void *on_death_userdata, struct door_place **ret,
                      struct place_facts *ret_facts, struct refusal *why)
{
    struct recording_door *door = userdata;
    (void)root;
    if (pid == 404)
        return refuse(why, ESRCH, "there is no process %d", (int)pid);
    struct door_place *place = find_left(door, pid);
    if (place)
        idmap_done(&place->map);
    else
        place = add_place(door);
    place->pid = pid;
    place->alive = true;
    place->on_death = on_death;
    place->on_death_userdata = on_death_userdata;
    assert_int_equal(
        door->map ? idmap_parse(&place->map, door->map, NULL) : idmap_identity(&place->map), 0);
    *ret_facts = (struct place_facts){.netns = door->netns,
                                      .tells_udev = door->tells_udev,
                                      .uids = &place->map,
                                      .gids = &place->map,
                                      .process_key = (uint64_t)pid};
    *ret = place;
    return 0;
}

static int place_admit(void *userdata, struct door_place *place, const char *name,
                       const json_t *saved, struct refusal *why)
{
    struct recording_door *door = userdata;
    assert_int_equal(place->left, saved != NULL);
    place->left = false;
    place->resumed = saved != NULL;
    for (const struct door_place *p = door->places; p; p = p->next)
        assert_false(p != place && p->admitted && p->pid == place->pid);
    if (door->admit_error)
        return refuse(why, door->admit_error, "not admitted");
    snprintf(place->name, sizeof(place->name), "%s", name);
    place->admitted = true;
    return 0;
}

static int place_alive(void *userdata, const struct door_place *place)
{
    (void)userdata;
    return place->alive;
}

static void place_close(void *userdata, struct door_place *place)
{
    struct recording_door *door = userdata;
    if (!place)
        return;
    assert_null(place->items);
    struct door_place **at = &door->places;
    while (*at != place)
        at = &(*at)->next;
    *at = place->next;
    json_decref(place->note);
    idmap_done(&place->map);
    free(place);
}

static void place_prune(void *userdata, struct door_place *place)
{
    (void)userdata;
    place->pruned = true;
}

static int place_note(void *userdata, struct door_place *place, json_t *note_take,
                      struct refusal *why)
{
    struct recording_door *door = userdata;
    json_decref(place->note);
    place->note = note_take;
    assert_non_null(note_take);
    return door->note_error ? refuse(why, door->note_error, "no note") : 0;
}

static void place_leave(void *userdata, struct door_place *place)
{
    (void)userdata;
    place->left = true;
    place->done = NULL;
    place->look_done = NULL;
}

static const char *place_describe_access(void *userdata, const struct door_place *place, char *out,
                                         size_t size)
{
    (void)userdata;
    snprintf(out, size, "recorded for %s", place->name);
    return out;
}

static int place_repair(void *userdata, struct door_place *place, struct refusal *why)
{
    const struct recording_door *door = userdata;
    if (door->repairs < 0)
        return refuse(why, -door->repairs, "cannot repair %s", place->name);
    return door->repairs;
}

static int place_has_udevd(void *userdata, struct door_place *place)
{
    const struct recording_door *door = userdata;
    (void)place;
    return door->has_udevd;
}

static struct door_item *item_new(void *userdata, struct door_place *place, void (*on_lost)(void *),
                                  void *on_lost_userdata)
{
    struct recording_door *door = userdata;
    struct door_item *item = calloc(1, sizeof(*item));
    assert_non_null(item);
    item->id = ++door->last_item;
    item->on_lost = on_lost;
    item->on_lost_userdata = on_lost_userdata;
    item->next = place->items;
    place->items = item;
    return item;
}

static int item_note(void *userdata, struct door_place *place, struct door_item *item,
                     json_t *note_take, struct refusal *why)
{
    struct recording_door *door = userdata;
    (void)place;
    json_decref(item->note);
    item->note = note_take;
    assert_non_null(note_take);
    return door->note_error ? refuse(why, door->note_error, "no note") : 0;
}

static void item_leave(void *userdata, struct door_item *item)
{
    (void)userdata;
    if (item)
        item->on_lost = NULL;
}

static int item_resume(void *userdata, struct door_place *place, uint64_t id, const json_t *saved,
                       const struct grant *grant, int ifindex, bool certain,
                       void (*on_lost)(void *), void *on_lost_userdata, struct door_item **ret)
{
    (void)userdata;
    (void)ifindex;
    assert_true(json_is_object(saved));
    for (struct door_item *item = place->items; item; item = item->next)
        if (item->id == id) {
            if (grant->node && certain && !item->made)
                return -ENOENT;
            item->on_lost = on_lost;
            item->on_lost_userdata = on_lost_userdata;
            *ret = item;
            return item->revoked;
        }
    return -ENOENT;
}

static void item_free(void *userdata, struct door_item *item)
{
    struct recording_door *door = userdata;
    if (!item)
        return;
    for (struct door_place *p = door->places; p; p = p->next)
        for (struct door_item **at = &p->items; *at; at = &(*at)->next)
            if (*at == item) {
                *at = item->next;
                json_decref(item->note);
                free(item);
                return;
            }
    fail_msg("an item that is not there was freed");
}

static void item_drop(void *userdata, struct door_place *place, uint64_t id)
{
    for (struct door_item *item = place->items; item; item = item->next)
        if (item->id == id) {
            item_free(userdata, item);
            return;
        }
}

static bool is_errand(enum step_kind kind)
{
    return kind == STEP_IDENTIFY || kind == STEP_NODE_ATTACH || kind == STEP_NODE_DETACH ||
           kind == STEP_LINK_MAKE || kind == STEP_LINK_REMOVE || kind == STEP_RECORD_WRITE ||
           kind == STEP_RECORD_REMOVE;
}

/* Where the item has the link, or (with "") room for another; NULL: nowhere. */
static char *find_link(struct door_item *item, const char *link)
{
    for (size_t i = 0; i < ARRAY_SIZE(item->links); i++)
        if (streq(item->links[i], link))
            return item->links[i];
    return NULL;
}

/* There is one thing at a path. */
static void make_link(const struct door_place *place, struct door_item *item, const char *link)
{
    for (struct door_item *i = place->items; i; i = i->next)
        assert_true(i == item || !find_link(i, link));
    char *slot = find_link(item, link);
    if (!slot)
        slot = find_link(item, "");
    assert_non_null(slot);
    snprintf(slot, sizeof(item->links[0]), "%s", link);
}

/* What was never made inside needs no errand to be taken away: the kernel's door knows it too. */
static bool is_idle(struct door_item *item, const struct step *step)
{
    return (step->kind == STEP_NODE_DETACH && !item->attached) ||
           (step->kind == STEP_LINK_REMOVE && !find_link(item, step->link));
}

/* What a step does to the model, and what must be true before. */
static void take_effect(const struct door_place *place, struct door_item *item,
                        const struct step *step, struct step_result *result)
{
    char *link;
    switch (step->kind) {
    case STEP_IDENTIFY:
        result->uid = 1000;
        result->gid = 20;
        break;
    case STEP_NODE_MAKE:
        assert_false(item->made);
        item->made = true;
        break;
    case STEP_NODE_ATTACH:
        assert_true(item->made && !item->attached);
        item->attached = true;
        break;
    case STEP_LINK_MAKE:
        make_link(place, item, step->link);
        break;
    case STEP_ACCESS_ALLOW:
        item->allowed = true;
        break;
    case STEP_ACCESS_DENY:
        item->allowed = false;
        break;
    case STEP_NODE_REVOKE:
        item->revoked = item->made;
        break;
    case STEP_LINK_REMOVE:
        if ((link = find_link(item, step->link)))
            *link = '\0';
        break;
    case STEP_NODE_DETACH:
        item->attached = false;
        break;
    case STEP_NODE_DESTROY:
        item->made = false;
        break;
    case STEP_RECORD_WRITE:
        item->recorded = true;
        break;
    case STEP_RECORD_REMOVE:
        item->recorded = false;
        break;
    case STEP_INTERFACE_MOVE:
        assert_false(item->moved);
        item->moved = true;
        break;
    case STEP_INTERFACE_RETURN:
        result->returned = item->moved;
        result->lost = item->lost;
        item->moved = item->lost = false;
        break;
    case STEP_NODE_CHANGE:
    case STEP_EVENT:
    case STEP_UDEV_EVENT:
        break;
    }
}

/* A courier that died behind its work, or that was abandoned, did or may yet do what it was told.
 */
static void note_unknown(const struct door_place *place, struct door_item *item,
                         const struct step *step)
{
    struct step_result unheard = {.why.error = 0};
    if (step->kind == STEP_NODE_ATTACH || step->kind == STEP_LINK_MAKE ||
        step->kind == STEP_RECORD_WRITE)
        take_effect(place, item, step, &unheard);
}

static void add_line(struct recording_door *door, const struct door_place *place, const char *text,
                     const char *end)
{
    char *grown;
    assert_true(asprintf(&grown, "%s%s %s%s\n", door->log, place->name, text, end) >= 0);
    free(door->log);
    door->log = grown;
}

static void record(struct recording_door *door, const struct door_place *place,
                   const struct step *step, const struct step_ids *ids, const char *end)
{
    char text[1024], host[64] = "", *grown;
    if (step->kind == STEP_NODE_MAKE || step->kind == STEP_NODE_CHANGE)
        snprintf(host, sizeof(host), " (host %u:%u)", ids->uid, ids->gid);
    (void)step_describe(step, text, sizeof(text));
    assert_true(asprintf(&grown, "%s%s %s%s%s\n", door->log, place->name, text,
                         door->map ? host : "", end) >= 0);
    free(door->log);
    door->log = grown;
}

static bool is_refused(struct recording_door *door, const struct step *step, int *ret_error)
{
    char text[1024];
    bool failing = door->fail_error && door->fail_after == 0;
    *ret_error = door->refused_error ? door->refused_error : EIO;
    if (door->refused && after_prefix(step_describe(step, text, sizeof(text)), door->refused))
        return true;
    if (!failing) {
        door->fail_after -= door->fail_after > 0;
        return false;
    }
    *ret_error = door->fail_error;
    door->fail_error = 0;
    return true;
}

static int run(void *userdata, struct door_place *place, struct door_item *item,
               const struct step *step, const struct step_ids *ids, door_done_fn done,
               void *done_userdata, struct step_result *result)
{
    struct recording_door *door = userdata;
    int error = 0;
    assert_true(place->admitted);

    if (is_refused(door, step, &error)) {
        record(door, place, step, ids, " FAILS");
        if (error == EPIPE)
            note_unknown(place, item, step);
        refuse(&result->why, error, "%s was refused", step_kind_name(step->kind));
        return 1;
    }
    bool errand = is_errand(step->kind) && !is_idle(item, step);
    if (errand && door->stall) {
        record(door, place, step, ids, " STALLS");
        note_unknown(place, item, step);
        refuse(&result->why, ETIMEDOUT, "it hangs");
        result->stalled = true;
        return 1;
    }
    if (errand && door->pend) {
        assert_null(place->done);
        record(door, place, step, ids, " ...");
        place->done = done;
        place->done_userdata = done_userdata;
        place->item = item;
        place->step = *step;
        return 0;
    }
    record(door, place, step, ids, "");
    if (step->kind == STEP_EVENT)
        door->told = *step->event;
    if (step->kind == STEP_RECORD_WRITE) {
        free(door->record);
        door->record = strdup(step->word->record);
    }
    take_effect(place, item, step, result);
    result->shadowed = step->kind == STEP_NODE_DETACH && door->hidden;
    result->ifindex = step->kind == STEP_INTERFACE_MOVE ? door->ifindex : 0;
    return 1;
}

static int place_mark(void *userdata, struct door_place *place, enum place_mark mark, bool present,
                      door_done_fn done, void *done_userdata, struct step_result *result)
{
    static const char *const TEXTS[PLACE_MARK_COUNT][2] = {
        [PLACE_MARK_UDEV] = {"marker-remove", "marker-make"},
        [PLACE_MARK_USB] = {"usb-remove", "usb-make"},
    };
    struct recording_door *door = userdata;
    const char *text = TEXTS[mark][present];
    bool refused = door->refused && after_prefix(text, door->refused);
    assert_null(place->done);
    if (mark == PLACE_MARK_USB && !door->shows_usb)
        return 1;
    add_line(door, place, text,
             refused       ? " FAILS"
             : door->stall ? " STALLS"
             : door->pend  ? " ..."
                           : "");
    if (refused)
        return refuse(&result->why, EROFS, "%s was refused", text), 1;
    if (door->stall) {
        result->stalled = true;
        return refuse(&result->why, ETIMEDOUT, "it hangs"), 1;
    }
    if (!door->pend) {
        place->marked[mark] = present;
        return 1;
    }
    place->done = done;
    place->done_userdata = done_userdata;
    place->item = NULL;
    place->mark = mark;
    place->marking = present;
    return 0;
}

static int place_look(void *userdata, struct door_place *place, const struct look *look,
                      door_look_fn done, void *done_userdata, struct refusal *why)
{
    struct recording_door *door = userdata;
    assert_null(place->look_done);
    if (door->stall)
        return refuse(why, EAGAIN, "it hangs");
    assert_true(look->kind != LOOK_NODE || look->item);
    assert_true(look->kind != LOOK_RECORD || look->id);
    place->look = look->kind;
    place->look_done = done;
    place->look_userdata = done_userdata;
    return 0;
}

static int place_look_at_readers(void *userdata, struct door_place *place, enum step_kind kind)
{
    const struct recording_door *door = userdata;
    (void)place;
    assert_true(kind == STEP_EVENT || kind == STEP_UDEV_EVENT);
    return door->readers;
}

static void place_resume_told(void *userdata, struct door_place *place, uint64_t inode,
                              const char *message, size_t size, bool udev)
{
    struct recording_door *door = userdata;
    (void)place;
    assert_true(inode > 0 && !message == !size);
    door->resumed_told += message ? 1 : 0;
    door->resumed_told += udev ? 1 : 0;
}

static bool place_is_behind(void *userdata, const struct door_place *place)
{
    const struct recording_door *door = userdata;
    (void)place;
    return door->behind || door->readers == -EOVERFLOW;
}

static int place_catch_up(void *userdata, struct door_place *place, uint64_t *told)
{
    const struct recording_door *door = userdata;
    (void)place;
    *told += door->told_again;
    return door->caught_up;
}

static int timer_start(void *userdata, uint64_t delay_us, void (*fn)(void *), void *fn_userdata,
                       void **ret)
{
    struct recording_door *door = userdata;
    struct recording_timer *timer = calloc(1, sizeof(*timer)), **last = &door->timers;
    assert_non_null(timer);
    *timer = (struct recording_timer){.delay_us = delay_us, .fn = fn, .userdata = fn_userdata};
    while (*last)
        last = &(*last)->next;
    *last = timer;
    *ret = timer;
    return 0;
}

static void timer_cancel(void *userdata, void *timer)
{
    struct recording_door *door = userdata;
    struct recording_timer **at = &door->timers;
    while (*at != timer)
        at = &(*at)->next;
    *at = (*at)->next;
    free(timer);
}

void recording_door_init(struct recording_door *door)
{
    *door = (struct recording_door){.interface = {.place_open = place_open,
                                                  .place_admit = place_admit,
                                                  .place_prune = place_prune,
                                                  .place_note = place_note,
                                                  .place_leave = place_leave,
                                                  .place_alive = place_alive,
                                                  .place_close = place_close,
                                                  .place_describe_access = place_describe_access,
                                                  .place_repair = place_repair,
                                                  .place_has_udevd = place_has_udevd,
                                                  .place_resume_told = place_resume_told,
                                                  .place_look_at_readers = place_look_at_readers,
                                                  .place_is_behind = place_is_behind,
                                                  .place_catch_up = place_catch_up,
                                                  .place_mark = place_mark,
                                                  .place_look = place_look,
                                                  .item_new = item_new,
                                                  .item_resume = item_resume,
                                                  .item_drop = item_drop,
                                                  .item_note = item_note,
                                                  .item_leave = item_leave,
                                                  .item_free = item_free,
                                                  .run = run,
                                                  .timer_start = timer_start,
                                                  .timer_cancel = timer_cancel,
                                                  .userdata = door}};
    recording_door_clear(door);
}

void recording_door_done(struct recording_door *door)
{
    assert_null(door->places);
    assert_null(door->timers);
    free(door->log);
    free(door->record);
}

static size_t count_items(const struct door_place *place)
{
    size_t count = 0;
    for (const struct door_item *item = place->items; item; item = item->next)
        count++;
    return count;
}

static int by_id(const void *a, const void *b)
{
    const struct saved_item *first = a, *second = b;
    return (first->id > second->id) - (first->id < second->id);
}

/* The notes go through their text, as they do through a file. */
static json_t *reread(const json_t *json)
{
    _cleanup_free_ char *text = json_dumps(json, 0);
    assert_non_null(text);
    return json_loads(text, JSON_ALLOW_NUL, NULL);
}

static void tell_saved(struct door_place *place, void (*fn)(void *, const struct saved_place *),
                       void *userdata)
{
    char name[sizeof(place->name)];
    snprintf(name, sizeof(name), "%s", place->name);
    struct saved_place saved = {.name = name, .pid = place->pid, .item_count = count_items(place)};
    json_t *engine = reread(place->note), *door = json_object();
    saved.engine = engine;
    saved.door = door;
    saved.items = calloc(saved.item_count + 1, sizeof(*saved.items));
    assert_non_null(saved.items);
    size_t i = 0;
    for (const struct door_item *item = place->items; item; item = item->next)
        saved.items[i++] = (struct saved_item){
            .id = item->id, .engine = reread(item->note), .door = json_incref(door)};
    qsort(saved.items, saved.item_count, sizeof(*saved.items), by_id);
    fn(userdata, &saved);
    for (i = 0; i < saved.item_count; i++) {
        json_decref(saved.items[i].engine);
        json_decref(saved.items[i].door);
    }
    free(saved.items);
    json_decref(engine);
    json_decref(door);
}

void recording_door_each_saved(struct recording_door *door,
                               void (*fn)(void *userdata, const struct saved_place *saved),
                               void *userdata)
{
    size_t count = 0;
    struct door_place *places[16];
    for (struct door_place *place = door->places; place; place = place->next)
        if (place->left && count < ARRAY_SIZE(places))
            places[count++] = place; /* the newest first */
    while (count > 0)
        tell_saved(places[--count], fn, userdata);
}

void recording_door_clear(struct recording_door *door)
{
    free(door->log);
    door->log = strdup("");
    assert_non_null(door->log);
}

static struct door_place *find_place(const struct recording_door *door, const char *container)
{
    for (struct door_place *p = door->places; p; p = p->next)
        if (streq(p->name, container))
            return p;
    return NULL;
}

bool recording_door_pending(const struct recording_door *door, const char *container)
{
    const struct door_place *place = find_place(door, container);
    return place && place->done;
}

static void complete(struct door_place *place, int error, bool stalled)
{
    struct step_result result = {.stalled = stalled};
    door_done_fn done = place->done;
    assert_non_null(done);
    place->done = NULL;
    if (error)
        refuse(&result.why, error, "the courier says no");
    if (!place->item) {
        if (!error)
            place->marked[place->mark] = place->marking;
    } else if (!error)
        take_effect(place, place->item, &place->step, &result);
    else if (stalled || error == EPIPE)
        note_unknown(place, place->item, &place->step);
    done(place->done_userdata, &result);
}

int recording_door_look(const struct recording_door *door, const char *container)
{
    const struct door_place *place = find_place(door, container);
    return place && place->look_done ? (int)place->look : -1;
}

void recording_door_see(struct recording_door *door, const char *container, enum gate gate)
{
    struct door_place *place = find_place(door, container);
    struct refusal why = {.error = 0};
    assert_non_null(place);
    door_look_fn done = place->look_done;
    assert_non_null(done);
    place->look_done = NULL;
    if (gate != GATE_NONE)
        refuse(&why, EACCES, "the look says %s", gate_name(gate));
    done(place->look_userdata, gate, &why);
}

void recording_door_complete(struct recording_door *door, const char *container, int error)
{
    struct door_place *place = find_place(door, container);
    assert_non_null(place);
    complete(place, error, false);
}

void recording_door_lose(struct recording_door *door, const char *container)
{
    struct door_place *place = find_place(door, container);
    assert_non_null(place);
    for (struct door_item *item = place->items; item; item = item->next)
        if (item->moved) {
            item->moved = false;
            item->lost = true;
            item->on_lost(item->on_lost_userdata);
            return;
        }
    fail_msg("container %s has no interface", container);
}

void recording_door_complete_all(struct recording_door *door)
{
    for (struct door_place *place = door->places; place;) {
        if (place->done) {
            complete(place, 0, false);
            place = door->places; /* the list may have changed */
        } else {
            place = place->next;
        }
    }
}

void recording_door_hang(struct recording_door *door, const char *container)
{
    struct door_place *place = find_place(door, container);
    assert_non_null(place);
    complete(place, ETIMEDOUT, true);
}

void recording_door_kill(struct recording_door *door, pid_t pid, bool notice)
{
    for (struct door_place *place = door->places; place; place = place->next)
        if (place->pid == pid) {
            place->alive = false;
            if (notice)
                place->on_death(place->on_death_userdata);
            return;
        }
    fail_msg("no place of process %d", (int)pid);
}

uint64_t recording_door_fire(struct recording_door *door)
{
    struct recording_timer *timer = door->timers;
    if (!timer)
        return 0;
    struct recording_timer fired = *timer;
    door->timers = timer->next;
    free(timer);
    fired.fn(fired.userdata);
    return fired.delay_us;
}

size_t recording_door_timers(const struct recording_door *door)
{
    size_t count = 0;
    for (const struct recording_timer *t = door->timers; t; t = t->next)
        count++;
    return count;
}

struct recording_state recording_door_state(const struct recording_door *door)
{
    struct recording_state state = {.items = 0};
    for (const struct door_place *p = door->places; p; p = p->next) {
        state.markers += p->marked[PLACE_MARK_UDEV];
        state.usb += p->marked[PLACE_MARK_USB];
        for (const struct door_item *i = p->items; i; i = i->next) {
            state.items++;
            state.inodes += i->made;
            state.live += i->made && !i->revoked;
            state.attached += i->attached;
            for (size_t link = 0; link < ARRAY_SIZE(i->links); link++)
                state.links += i->links[link][0] != '\0';
            state.allowed += i->allowed;
            state.records += i->recorded;
            state.interfaces += i->moved;
        }
    }
    return state;
}
