/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The commands of devolvectl: what they ask of the daemon, what they print, how they end. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "conversation.h"

#define WEB1                                                                                       \
    "{\"name\":\"web1\",\"pid\":4711,\"labels\":{\"app\":\"shop\"},\"netns\":\"isolated\","        \
    "\"udev\":\"inside\","                                                                         \
    "\"uid_map\":\"0 100000 65536\",\"gid_map\":\"identity\",\"cgroup\":\"v2 /lxc/web1\","         \
    "\"state\":\"ready\",\"grants\":2,\"refused\":1,\"note\":null}"
#define NIL "{\"name\":\"nil\",\"pid\":9,\"netns\":\"host\",\"state\":\"stalled\",\"note\":\"odd\"}"
#define ZRAM_GRANT                                                                                 \
    "{\"container\":\"web1\",\"devpath\":\"/devices/zram0\",\"node\":\"/dev/z\\u001b[31m\","       \
    "\"number\":\"b 252:0\",\"uid\":null,\"gid\":null,\"mode\":\"0600\",\"access\":\"r\","         \
    "\"symlinks\":[],\"rule_file\":\"attach\",\"rule_line\":0,"                                    \
    "\"state\":\"refused\",\"reason\":\"uid 7 is not mapped: %s%n\"}"
#define ZRAM_LINE                                                                                  \
    "- /dev/z\\x1b[31m  b 252:0  ?:? 0600   r   refused    attach          /devices/zram0\n"

