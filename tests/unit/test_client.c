/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cli/client.h"
#include "fake_daemon.h"

#define PING "{\"method\":\"io.devolve.Ping\",\"parameters\":{}}"

/* The tests of one conversation: a client that is connected to a daemon which follows a script. */
static struct client *connect_to(struct fake_daemon *daemon, const struct exchange *exchanges,
                                 size_t count)
{
    struct client *client = NULL;
    struct refusal why = {0};
    fake_daemon_start(daemon, exchanges, count);
    if (client_open(&client, &why) < 0)
        fail_msg("%s", why.text);
    return client;
}

static void finish(struct fake_daemon *daemon, struct client *client)
{
    client_free(client);
    fake_daemon_stop(daemon);
}

static void without_a_daemon_the_reason_says_how_to_start_one(void **state)
{
    struct client *client = NULL;
    struct refusal why = {0};
    (void)state;
    setenv("DEVOLVE_RUNTIME_DIR", "/nonexistent/devolve", 1);
    assert_int_equal(client_open(&client, &why), -ENOENT);
    assert_null(client);
    assert_non_null(strstr(why.text, "devolved is not running"));
    assert_non_null(strstr(why.text, "/nonexistent/devolve/io.devolve"));
    assert_non_null(strstr(why.text, "systemctl start devolved"));
}

static void a_socket_that_a_dead_daemon_left_is_told_apart(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char directory[] = "/tmp/devolve-test-XXXXXX";
    struct client *client = NULL;
    struct refusal why = {0};
    (void)state;

    assert_non_null(mkdtemp(directory));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/io.devolve", directory);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    setenv("DEVOLVE_RUNTIME_DIR", directory, 1);
    int r = client_open(&client, &why);
    unlink(address.sun_path);
    rmdir(directory);

    assert_int_equal(r, -ECONNREFUSED);
    assert_non_null(strstr(why.text, "nobody listens"));
    assert_non_null(strstr(why.text, "systemctl start devolved"));
}

/* A listener whose queue is full, as that of a daemon that hangs. */
static void a_daemon_that_takes_no_connection_is_left_alone(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char directory[] = "/tmp/devolve-test-XXXXXX";
    struct client *client = NULL, *first = NULL;
    struct refusal why = {0};
    (void)state;

    assert_non_null(mkdtemp(directory));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/io.devolve", directory);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(client_open_at(directory, 20, &first, &why), 0);
    int r = client_open_at(directory, 20, &client, &why);
    client_free(first);
    unlink(address.sun_path);
    rmdir(directory);

    assert_int_equal(r, -EAGAIN);
    assert_null(client);
    assert_non_null(strstr(why.text, "does not take the connection"));
}

static void a_runtime_directory_too_long_for_a_socket_is_refused_by_name(void **state)
{
    struct client *client = NULL;
    struct refusal why = {0};
    char directory[sizeof(((struct sockaddr_un *)0)->sun_path)];
    (void)state;
    memset(directory, 'd', sizeof(directory) - 1);
    directory[0] = '/';
    directory[sizeof(directory) - 1] = '\0';
    setenv("DEVOLVE_RUNTIME_DIR", directory, 1);
    assert_int_equal(client_open(&client, &why), -ENAMETOOLONG);
    assert_non_null(strstr(why.text, "DEVOLVE_RUNTIME_DIR"));
}

static void a_reply_that_comes_byte_by_byte_is_put_together(void **state)
{
    static const struct exchange exchanges[] = {
        {PING, {{"{\"parameters\":{\"text\":\"a reply in pieces\"}}", 0, true}}, 0}};
    _cleanup_(varlink_reply_done) struct varlink_reply reply = {0};
    struct fake_daemon daemon;
    struct client *client = connect_to(&daemon, exchanges, ARRAY_SIZE(exchanges));
    (void)state;

    assert_int_equal(client_call(client, "io.devolve.Ping", NULL, &reply, NULL), 0);
    assert_null(reply.error);
    assert_string_equal(json_string_value(json_object_get(reply.parameters, "text")),
                        "a reply in pieces");
    finish(&daemon, client);
}

static void replies_that_come_together_are_taken_apart(void **state)
{
    static const char three[] = "{\"parameters\":{\"n\":1},\"continues\":true}\0"
                                "{\"parameters\":{\"n\":2},\"continues\":true}\0"
                                "{\"error\":\"io.devolve.Refused\"}";
    static const struct exchange exchanges[] = {
        {"{\"method\":\"io.devolve.Monitor\",\"parameters\":{},\"more\":true}",
         {{three, sizeof(three), false}},
         0}};
    struct fake_daemon daemon;
    struct client *client = connect_to(&daemon, exchanges, ARRAY_SIZE(exchanges));
    (void)state;

    assert_int_equal(client_send(client, "io.devolve.Monitor", NULL, true, NULL), 0);
    for (int n = 1; n <= 3; n++) {
        _cleanup_(varlink_reply_done) struct varlink_reply reply = {0};
        assert_int_equal(client_receive(client, &reply, NULL), 0);
        assert_int_equal(reply.continues, n < 3);
        assert_int_equal(reply.error != NULL, n == 3);
        if (n < 3)
            assert_int_equal(json_integer_value(json_object_get(reply.parameters, "n")), n);
    }
    finish(&daemon, client);
}

