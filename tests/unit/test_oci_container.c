/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "hooks/oci_container.h"
#include "kernel/process.h"

/*
 * A storage as podman and CRI-O have it, and a container in it whose process is this one. Its root
 * is ours, as a container's is that is being created.
 */
#define IMAGE "0123456789abcdef"

struct storage {
    char top[64];
};

static void make_directory(const struct storage *storage, const char *path)
{
    char full[256];
    snprintf(full, sizeof(full), "%s/%s", storage->top, path);
    if (mkdir(full, 0700) < 0 && errno != EEXIST)
        fail_msg("mkdir %s: %s", full, strerror(errno));
}

static void put(const struct storage *storage, const char *path, const char *text)
{
    char full[256];
    snprintf(full, sizeof(full), "%s/%s", storage->top, path);
    FILE *file = fopen(full, "we");
    if (!file || fputs(text, file) < 0)
        fail_msg("%s: %s", full, strerror(errno));
    fclose(file);
}

static int make_storage(void **state)
{
    struct storage *storage = calloc(1, sizeof(*storage));
    snprintf(storage->top, sizeof(storage->top), "/tmp/devolve-test-XXXXXX");
    assert_non_null(mkdtemp(storage->top));
    make_directory(storage, "vfs-containers");
    make_directory(storage, "vfs-containers/box");
    make_directory(storage, "vfs-containers/box/userdata");
    make_directory(storage, "vfs-images");
    make_directory(storage, "vfs-images/" IMAGE);
    put(storage, "vfs-containers/box/userdata/config.json", "{\"root\":{\"path\":\"rootfs\"}}");
    *state = storage;
    return 0;
}

static int remove_storage(void **state)
{
    static const char *const paths[] = {("vfs-images/" IMAGE "/manifest"),
                                        ("vfs-images/" IMAGE "/=another"),
                                        ("vfs-images/" IMAGE),
                                        "vfs-images",
                                        "vfs-containers/containers.lock",
                                        "vfs-containers/containers.json",
                                        "vfs-containers/volatile-containers.json",
                                        "vfs-containers/box/userdata/config.json",
                                        "vfs-containers/box/userdata",
                                        "vfs-containers/box",
                                        "vfs-containers",
                                        ""};
    struct storage *storage = *state;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        char full[256];
        snprintf(full, sizeof(full), "%s/%s", storage->top, paths[i]);
        (void)remove(full);
    }
    int r = access(storage->top, F_OK) == 0 ? -1 : 0;
    free(storage);
    return r;
}

/* What is registered of the container with these annotations. */
static int describe(const struct storage *storage, const char *annotations,
                    struct waiting_note *ret, struct refusal *remark)
{
    struct oci_state box;
    struct refusal why = {.error = 0};
    char text[1024];
    snprintf(text, sizeof(text),
             "{\"id\":\"box\",\"status\":\"creating\",\"pid\":%d,"
             "\"bundle\":\"%s/vfs-containers/box/userdata\",\"annotations\":%s}",
             (int)getpid(), storage->top, annotations);
    if (oci_state_parse(text, strlen(text), &box, &why) < 0)
        fail_msg("%s", why.text);
    int r = oci_container_describe(&box, NULL, ret, remark, &why);
    if (r < 0)
        print_message("%s\n", why.text);
    oci_state_done(&box);
    return r;
}

static void without_annotations_the_id_is_name_and_label(void **state)
{
    struct waiting_note note;
    struct refusal remark = {.error = 0};
    assert_int_equal(describe(*state, "{}", &note, &remark), 1);
    assert_string_equal(note.name, "box");
    assert_int_equal(note.labels.count, 1);
    assert_string_equal(property_get(&note.labels, "id"), "box");
    assert_int_equal(remark.error, 0);
    waiting_note_done(&note);
}