static const struct conversation conversations[] = {
    {
        "register tells the daemon everything that it was told",
        command_register,
        {"register", "web1", "--pid", "17", "--root=/r", "--label", "a=b", "--label", "c=d=e"},
        {{CALL("Register", "{\"name\":\"web1\",\"pid\":17,\"root\":\"/r\","
                           "\"labels\":{\"a\":\"b\",\"c\":\"d=e\"}}"),
          REPLY("{\"container\":" WEB1 "}")}},
        EXIT_DONE,
        "web1 is registered and has 2 grants; 1 refused, see \"devolvectl status web1\"\n",
        "",
    },
    {
        "register sends nothing that was not given",
        command_register,
        {"register", "--pid", "17", "web1"},
        {{CALL("Register", "{\"name\":\"web1\",\"pid\":17}"),
          REPLY("{\"container\":{\"name\":\"web1\",\"grants\":1,\"refused\":0}}")}},
        EXIT_DONE,
        "web1 is registered and has 1 grant\n",
        "",
    },
    {
        "a name that is taken is said with the process that has it",
        command_register,
        {"register", "web1", "--pid", "17"},
        {{CALL("Register", "{\"name\":\"web1\",\"pid\":17}"),
          ERROR("io.devolve.ContainerExists", "{\"name\":\"web1\",\"pid\":4711}")}},
        EXIT_FAILED,
        "",
        "devolvectl: a container \"web1\" is registered already, as process 4711: "
        "unregister it first\n",
    },
    {
        "unregister says that it is done",
        command_unregister,
        {"unregister", "web1"},
        {{CALL("Unregister", "{\"name\":\"web1\"}"), REPLY("{}")}},
        EXIT_DONE,
        "web1 is unregistered\n",
        "",
    },
    {
        "a container that is not there is named",
        command_unregister,
        {"unregister", "web2"},
        {{CALL("Unregister", "{\"name\":\"web2\"}"),
          ERROR("io.devolve.ContainerNotFound", "{\"name\":\"web\\u001b2\"}")}},
        EXIT_FAILED,
        "",
        "devolvectl: no container \"web\\x1b2\" is registered: "
        "\"devolvectl list\" shows those that are\n",
    },
    {
        "list draws containers and their grants",
        command_list,
        {"list"},
        {{CALL("ListContainers", "{}"), REPLY("{\"containers\":[" WEB1 "," NIL "]}")},
         {CALL("ListGrants", "{}"), REPLY("{\"grants\":[" TTY_GRANT "," ZRAM_GRANT "]}")}},
        EXIT_DONE,
        "web1  process 4711  isolated network  ready\n"
        "|" TTY_LINE LINK_LINES("|  ") "`" ZRAM_LINE "   `- uid 7 is not mapped: %s%n\n"
                                       "nil  process 9  host network  stalled\n"
                                       "`- no device\n",
        "",
    },
    {
        "list says when there is nothing",
        command_list,
        {"list"},
        {{CALL("ListContainers", "{}"), REPLY("{\"containers\":[]}")},
         {CALL("ListGrants", "{}"), REPLY("{\"grants\":[]}")}},
        EXIT_DONE,
        "no container is registered\n",
        "",
    },
    {
        "list prints both replies as one JSON object",
        command_list,
        {"list", "--json"},
        {{CALL("ListContainers", "{}"), REPLY("{\"containers\":[]}")},
         {CALL("ListGrants", "{}"), REPLY("{\"grants\":[{\"node\":\"\xc3\xa9\"}]}")}},
        EXIT_DONE,
        "{\n  \"containers\": [],\n  \"grants\": [\n    {\n      \"node\": \"\\u00E9\"\n    }\n"
        "  ]\n}\n",
        "",
    },
    {
        "status shows the daemon, its counters that are not zero, and warnings",
        command_status,
        {"status"},
        {{CALL("GetMetrics", "{}"),
          REPLY("{\"version\":\"0.1\",\"uptime_us\":11523000000,\"rules\":12,\"metrics\":"
                "{\"steps\":77,\"events_spoofed\":0,\"events\":12345},\"warnings\":[\"mind\"]}")},
         {CALL("ListContainers", "{}"), REPLY("{\"containers\":[" WEB1 "]}")}},
        EXIT_DONE,
        "devolved 0.1, up 3 h 12 min\n"
        "|- containers             1\n"
        "|- grants                 2\n"
        "|- refused                1\n"
        "`- rules                 12\n"
        "counters\n"
        "|- events             12345\n"
        "`- steps                 77\n"
        "warnings\n"
        "`- mind\n",
        "",
    },
    {
        "status of a container says in words what its facts mean",
        command_status,
        {"status", "web1"},
        {{CALL("ListContainers", "{\"name\":\"web1\"}"), REPLY("{\"containers\":[" WEB1 "]}")},
         {CALL("ListGrants", "{\"container\":\"web1\"}"), REPLY("{\"grants\":[" TTY_GRANT "]}")}},
        EXIT_DONE,
        "web1\n"
        "|- state    ready: everything that the rules give is there\n"
        "|- process  4711\n"
        "|- network  isolated: it hears only the events that devolve sends into it\n"
        "|- udev     inside: it runs a udevd of its own, which hears the kernel's events\n"
        "|- users    0 100000 65536\n"
        "|- groups   identity\n"
        "|- cgroup   v2 /lxc/web1\n"
        "`- label    app=shop\n"
        "grants\n"
        "`- /dev/ttyUSB0  c 188:0  0:20 0660  rw  delivered  50-lab.rules:3  "
        "/devices/tty0\n" LINK_LINES("   "),
        "",
    },
    {
        "status survives a reply that lacks almost everything",
        command_status,
        {"status", "nil"},
        {{CALL("ListContainers", "{\"name\":\"nil\"}"), REPLY("{\"containers\":[" NIL "]}")},
         {CALL("ListGrants", "{\"container\":\"nil\"}"), REPLY("{\"grants\":17}")}},
        EXIT_DONE,
        "nil\n"
        "|- state    stalled: its file system does not answer; devolve tries again by itself\n"
        "|- note     odd\n"
        "|- process  9\n"
        "|- network  host: served without injection, the kernel sends every event itself\n"
        "|- udev     ?\n"
        "|- users    ?\n"
        "|- groups   ?\n"
        "`- cgroup   ?\n"
        "grants\n"
        "`- no device\n",
        "",
    },
    {
        "attach passes all on and shows what was given",
        command_attach,
        {"attach", "web1", "/dev/ttyUSB0", "--node", "/dev/n", "--owner", "u", "--group=g",
         "--mode=0660", "--access", "rw", "--symlink", "/dev/a", "--symlink", "/dev/b"},
        {{CALL("Attach", "{\"container\":\"web1\",\"device\":\"/dev/ttyUSB0\",\"node\":\"/dev/n\","
                         "\"owner\":\"u\",\"group\":\"g\",\"mode\":\"0660\",\"access\":\"rw\","
                         "\"symlinks\":[\"/dev/a\",\"/dev/b\"]}"),
          REPLY("{\"grant\":" TTY_GRANT "}")}},
        EXIT_DONE,
        "web1\n"
        "`- /dev/ttyUSB0  c 188:0  0:20 0660  rw  delivered  50-lab.rules:3  "
        "/devices/tty0\n" LINK_LINES("   "),
        "",
    },
    {
        "attach says where it is kept, and by what the device is told",
        command_attach,
        {"attach", "web1", "usb:10c4:ea60", "--subtree", "--persist"},
        {{CALL("Attach", "{\"container\":\"web1\",\"device\":\"usb:10c4:ea60\",\"subtree\":true,"
                         "\"persist\":\"always\"}"),
          REPLY("{\"grant\":{\"container\":\"web1\",\"devpath\":\"/devices/1-1\",\"uid\":0,"
                "\"gid\":0,\"mode\":\"0600\",\"access\":\"rw\",\"persistent\":true,"
                "\"rule_file\":\"80-attached-web1-0123456789abcdef.rules\",\"rule_line\":6,"
                "\"state\":\"delivered\"},\"file\":\"/etc/devolve/x.rules\","
                "\"told_by\":\"By the serial number of the USB device\"}")}},
        EXIT_DONE,
        "web1\n"
        "`- (no node)  -  0:0 0600  rw  delivered  attached, persistent "
        "(80-attached-web1-0123456789abcdef.rules)  /devices/1-1\n"
        "kept in /etc/devolve/x.rules\n"
        "`- By the serial number of the USB device\n",
        "",
    },
    {
        "attach --persist=runtime asks for less",
        command_attach,
        {"attach", "web1", "/dev/ttyUSB0", "--persist=runtime"},
        {{CALL("Attach", "{\"container\":\"web1\",\"device\":\"/dev/ttyUSB0\","
                         "\"persist\":\"runtime\"}"),
          ERROR("io.devolve.Refused", "{\"text\":\"no\"}")}},
        EXIT_FAILED,
        "",
        "devolvectl: no\n",
    },
    {
        "a refusal is one line with the daemon's reason",
        command_attach,
        {"attach", "web1", "/dev/mem"},
        {{CALL("Attach", "{\"container\":\"web1\",\"device\":\"/dev/mem\"}"),
          ERROR("io.devolve.Refused", "{\"text\":\"/dev/mem is never given: \\u001b]0;%s\"}")}},
        EXIT_FAILED,
        "",
        "devolvectl: /dev/mem is never given: \\x1b]0;%s\n",
    },
    {
        "an attached device that was refused is a failure",
        command_attach,
        {"attach", "web1", "/dev/zram0"},
        {{CALL("Attach", "{\"container\":\"web1\",\"device\":\"/dev/zram0\"}"),
          REPLY("{\"grant\":" ZRAM_GRANT "}")}},
        EXIT_FAILED,
        "",
        "devolvectl: uid 7 is not mapped: %s%n\n",
    },
    {
        "a device that is not there is named with the reason",
        command_detach,
        {"detach", "web1", "usb:1:2"},
        {{CALL("Detach", "{\"container\":\"web1\",\"device\":\"usb:1:2\"}"),
          ERROR("io.devolve.DeviceNotFound",
                "{\"device\":\"usb:1:2\",\"reason\":\"no such device is plugged\"}")}},
        EXIT_FAILED,
        "",
        "devolvectl: no device \"usb:1:2\": no such device is plugged\n",
    },
    {
        "detach says that it is done",
        command_detach,
        {"detach", "web1", "/dev/x"},
        {{CALL("Detach", "{\"container\":\"web1\",\"device\":\"/dev/x\"}"), REPLY("{}")}},
        EXIT_DONE,
        "web1 no longer has /dev/x by hand\n",
        "",
    },
    {
        "doctor shows what is well and what is not",
        command_doctor,
        {"doctor"},
        {{CALL("Doctor", "{}"),
          REPLY("{\"findings\":[{\"verdict\":\"good\",\"subject\":\"events\",\"text\":\"heard\"},"
                "{\"verdict\":\"warning\",\"subject\":\"udev\",\"text\":\"none\"},{}]}")}},
        EXIT_DONE,
        "events  good     heard\n"
        "udev    warning  none\n"
        "?       ?        ?\n",
        "",
    },
    {
        "doctor of a container names the gate and the device",
        command_doctor,
        {"doctor", "web1"},
        {{CALL("Doctor", "{\"container\":\"web1\"}"),
          REPLY("{\"findings\":[{\"verdict\":\"good\",\"subject\":\"web1\",\"devpath\":null,"
                "\"gate\":null,\"text\":\"fine\"},{\"verdict\":\"bad\",\"subject\":\"web1\","
                "\"devpath\":\"/devices/1\",\"gate\":\"cgroup\",\"text\":\"denied\"},"
                "{\"verdict\":\"warning\",\"subject\":\"web1\",\"gate\":\"marker\","
                "\"text\":\"gone\"}]}")}},
        EXIT_DONE,
        "web1  good     fine\n"
        "web1  bad      cgroup: /devices/1: denied\n"
        "web1  warning  marker: gone\n",
        "",
    },
    {
        "reload says how many rules there are now, and shows warnings",
        command_reload,
        {"reload"},
        {{CALL("Reload", "{}"),
          REPLY("{\"rules\":2,\"problems\":[{\"severity\":\"warning\",\"file\":\"a.rules\","
                "\"line\":1,\"column\":1,\"text\":\"never grants\",\"source\":\"X\"}]}")}},
        EXIT_DONE,
        "2 rules are in force\n",
        "a.rules:1:1: warning: never grants\n    X\n    ^\n",
    },
    {
        "rules that were not accepted are shown as a compiler would",
        command_reload,
        {"reload"},
        {{CALL("Reload", "{}"),
          ERROR("io.devolve.InvalidRules",
                "{\"problems\":[{\"severity\":\"error\",\"file\":\"a.rules\",\"line\":2,"
                "\"column\":6,\"text\":\"no such key\",\"source\":\"A==1,FOO==2\"}]}")}},
        EXIT_FAILED,
        "",
        "a.rules:2:6: error: no such key\n    A==1,FOO==2\n         ^\n"
        "devolvectl: the rules have 1 error and were not applied: those in force stay\n",
    },
    {
        "monitor prints aligned lines and ends after --count of them",
        command_monitor,
        {"monitor", "--count", "3"},
        {{"{\"method\":\"io.devolve.Monitor\",\"parameters\":{},\"more\":true}",
          {{"{\"parameters\":{\"kind\":\"ready\",\"time_us\":1000002},\"continues\":true}"},
           {"{\"parameters\":{\"kind\":\"event\",\"time_us\":2000003,\"action\":\"add\","
            "\"devpath\":\"/devices/zram0\",\"seqnum\":9},\"continues\":true}"},
           {"{\"parameters\":{\"kind\":\"step\",\"time_us\":12345678901,\"container\":\"web1\","
            "\"text\":\"attach /dev/zram0\",\"duration_us\":72},\"continues\":true}"},
           {"{\"parameters\":{\"kind\":\"decision\",\"time_us\":5,\"container\":\"web1\","
            "\"rule_file\":\"a.rules\",\"rule_line\":3,\"error\":\"no %s\"},\"continues\":true}"},
           {"{\"parameters\":{\"kind\":\"never shown\"},\"continues\":true}"}}}},
        EXIT_DONE,
        "     1.000002  ready                  nothing is missed from here on\n"
        "     2.000003  event                  add /devices/zram0 (seqnum 9)\n"
        " 12345.678901  step            72 us  web1: attach /dev/zram0\n"
        "     0.000005  decision               web1: [a.rules:3] error: no %s\n",
        "",
    },
    {
        "monitor --json prints one object a line and says when the daemon goes",
        command_monitor,
        {"monitor", "--json"},
        {{"{\"method\":\"io.devolve.Monitor\",\"parameters\":{},\"more\":true}",
          {{"{\"parameters\":{\"kind\":\"ready\",\"time_us\":2},\"continues\":true}"},
           {"{\"parameters\":{\"kind\":\"event\",\"devpath\":\"\xc3\xa9\"},\"continues\":true}"}}}},
        EXIT_FAILED,
        "{\"kind\":\"ready\",\"time_us\":2}\n{\"kind\":\"event\",\"devpath\":\"\\u00E9\"}\n",
        "devolvectl: devolved closed the connection\n",
    },
    {
        "a signal ends monitor with success",
        command_monitor,
        {"monitor"},
        {{"{\"method\":\"io.devolve.Monitor\",\"parameters\":{},\"more\":true}", {{NULL}}, SIGINT}},
        EXIT_DONE,
        "",
        "",
    },
    {
        "a daemon of another version is told from a wrong argument",
        command_reload,
        {"reload"},
        {{CALL("Reload", "{}"),
          ERROR("org.varlink.service.MethodNotFound", "{\"method\":\"io.devolve.Reload\"}")}},
        EXIT_FAILED,
        "",
        "devolvectl: devolved does not know io.devolve.Reload: it is of another version than this "
        "devolvectl\n",
    },
    {
        "an error that nobody knows is named",
        command_reload,
        {"reload"},
        {{CALL("Reload", "{}"), ERROR("io.devolve.Novel", "{}")}},
        EXIT_FAILED,
        "",
        "devolvectl: devolved answered with the error io.devolve.Novel\n",
    },
};

static void each_conversation_goes_as_it_is_written(void **state)
{
    (void)state;
    conversations_hold(conversations, ARRAY_SIZE(conversations));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_conversation_goes_as_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
