/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ownership in C: a variable that cleans up after itself, and the word that hands its value on. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_free_ _cleanup_(util_freep)
#define _cleanup_close_ _cleanup_(util_closep)
#define _printf_(text, first) __attribute__((format(printf, text, first)))

/* Defines the NULL-accepting clean-up function `function##p` for variables of `type`. */
#define DEFINE_CLEANUP(type, function)                                                             \
    static inline void function##p(type *pointer)                                                  \
    {                                                                                              \
        if (*pointer)                                                                              \
            function(*pointer);                                                                    \
    }

/* The value of a pointer or descriptor variable, which is emptied: its clean-up then does nothing.
 */
#define TAKE_PTR(pointer)                                                                          \
    ({                                                                                             \
        __typeof__(pointer) _taken = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        _taken;                                                                                    \
    })
#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int _taken_fd = (fd);                                                                      \
        (fd) = -1;                                                                                 \
        _taken_fd;                                                                                 \
    })

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static inline void util_freep(void *pointer)
{
    free(*(void **)pointer);
}

/* Closes `fd` unless it is -1; returns -1, so that `fd = fd_close(fd)` empties the variable. */
static inline int fd_close(int fd)
{
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static inline void util_closep(int *fd)
{
    fd_close(*fd);
}

static inline bool streq(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Like streq(), where either may be NULL; two NULLs are equal. */
static inline bool streq_null(const char *a, const char *b)
{
    return a && b ? streq(a, b) : a == b;
}

/* The part of `string` after `prefix`, or NULL where it does not begin with it. */
static inline const char *after_prefix(const char *string, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(string, prefix, length) == 0 ? string + length : NULL;
}

/* CLOCK_MONOTONIC in microseconds. */
static inline uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/*
 * Room for one more element behind the `count` of `*array` (elements of `size` bytes): grows in
 * powers of two, so that `count` alone tells the capacity. The new element is zeroed.
 * Returns it, or NULL when memory is short; the array is then as it was.
 */
static inline void *array_add(void *array, size_t *count, size_t size)
{
    void **base = array;
    if ((*count & (*count - 1)) == 0) {
        void *grown = reallocarray(*base, *count ? *count * 2 : 1, size);
        if (!grown)
            return NULL;
        *base = grown;
    }
    void *element = (char *)*base + *count * size;
    memset(element, 0, size);
    (*count)++;
    return element;
}
