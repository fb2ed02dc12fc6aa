/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What tests of device programs begin with: a group with a program as a runtime would have attached
 * it, a box in it, a bpffs of the test's own in a mount namespace of its own. Includes what such
 * tests need of cmocka; assertions fail the running test.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../e2e/helpers/filter_shape.h"
#include "cgroup_box.h"
#include "kernel/cgroup_device.h"
#include "model/share.h"

#define READ_WRITE (ACCESS_READ | ACCESS_WRITE)
#define PROGRAMS_MAX 64
#define DEADLINE_US 5000000

struct counts {
    volatile uint32_t lowest, polls;
};

struct cgroup_scene {
    char group[256];
    int group_fd;
    int link_fd; /* above 0: the program hangs on it */
    uint32_t original;
    struct cgroup_box box;
    struct cgroup_device *gates;
    pid_t watcher; /* 0: none */
    struct counts *counts;
};

extern const struct devnum cgroup_scene_null; /* what each shape allows */
extern const struct devnum cgroup_scene_tun;  /* what is granted; opening it does nothing */
extern const struct devnum cgroup_scene_kmsg; /* what is not */
extern char cgroup_scene_directory[];         /* the bpffs */

/* Of a group of tests, and of one test. */
int cgroup_scene_start_all(void **state);
int cgroup_scene_stop_all(void **state);
int cgroup_scene_start(void **state);
int cgroup_scene_stop(void **state);

/* Skips the running test where the machine lacks what it takes. */
void cgroup_scene_need(void);

/*
 * net.core.bpf_jit_harden: '0' to '2'. Put back after each test, and by a guarding process when
 * this one dies.
 */
void cgroup_scene_harden(char level);

/* Makes a group and returns a descriptor of it. */
int cgroup_scene_make_group(const char *name, char *out, size_t size);

/* Attaches a program; returns the link, or 0. */
int cgroup_scene_attach(int group_fd, enum shape shape, enum shape_flags flags);

/* The group "own" with such a program, and a box in it. */
void cgroup_scene_set(struct cgroup_scene *scene, enum shape shape, enum shape_flags flags);

void cgroup_scene_open_gates(struct cgroup_scene *scene, const char *bpf_directory);
void cgroup_scene_close_gates(struct cgroup_scene *scene);
void cgroup_scene_allow(struct cgroup_scene *scene, const struct devnum *number, unsigned access);
void cgroup_scene_deny(struct cgroup_scene *scene, const struct devnum *number);

/* Opening tun gives `granted`, and all else is as the runtime's program has it. */
void cgroup_scene_assert_opens(const struct cgroup_scene *scene, int granted);

size_t cgroup_scene_programs(int group_fd, uint32_t ids[PROGRAMS_MAX]);
uint32_t cgroup_scene_only_program(int group_fd);

/* How many things are kept on the bpffs. */
size_t cgroup_scene_pins(void);

/* A process that counts the programs of the scene's group again and again, and its verdict. */
void cgroup_scene_watch(struct cgroup_scene *scene);
void cgroup_scene_assert_never_none(struct cgroup_scene *scene);

/* A program that allows everything. */
int cgroup_scene_load_allow_all(const char *name);

/* For a child that the test forks: it dies with the test, and nobody waits for it. */
void cgroup_scene_leave(void);