static void the_process_is_told_from_any_other(void **state)
{
    struct waiting_note note;
    struct refusal remark = {.error = 0};
    char boot_id[PROCESS_BOOT_ID_SIZE];
    assert_int_equal(describe(*state, "{}", &note, &remark), 1);
    assert_int_equal(process_boot_id(boot_id), 0);
    assert_string_equal(note.boot_id, boot_id);
    assert_int_equal(note.pid, getpid());
    assert_true(note.start_time > 0);
    assert_int_equal(note.start_time, process_start_time(getpid()));
    waiting_note_done(&note);
}

static void before_it_is_entered_the_root_is_in_the_bundle(void **state)
{
    const struct storage *storage = *state;
    static const struct {
        const char *config, *tail;
        bool absolute;
    } cases[] = {
        {"{\"root\":{\"path\":\"rootfs\"}}", "/vfs-containers/box/userdata/rootfs", false},
        {"{\"root\":{\"path\":\"/elsewhere/merged\"}}", "/elsewhere/merged", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char root[256];
        struct waiting_note note;
        struct refusal remark = {.error = 0};
        put(storage, "vfs-containers/box/userdata/config.json", cases[i].config);
        assert_int_equal(describe(storage, "{}", &note, &remark), 1);
        snprintf(root, sizeof(root), "%s%s", cases[i].absolute ? "" : storage->top, cases[i].tail);
        assert_string_equal(note.root, root);
        waiting_note_done(&note);
    }
}

static void a_bundle_without_a_root_is_refused(void **state)
{
    static const char *const configs[] = {"", "[]", "{}", "{\"root\":{}}",
                                          "{\"root\":{\"path\":\"\"}}"};
    for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
        struct waiting_note note;
        struct refusal remark = {.error = 0};
        put(*state, "vfs-containers/box/userdata/config.json", configs[i]);
        assert_int_equal(describe(*state, "{}", &note, &remark), -EBADMSG);
    }
}

static void annotations_are_the_name_and_labels(void **state)
{
    struct waiting_note note;
    struct refusal remark = {.error = 0};
    assert_int_equal(describe(*state,
                              "{\"io.devolve.name\":\"web1\",\"io.devolve.tier\":\"front\","
                              "\"io.devolve.id\":\"a lie\",\"io.devolve.\":\"x\","
                              "\"io.devolve.number\":7,\"org.example.name\":\"x\"}",
                              &note, &remark),
                     1);
    assert_string_equal(note.name, "web1");
    assert_int_equal(note.labels.count, 2);
    assert_string_equal(property_get(&note.labels, "tier"), "front");
    assert_string_equal(property_get(&note.labels, "id"), "box");
    assert_int_equal(remark.error, 0);
    waiting_note_done(&note);
}

#define CLAIM                                                                                      \
    "{\"io.container.manager\":\"none\",\"io.devolve.name\":\"web1\",\"io.devolve.tier\":"         \
    "\"front\"}"
#define LISTED "[{\"id\":\"other\",\"image\":\"f\"},{\"id\":\"box\",\"image\":\"" IMAGE "\"}]"

