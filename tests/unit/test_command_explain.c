/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* devolvectl explain: what it asks of the daemon, and what it makes of the answer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conversation.h"

static const struct conversation conversations[] = {
    {
        "explain says for each rule what matched or what failed",
        command_explain,
        {"explain", "tty:ttyUSB0", "web1"},
        {{CALL("Explain", "{\"device\":\"tty:ttyUSB0\",\"container\":\"web1\"}"),
          REPLY("{\"device\":{\"devpath\":\"/devices/tty0\",\"subsystem\":\"tty\"},"
                "\"explanations\":[{\"container\":\"web1\",\"given\":true,\"grant\":" TTY_GRANT ","
                "\"plan\":[\"make the node\",\"attach it\"],\"rules\":["
                "{\"file\":\"udev\",\"line\":0,\"verdict\":\"matched\"},"
                "{\"file\":\"1.rules\",\"line\":1,\"verdict\":\"no_match\","
                "\"key\":\"ATTRS{idVendor}==\\\"10c4\\\"\",\"value\":\"0403\","
                "\"parent\":\"/devices/1-2\",\"hint\":\"write something else\"},"
                "{\"file\":\"1.rules\",\"line\":2,\"verdict\":\"no_match\",\"key\":\"TAG=="
                "\\\"x\\\"\"},"
                "{\"file\":\"50-lab.rules\",\"line\":3,\"verdict\":\"matched\",\"gives\":true},"
                "{\"file\":\"50-lab.rules\",\"line\":14,\"verdict\":\"skipped\"}]},"
                "{\"container\":\"nil\",\"given\":false,\"rules\":[],\"plan\":[],"
                "\"reason\":\"out of reach\"}]}")}},
        EXIT_DONE,
        "/devices/tty0\n"
        "`- subsystem  tty\n"
        "web1  given\n"
        "|- /dev/ttyUSB0  c 188:0  0:20 0660  rw  delivered  50-lab.rules:3  "
        "/devices/tty0\n" LINK_LINES(
            "|  ") "|- rules\n"
                   "|  |- udev             matched\n"
                   "|  |- 1.rules:1        no match  ATTRS{idVendor}==\"10c4\"  but it is \"0403\" "
                   "at "
                   "/devices/1-2\n"
                   "|  |  `- write something else\n"
                   "|  |- 1.rules:2        no match  TAG==\"x\"  but the device has none\n"
                   "|  |- 50-lab.rules:3   matched   gives the device\n"
                   "|  `- 50-lab.rules:14  skipped\n"
                   "`- plan\n"
                   "   |- 1. make the node\n"
                   "   `- 2. attach it\n"
                   "nil  not given\n"
                   "|- out of reach\n"
                   "`- there are no rules\n",
        "",
    },
    {
        "explain says what a container that is not registered would get, and what is masked",
        command_explain,
        {"explain", "mem:null", "wbe1"},
        {{CALL("Explain", "{\"device\":\"mem:null\",\"container\":\"wbe1\"}"),
          REPLY(
              "{\"device\":{\"devpath\":\"/devices/null\"},\"explanations\":["
              "{\"container\":\"wbe1\",\"registered\":false,\"given\":true,\"grant\":null,"
              "\"plan\":[],\"hint\":\"is web1 meant?\",\"rules\":["
              "{\"file\":\"a.rules\",\"line\":1,\"verdict\":\"waits\",\"key\":\"TAG==\\\"x\\\"\"},"
              "{\"file\":\"a.rules\",\"line\":2,\"verdict\":\"waits\"},"
              "{\"file\":\"a.rules\",\"line\":3,\"verdict\":\"no_match\",\"key\":"
              "\"ATTRS{x}==\\\"1\\\"\",\"parent\":\"/devices/p\"},"
              "{\"file\":\"a.rules\",\"line\":4,\"verdict\":\"no_match\",\"key\":"
              "\"CONTAINER+=\\\"label:a=b\\\"\"}]},"
              "{\"container\":\"b\",\"registered\":false,\"given\":false,\"rules\":[]},"
              "{\"container\":\"\",\"registered\":false,\"given\":false,\"rules\":[]}],"
              "\"masked\":[{\"path\":\"/lib/a.rules\",\"by\":\"/etc/a.rules\"},"
              "{\"path\":\"/etc/b.rules\",\"by\":\"/dev/null\"}]}")}},
        EXIT_DONE,
        "/devices/null\n"
        "wbe1  not registered, would be given\n"
        "|- is web1 meant?\n"
        "`- rules\n"
        "   |- a.rules:1  waits     TAG==\"x\"\n"
        "   |- a.rules:2  waits     for an earlier rule\n"
        "   |- a.rules:3  no match  ATTRS{x}==\"1\"  but there is none at /devices/p\n"
        "   `- a.rules:4  no match  CONTAINER+=\"label:a=b\"  but the container has none\n"
        "b  not registered, would not be given\n"
        "`- there are no rules\n"
        "no container is registered\n"
        "`- there are no rules\n"
        "rule files that are not read\n"
        "|- /lib/a.rules: masked by /etc/a.rules\n"
        "`- /etc/b.rules: a link to /dev/null\n",
        "",
    },
};

static void each_explanation_reads_as_it_is_written(void **state)
{
    (void)state;
    conversations_hold(conversations, ARRAY_SIZE(conversations));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_explanation_reads_as_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
