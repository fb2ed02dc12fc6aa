/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the courier's tests share: a container, its courier, and a node to be given to it. */

#include "fixture.h"
#include "kernel/courier.h"
#include "kernel/courier_filter.h"
#include "kernel/node_store.h"

#define DEADLINE_MS 10000

struct scene {
    struct fixture *fixture;
    struct namespaces namespaces;
    struct courier *courier;
    struct node *node; /* /dev/null by number; owner 0, group 20, mode 0660 inside */
};

extern struct node_store *scene_store;

/* Set-up and tear-down of a group of tests: a mount namespace, and the store in it. */
int scene_start(void **state);
int scene_stop(void **state);

/* Opens a scene, or skips the test where this machine cannot play it. `options` may be NULL. */
void scene_open(struct scene *scene, const struct fixture_options *options);
void scene_close(struct scene *scene);

/* Waits until no abandoned courier lingers. */
void scene_reap(void);

struct node *scene_make_node(const struct scene *scene, const struct devnum *number);

/* Sends a request and waits for its reply. */
struct courier_reply scene_ask(struct courier *courier, const struct courier_request *request,
                               int tree_fd);
struct courier_request scene_node_request(enum courier_verb verb, const char *path,
                                          const struct node *node);
struct courier_reply scene_attach_node(struct scene *scene, const char *path,
                                       const struct node *node);
struct courier_reply scene_attach(struct scene *scene, const char *path);
struct courier_reply scene_detach(struct scene *scene, const char *path,
                                  const struct courier_reply *attached);
struct courier_reply scene_link(struct scene *scene, enum courier_verb verb, const char *path,
                                const char *target, unsigned made_dirs);
struct courier_reply scene_identify(struct scene *scene, const char *owner, const char *group);

/* What a program inside gets: 0 or a negative errno. */
int scene_stat(const struct scene *scene, const char *path);
int scene_open_inside(const struct scene *scene, const char *path);

size_t scene_count_entries(const char *path);
size_t scene_count_lines(pid_t pid, const char *name);
