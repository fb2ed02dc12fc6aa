/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kernel/note_directory.h"
#include "kernel/state_file.h"
#include "model/json_field.h"

struct place {
    char runtime[64];
    int fd;
};

static int make_place(void **state)
{
    static struct place place;
    snprintf(place.runtime, sizeof(place.runtime), "/tmp/devolve-unit.XXXXXX");
    if (!mkdtemp(place.runtime))
        return -1;
    place.fd = note_directory_open(place.runtime, "containers", NULL);
    *state = &place;
    return place.fd < 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    int above = open(place->runtime, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd_close(place->fd);
    int r = note_directory_clear(above, "containers");
    fd_close(above);
    return r < 0 || rmdir(place->runtime) < 0;
}

static void what_is_put_is_read(void **state)
{
    const struct place *place = *state;
    struct refusal why = {.error = 0};
    _cleanup_json_ json_t *put = json_pack("{s:i, s:[s, s]}", "a", 7, "b", "c", "d\n"),
                          *read = NULL;
    assert_int_equal(state_file_put(place->fd, "box", put, &why), 0);
    assert_int_equal(state_file_read(place->fd, "box", &read, &why), 0);
    assert_true(json_equal(put, read));
    assert_int_equal(state_file_put(place->fd, "box", NULL, &why), -ENOMEM);
    assert_int_equal(state_file_read(place->fd, "other", &read, &why), -ENOENT);
}

static void write_raw(const struct place *place, const char *bytes, size_t size)
{
    int fd = openat(place->fd, "box", O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    fd_close(fd);
}

/* Any byte changed, and any end cut off. */
static void what_was_damaged_is_refused(void **state)
{
    const struct place *place = *state;
    struct refusal why = {.error = 0};
    _cleanup_json_ json_t *put = json_pack("{s:i, s:s}", "number", 12, "name", "box");
    _cleanup_free_ char *good = NULL;
    size_t size;
    assert_int_equal(state_file_put(place->fd, "box", put, &why), 0);
    assert_int_equal(note_directory_read(place->fd, "box", NOTE_MAX, &good, &size, &why), 0);
    for (size_t i = 0; i < size; i++) {
        json_t *read = NULL;
        good[i] ^= 1;
        write_raw(place, good, size);
        good[i] ^= 1;
        if (state_file_read(place->fd, "box", &read, &why) != -EBADMSG)
            fail_msg("byte %zu does not matter", i);
        write_raw(place, good, i);
        if (state_file_read(place->fd, "box", &read, &why) != -EBADMSG)
            fail_msg("the first %zu bytes are enough", i);
    }
}

int main(void)
{
#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)
    static const struct CMUnitTest tests[] = {
        IN_PLACE(what_is_put_is_read),
        IN_PLACE(what_was_damaged_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