static void what_the_image_annotates_does_not_count(void **state)
{
    static const struct {
        const char *list, *text; /* file and content */
        const char *manifest, *another;
        const char *name, *tier;
    } cases[] = {
        /* nothing of it is the image's */
        {"containers.json", LISTED, "{}", NULL, "web1", "front"},
        {"containers.json", LISTED, "{\"annotations\":{\"io.devolve.other\":\"x\"}}", NULL, "web1",
         "front"},
        {"containers.json", "[{\"id\":\"box\",\"image\":\"\"}]", NULL, NULL, "web1", "front"},
        /* some of it is */
        {"containers.json", LISTED, "{\"annotations\":{\"io.devolve.name\":\"web1\"}}", NULL, "box",
         "front"},
        {"containers.json", LISTED, "{\"annotations\":{\"io.devolve.name\":\"other\"}}", NULL,
         "box", "front"},
        {"volatile-containers.json", LISTED, "{\"annotations\":{\"io.devolve.tier\":\"front\"}}",
         NULL, "web1", NULL},
        {"containers.json", LISTED, "{}", "{\"annotations\":{\"io.devolve.name\":\"web1\"}}", "box",
         "front"},
        /* it cannot be known */
        {"containers.json", LISTED, NULL, NULL, "box", NULL},
        {"containers.json", LISTED, "no manifest", NULL, "box", NULL},
        {"containers.json", "no list", "{}", NULL, "box", NULL},
        {"containers.json", "[]", "{}", NULL, "box", NULL},
        {"containers.json", "[{\"id\":\"box\",\"image\":\"../vfs-images/" IMAGE "\"}]", "{}", NULL,
         "box", NULL},
        {"containers.lock", "", "{}", NULL, "box", NULL},
        /* CRI-O's, whose lists lie elsewhere; it hands on no image's annotations */
        {NULL, NULL, NULL, NULL, "web1", "front"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        void *made = NULL;
        char list[64];
        struct waiting_note note;
        struct refusal remark = {.error = 0};
        make_storage(&made);
        snprintf(list, sizeof(list), "vfs-containers/%s", cases[i].list ? cases[i].list : "");
        if (cases[i].list)
            put(made, list, cases[i].text);
        if (cases[i].manifest)
            put(made, ("vfs-images/" IMAGE "/manifest"), cases[i].manifest);
        if (cases[i].another)
            put(made, ("vfs-images/" IMAGE "/=another"), cases[i].another);
        assert_int_equal(describe(made, CLAIM, &note, &remark), 1);
        assert_string_equal(note.name, cases[i].name);
        assert_true(streq_null(property_get(&note.labels, "tier"), cases[i].tier));
        bool all = streq(cases[i].name, "web1") && cases[i].tier;
        assert_int_equal(remark.error, all ? 0 : EPERM);
        waiting_note_done(&note);
        assert_int_equal(remove_storage(&made), 0);
    }
}

static void a_bundle_that_is_not_there_makes_no_annotation_count(void **state)
{
    struct oci_state box;
    struct waiting_note note;
    struct refusal remark = {.error = 0}, why = {.error = 0};
    char text[512];
    (void)state;
    snprintf(text, sizeof(text),
             "{\"id\":\"box\",\"status\":\"created\",\"pid\":%d,\"bundle\":\"/nonexistent\","
             "\"root\":\"/r\",\"annotations\":" CLAIM "}",
             (int)getpid());
    assert_int_equal(oci_state_parse(text, strlen(text), &box, &why), 0);
    assert_int_equal(oci_container_describe(&box, NULL, &note, &remark, &why), 1);
    assert_string_equal(note.name, "box");
    assert_string_equal(note.root, "/r");
    assert_int_equal(note.labels.count, 1);
    assert_non_null(strstr(remark.text, "/nonexistent"));
    waiting_note_done(&note);
    oci_state_done(&box);
}

static void a_process_that_has_ended_needs_nothing(void **state)
{
    static const char text[] = "{\"id\":\"box\",\"status\":\"created\",\"pid\":2147483647,"
                               "\"bundle\":\"/nonexistent\"}";
    struct oci_state box;
    struct waiting_note note;
    struct refusal remark = {.error = 0}, why = {.error = 0};
    (void)state;
    assert_int_equal(oci_state_parse(text, strlen(text), &box, &why), 0);
    assert_int_equal(oci_container_describe(&box, NULL, &note, &remark, &why), 0);
    oci_state_done(&box);
}

int main(void)
{
#define WITH_STORAGE(test) cmocka_unit_test_setup_teardown(test, make_storage, remove_storage)
    static const struct CMUnitTest tests[] = {
        WITH_STORAGE(without_annotations_the_id_is_name_and_label),
        WITH_STORAGE(the_process_is_told_from_any_other),
        WITH_STORAGE(before_it_is_entered_the_root_is_in_the_bundle),
        WITH_STORAGE(a_bundle_without_a_root_is_refused),
        WITH_STORAGE(annotations_are_the_name_and_labels),
        cmocka_unit_test(what_the_image_annotates_does_not_count),
        cmocka_unit_test(a_bundle_that_is_not_there_makes_no_annotation_count),
        cmocka_unit_test(a_process_that_has_ended_needs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
