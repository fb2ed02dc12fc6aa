/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/waiting.h"

/*
 * In the order in which the containers were started: of two that claim one name the first has it,
 * as if we had been there. A note is dealt with once, well or not, and goes.
 */

#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>

#include "base/log.h"
#include "kernel/note_directory.h"
#include "kernel/process.h"
#include "model/waiting_note.h"

struct waiting {
    struct service *service;
    char *path;
    int directory_fd;
    sd_event_source *watch;
};

/* A note and the file that it is in. */
struct noted {
    char *id;
    struct waiting_note note;
};

/* Those that were read in one go. */
struct notes {
    struct waiting *waiting;
    struct noted *items;
    size_t count;
};

static void notes_done(struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        free(notes->items[i].id);
        waiting_note_done(&notes->items[i].note);
    }
    free(notes->items);
}

static void remove_note(const struct waiting *waiting, const char *id)
{
    int r = note_directory_remove(waiting->directory_fd, id);
    if (r < 0)
        log_line(LOG_WARNING, "cannot remove %s/%s: %s", waiting->path, id, strerror(-r));
}

static int read_note(struct waiting *waiting, const char *id, struct waiting_note *ret,
                     struct refusal *why)
{
    _cleanup_free_ char *text = NULL;
    size_t size = 0;
    int r = note_directory_read(waiting->directory_fd, id, WAITING_NOTE_MAX, &text, &size, why);
    return r < 0 ? r : waiting_note_parse(text, size, ret, why);
}

static int take_note(void *userdata, const char *id)
{
    struct notes *notes = userdata;
    struct waiting_note note = {.pid = 0};
    struct refusal why = {.error = 0};

    int r = read_note(notes->waiting, id, &note, &why);
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        log_line(LOG_WARNING, "%s/%s is no note of a container: %s; it is removed",
                 notes->waiting->path, id, why.text);
        remove_note(notes->waiting, id);
        return 0;
    }
    struct noted *noted = array_add(&notes->items, &notes->count, sizeof(*noted));
    if (!noted) {
        waiting_note_done(&note);
        return -ENOMEM;
    }
    noted->note = note;
    noted->id = strdup(id);
    return noted->id ? 0 : -ENOMEM;
}

static int by_age(const void *a, const void *b)
{
    uint64_t first = ((const struct noted *)a)->note.start_time;
    uint64_t second = ((const struct noted *)b)->note.start_time;
    return (first > second) - (first < second);
}

static bool is_alive(const struct waiting_note *note)
{
    char boot_id[PROCESS_BOOT_ID_SIZE];
    return process_boot_id(boot_id) == 0 && streq(boot_id, note->boot_id) &&
           process_start_time(note->pid) == note->start_time;
}

/* The note may be from before the container entered its root. */
static const char *present_root(const struct waiting_note *note)
{
    return note->root && process_has_our_root(note->pid) == 1 ? note->root : NULL;
}

static void register_noted(struct service *service, const struct waiting_note *note)
{
    struct container *container = NULL;
    struct refusal why = {.error = 0};
    if (!is_alive(note)) {
        log_about(LOG_INFO, note->name, NULL, "was started without devolved, and has ended");
        return;
    }
    log_about(LOG_INFO, note->name, NULL, "was started without devolved: process %d", note->pid);
    int r = delegation_register(service->delegation, note->name, note->pid, present_root(note),
                                &note->labels, &container, &why);
    if (r < 0)
        log_about(LOG_WARNING, note->name, NULL, "cannot be registered: %s", why.text);
    else if (container->facts.process_key != note->start_time) /* another got its number just now */
        (void)delegation_unregister(service->delegation, note->name, NULL, NULL);
}

static void pick_up(struct waiting *waiting)
{
    _cleanup_(notes_done) struct notes notes = {.waiting = waiting};
    int r = note_directory_each(waiting->directory_fd, take_note, &notes);
    if (r < 0) {
        log_line(LOG_ERR, "cannot read %s: %s", waiting->path, strerror(-r));
        return;
    }
    if (notes.count > 1)
        qsort(notes.items, notes.count, sizeof(*notes.items), by_age);
    for (size_t i = 0; i < notes.count; i++) {
        register_noted(waiting->service, &notes.items[i].note);
        remove_note(waiting, notes.items[i].id);
    }
}

static int on_note(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
    struct waiting *waiting = userdata;
    (void)source;
    (void)event;
    if (!waiting->service->stopping)
        pick_up(waiting);
    return 0;
}

static int watch(struct waiting *waiting, struct refusal *why)
{
    const char *directory = waiting->service->options->runtime_directory;
    if (asprintf(&waiting->path, "%s/waiting", directory) < 0) {
        waiting->path = NULL;
        return refuse(why, ENOMEM, "no memory");
    }
    waiting->directory_fd = note_directory_open(directory, "waiting", why);
    if (waiting->directory_fd < 0)
        return waiting->directory_fd;
    int r = sd_event_add_inotify(waiting->service->event, &waiting->watch, waiting->path,
                                 IN_MOVED_TO | IN_ONLYDIR, on_note, waiting);
    return r < 0 ? refuse(why, -r, "cannot watch %s: %s", waiting->path, strerror(-r)) : 0;
}

struct waiting *waiting_open(struct service *service)
{
    struct refusal why = {.error = 0};
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    if (waiting)
        *waiting = (struct waiting){.service = service, .directory_fd = -1};
    if (!waiting || watch(waiting, &why) < 0) {
        log_line(LOG_ERR, "containers that were started without devolved are not found: %s",
                 waiting ? why.text : "no memory");
        waiting_close(waiting);
        return NULL;
    }
    pick_up(waiting); /* after the watch: a note is seen here or there */
    return waiting;
}

void waiting_close(struct waiting *waiting)
{
    if (!waiting)
        return;
    sd_event_source_disable_unref(waiting->watch);
    fd_close(waiting->directory_fd);
    free(waiting->path);
    free(waiting);
}
