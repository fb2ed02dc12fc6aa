/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * grants = rules x devices x containers. Everything that happens (plug, unplug, change, a container
 * that comes or goes, a reload, an overrun) ends here, on one path: recompute what is desired,
 * compare with what is delivered, make a plan, run it, record the outcome.
 *
 * Each container has a queue of hints ("look at this device") and at most one job under way, so
 * that a container that hangs delays nobody else. What is desired is computed when a hint is taken
 * from the queue, not when it is put there. Revoking does not wait for the queue: a delivery that
 * is no longer desired is cut (device cgroup and inode) the moment we know; what needs the
 * container's help follows in order.
 */

#include "engine/container.h"
#include "engine/departed.h"
#include "engine/observer.h"
#include "engine/saved_place.h"
#include "engine/world.h"
#include "model/rule_match.h"

struct delegation;

struct delegation_counters {
    uint64_t given, taken, changed, told; /* plans that ended well */
    uint64_t described;                   /* of udev's words, those that were carried inside */
    uint64_t
        merged_words; /* words on a `change` for which that on a newer one stood: udev is slow */
    uint64_t dropped_words; /* those that nothing stood for */
    uint64_t refused;       /* plans to give that failed */
    uint64_t residues;      /* plans to take of which a step failed */
    uint64_t stalls;
    uint64_t overruns_inside;    /* containers in which somebody did not read what was told */
    uint64_t told_again;         /* messages that had been missed so */
    uint64_t repairs;            /* device cgroups that somebody had rewritten */
    uint64_t dropped_properties; /* of events that were too large to inject */
};

/*
 * `door` and `observer` are borrowed for life, `root_disks` is copied: see model/danger.h. The rule
 * set is empty at first. NULL when memory is short.
 */
struct delegation *delegation_new(const struct door *door, const struct world_source *source,
                                  const struct observer *observer, const struct devnum *root_disks,
                                  size_t root_disk_count);

/* Takes everything back as far as it goes without waiting, and frees. NULL accepted. */
void delegation_free(struct delegation *delegation);

/* Frees, and leaves everything to a successor, which finds it by what was noted. NULL accepted. */
void delegation_leave(struct delegation *delegation);

/*
 * Takes a container over from a predecessor, with all that this had delivered; nothing of it is
 * judged before delegation_resume(). What was half done is cut at once. Returns 0, or a negative
 * errno and the reason.
 */
int delegation_restore(struct delegation *delegation, const struct saved_place *saved,
                       struct refusal *why);

/*
 * When the world was scanned and all containers are restored: what is not desired any more is cut
 * before this returns, and denied what nobody has; the rest of the difference follows.
 */
void delegation_resume(struct delegation *delegation);

/* A udevd runs on this host: from now on what only it can tell of a danger is waited for. */
void delegation_expect_udev(struct delegation *delegation);

/* The world in it, for events and scans. */
struct world *delegation_world(struct delegation *delegation);

/* Puts another rule set in force (taken; the old one is freed) and applies it to every container.
 */
void delegation_set_rules(struct delegation *delegation, struct rule_set *rules_take);
const struct rule_set *delegation_rules(const struct delegation *delegation);

/*
 * Registers a container, and queues all that it is given. The same process again: only its labels
 * change. A name that another living process holds: -EEXIST. Returns 0 and *ret, or a negative
 * errno and the reason.
 */
int delegation_register(struct delegation *delegation, const char *name, pid_t pid,
                        const char *root, const struct property_list *labels,
                        struct container **ret, struct refusal *why);

/* The same for a process that began at `who->start_time` (proc(5); 0: not known) and no other that
 * has its number. Of `who` only name, process and root are looked at. */
int delegation_register_process(struct delegation *delegation, const struct saved_place *who,
                                const struct property_list *labels, struct container **ret,
                                struct refusal *why);

/*
 * Takes everything back and forgets the container; `fn` (may be NULL) is called when it is gone.
 * One whose file system hangs is let go at once, with its nodes dead. Where something cannot be
 * taken back, `fn` is told so after some seconds (CONTAINER_HELD), and it goes on. -ENOENT:
 * unknown; -ENOMEM.
 */
int delegation_unregister(struct delegation *delegation, const char *name, container_end_fn fn,
                          void *userdata);

/* Gives a device by hand; the share is copied. 0, or a negative errno and the reason. */
int delegation_attach(struct delegation *delegation, struct container *container,
                      struct device *device, const struct share *share, struct refusal *why);

/* Takes a device that was given by hand, and what it brought along. -ENOENT, -EPERM: it was not. */
int delegation_detach(struct delegation *delegation, struct container *container,
                      const char *devpath, struct refusal *why);

/*
 * What rules that are not in force would give a container of a device, without what it was given by
 * hand. Returns 1 and *ret; 0: nothing; or a negative errno and the reason, as far as it can be
 * known beforehand: who holds the node, ids that are not mapped. `why` is not NULL.
 */
int delegation_try_rules(const struct delegation *delegation, const struct rule_set *rules,
                         const struct container *container, struct device *device,
                         struct grant **ret, struct refusal *why);

/*
 * What the rules and attachments give a container of a device, as a grant, and what of its links
 * others keep from it. Returns 1 and *ret; 0: nothing; -EINVAL, -EPERM and the reason: the rules
 * give it but it cannot be. `trace` may be NULL.
 */
int delegation_desired(struct delegation *delegation, const struct container *container,
                       struct device *device, rule_trace_fn trace, void *trace_userdata,
                       struct grant **ret, struct refusal *why);

/* The end is near: from now on nobody waits for those who listen inside and do not read. */
void delegation_hurry(struct delegation *delegation);

/*
 * Calls `fn` when all that is queued now is done, or the container stalls or goes; at once where
 * that is so. Returns 0 or -ENOMEM.
 */
int delegation_wait(struct delegation *delegation, struct container *container, container_end_fn fn,
                    void *userdata);

/* Forgets such a wait. */
void delegation_wait_cancel(struct delegation *delegation, void *userdata);

/* Looks whether every device cgroup is still as we left it, and whether a udevd has come to a
 * container or left it: called by a slow timer. */
void delegation_repair(struct delegation *delegation);

/* Borrowed, or NULL. */
struct container *delegation_find(const struct delegation *delegation, const char *name);

/* How a container of this name went, borrowed; NULL: none of the last few did. */
const struct departure *delegation_find_departed(const struct delegation *delegation,
                                                 const char *name);

/* The first container; the others by ->next. */
struct container *delegation_containers(const struct delegation *delegation);

struct delegation_counters *delegation_counters(struct delegation *delegation);