static void calls_on_one_connection_get_their_own_replies(void **state)
{
    static const struct exchange exchanges[] = {
        {"{\"method\":\"a.b.One\",\"parameters\":{\"x\":1}}",
         {{"{\"parameters\":{\"n\":1}}", 0, 0}},
         0},
        {"{\"method\":\"a.b.Two\",\"parameters\":{}}", {{"{\"parameters\":{\"n\":2}}", 0, 0}}, 0}};
    _cleanup_(varlink_reply_done) struct varlink_reply one = {0}, two = {0};
    _cleanup_json_ json_t *parameters = json_pack("{s:i}", "x", 1);
    struct fake_daemon daemon;
    struct client *client = connect_to(&daemon, exchanges, ARRAY_SIZE(exchanges));
    (void)state;

    assert_int_equal(client_call(client, "a.b.One", parameters, &one, NULL), 0);
    assert_int_equal(client_call(client, "a.b.Two", NULL, &two, NULL), 0);
    assert_int_equal(json_integer_value(json_object_get(one.parameters, "n")), 1);
    assert_int_equal(json_integer_value(json_object_get(two.parameters, "n")), 2);
    finish(&daemon, client);
}

static void a_daemon_that_goes_away_is_named(void **state)
{
    static const struct {
        struct answer answer;
        int error;
        const char *reason;
    } cases[] = {
        {{0}, -ECONNRESET, "devolved closed the connection"},
        {{"{\"parameters\":", 14, false}, -ECONNRESET, "in the middle of a reply"},
        {{"not JSON", 0, false}, -EBADMSG, "what is no reply: the message is no JSON"},
        {{"", 1, false}, -EBADMSG, "what is no reply"},
        {{"{\"method\":\"a.b.C\"}", 0, false}, -EBADMSG, "a reply has no member \"method\""},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct exchange exchange = {PING, {cases[i].answer}, 0};
        struct varlink_reply reply = {0};
        struct refusal why = {0};
        struct fake_daemon daemon;
        struct client *client = connect_to(&daemon, &exchange, 1);
        int r = client_call(client, "io.devolve.Ping", NULL, &reply, &why);
        finish(&daemon, client);
        if (r != cases[i].error || !strstr(why.text, cases[i].reason))
            fail_msg("case %zu: %d, %s", i, r, why.text);
    }
}

static void a_reply_without_end_is_given_up(void **state)
{
    size_t size = (size_t)VARLINK_MESSAGE_MAX * 20;
    _cleanup_free_ char *endless = malloc(size);
    struct exchange exchange = {PING, {{endless, size, false}}, 0};
    struct varlink_reply reply = {0};
    struct refusal why = {0};
    struct fake_daemon daemon;
    (void)state;

    assert_non_null(endless);
    memset(endless, ' ', size);
    struct client *client = connect_to(&daemon, &exchange, 1);
    assert_int_equal(client_call(client, "io.devolve.Ping", NULL, &reply, &why), -EBADMSG);
    assert_non_null(strstr(why.text, "no end"));
    finish(&daemon, client);
}

static void a_call_that_is_too_large_is_not_sent(void **state)
{
    static const struct exchange exchanges[] = {{PING, {{"{}", 0, false}}, 0}};
    _cleanup_(varlink_reply_done) struct varlink_reply reply = {0};
    _cleanup_json_ json_t *parameters = json_object();
    _cleanup_free_ char *text = calloc(1, VARLINK_MESSAGE_MAX + 1);
    struct refusal why = {0};
    struct fake_daemon daemon;
    (void)state;

    assert_non_null(text);
    memset(text, 'x', VARLINK_MESSAGE_MAX);
    json_object_set_new(parameters, "x", json_string(text));
    struct client *client = connect_to(&daemon, exchanges, ARRAY_SIZE(exchanges));
    assert_int_equal(client_send(client, "io.devolve.Ping", parameters, false, &why), -EMSGSIZE);
    assert_int_equal(client_call(client, "io.devolve.Ping", NULL, &reply, NULL), 0);
    finish(&daemon, client);
}

static void waiting_ends_when_the_waker_is_readable(void **state)
{
    struct fake_daemon daemon;
    struct varlink_reply reply = {0};
    struct refusal why = {0};
    int ends[2];
    /* the daemon waits for a call that never comes: only the pipe can end the wait */
    static const struct exchange exchanges[] = {{PING, {{"{}", 0, false}}, 0}};
    (void)state;

    struct client *client = connect_to(&daemon, exchanges, ARRAY_SIZE(exchanges));
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    client_wake_by(client, ends[0]);
    assert_int_equal(client_receive(client, &reply, &why), -EINTR);
    assert_int_equal(why.error, 0);

    client_wake_by(client, -1);
    assert_int_equal(client_call(client, "io.devolve.Ping", NULL, &reply, NULL), 0);
    varlink_reply_done(&reply);
    fd_close(ends[0]);
    fd_close(ends[1]);
    finish(&daemon, client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_daemon_the_reason_says_how_to_start_one),
        cmocka_unit_test(a_socket_that_a_dead_daemon_left_is_told_apart),
        cmocka_unit_test(a_daemon_that_takes_no_connection_is_left_alone),
        cmocka_unit_test(a_runtime_directory_too_long_for_a_socket_is_refused_by_name),
        cmocka_unit_test(a_reply_that_comes_byte_by_byte_is_put_together),
        cmocka_unit_test(replies_that_come_together_are_taken_apart),
        cmocka_unit_test(calls_on_one_connection_get_their_own_replies),
        cmocka_unit_test(a_daemon_that_goes_away_is_named),
        cmocka_unit_test(a_reply_without_end_is_given_up),
        cmocka_unit_test(a_call_that_is_too_large_is_not_sent),
        cmocka_unit_test(waiting_ends_when_the_waker_is_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
