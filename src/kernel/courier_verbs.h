/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a courier can be asked to do: courier_protocol.h says what the fields mean. Each returns 0
 * with its answers in *reply, or a negative errno and the reason. Each can be done again: what is
 * there already, or gone already, is success.
 */

#include "kernel/courier_place.h"
#include "kernel/courier_protocol.h"

int courier_attach(const struct courier_world *world, const struct courier_request *request,
                   int tree_fd, struct courier_reply *reply, struct refusal *why);
int courier_detach(const struct courier_world *world, const struct courier_request *request,
                   struct courier_reply *reply, struct refusal *why);
int courier_link(const struct courier_world *world, const struct courier_request *request,
                 struct courier_reply *reply, struct refusal *why);
int courier_unlink(const struct courier_world *world, const struct courier_request *request,
                   struct refusal *why);
int courier_identify(const struct courier_world *world, const struct courier_request *request,
                     struct courier_reply *reply, struct refusal *why);

/* In courier_directories.c. */
int courier_directories_make(const struct courier_world *world,
                             const struct courier_request *request, struct courier_reply *reply,
                             struct refusal *why);
int courier_directories_remove(const struct courier_world *world,
                               const struct courier_request *request, struct refusal *why);

/* In courier_record.c. What a udevd inside wrote is never touched: -EEXIST. */
int courier_record_write(const struct courier_world *world, const struct courier_request *request,
                         struct courier_reply *reply, struct refusal *why);
int courier_record_remove(const struct courier_world *world, const struct courier_request *request,
                          struct courier_reply *reply, struct refusal *why);
int courier_marker_make(const struct courier_world *world, bool first, struct courier_reply *reply,
                        struct refusal *why);
int courier_marker_remove(const struct courier_world *world, const struct courier_request *request,
                          struct courier_reply *reply, struct refusal *why);

/* In courier_sweep.c. Removes all records of ours, with their tags. */
void courier_records_sweep(const struct courier_world *world);

/* In courier_look.c. What is not there is an answer and no failure. */
int courier_look(const struct courier_world *world, const struct courier_request *request,
                 struct courier_reply *reply, struct refusal *why);
