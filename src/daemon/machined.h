/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Containers that systemd-machined knows (systemd-nspawn, libvirt-lxc) are registered when it says
 * so: signals MachineNew and MachineRemoved on the system bus, org.freedesktop.machine1(5). Virtual
 * machines are not. Without a bus, or without machined, nothing is missed and nothing is said; a
 * bus that goes is looked for again.
 */

#include "daemon/service.h"

struct machined;

/*
 * Begins. `service` is borrowed for life, and closed after this. Never fails but for want of
 * memory; never waits. Returns 0 and *ret, or -ENOMEM.
 */
int machined_open(struct service *service, struct machined **ret);

/* The machines stay registered. NULL accepted. */
void machined_close(struct machined *machined);
