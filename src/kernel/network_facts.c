/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/network_facts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "base/text.h"
#include "kernel/network_route.h"

static void on_link(struct nl_object *object, void *userdata)
{
    struct rtnl_link **ret = userdata;
    if (*ret)
        return;
    nl_object_get(object);
    *ret = (struct rtnl_link *)object;
}

static void on_link_message(struct nl_msg *message, void *userdata)
{
    (void)nl_msg_parse(message, on_link, userdata);
}

static int ask_link(struct network_socket *socket, int ifindex, const char *name,
                    struct rtnl_link **ret)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *link = NULL;
    struct nl_msg *request;
    if (rtnl_link_build_get_request(ifindex, name, &request) < 0)
        return -ENOMEM;
    int r = network_socket_ask(socket, request, on_link_message, &link);
    if (r < 0 || !link)
        return r < 0 ? r : -EIO;
    *ret = TAKE_PTR(link);
    return 0;
}

int network_facts_read_link(struct network_socket *socket, int ifindex, struct rtnl_link **ret)
{
    return ask_link(socket, ifindex, NULL, ret);
}

bool network_facts_is_name_taken(struct network_socket *socket, const char *name)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *other = NULL;
    return ask_link(socket, 0, name, &other) == 0;
}

static void set_name(char to[IFNAMSIZ], const char *from)
{
    snprintf(to, IFNAMSIZ, "%s", from ? from : "");
}

static int read_master(struct network_socket *socket, int ifindex, struct network_facts *facts)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *master = NULL;
    if (ifindex <= 0)
        return 0;
    int r = network_facts_read_link(socket, ifindex, &master);
    if (r < 0)
        return r;
    set_name(facts->master, rtnl_link_get_name(master));
    set_name(facts->master_kind, rtnl_link_get_type(master));
    return 0;
}

/* cfg80211 links an interface to its phy. */
static int find_phy(const char *name)
{
    char path[128], text[32];
    uint64_t index;
    snprintf(path, sizeof(path), "/sys/class/net/%s/phy80211/index", name);
    ssize_t length = file_read_at(AT_FDCWD, path, text, sizeof(text));
    if (length <= 0)
        return -1;
    text[strcspn(text, "\n")] = '\0';
    return text_to_number(text, INT32_MAX, &index) > 0 ? (int)index : -1;
}

DEFINE_CLEANUP(DIR *, closedir)

/* What stands on it (a VLAN, a macvlan, a team) loses its ground with it: sysfs links to these. */
static void find_upper(struct network_facts *facts)
{
    char path[64];
    snprintf(path, sizeof(path), "/sys/class/net/%s", facts->name);
    _cleanup_(closedirp) DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        const char *upper = after_prefix(entry->d_name, "upper_");
        if (upper)
            set_name(facts->upper, upper);
    }
}

int network_facts_read(struct network_socket *socket, int ifindex, struct network_facts *ret,
                       struct refusal *why)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *link = NULL;
    struct network_facts facts = {.phy = -1};
    int r = network_facts_read_link(socket, ifindex, &link);
    if (r == -ENODEV)
        return refuse(why, ENODEV, "the interface is gone already");
    if (r == 0) {
        set_name(facts.name, rtnl_link_get_name(link));
        facts.loopback = rtnl_link_get_flags(link) & IFF_LOOPBACK;
        facts.phy = find_phy(facts.name);
        find_upper(&facts);
        r = read_master(socket, rtnl_link_get_master(link), &facts);
    }
    if (r == 0)
        r = network_route_is_default(socket, ifindex, &facts.default_route);
    if (r < 0)
        return refuse(why, -r, "cannot look at interface %s: %s", facts.name, strerror(-r));
    *ret = facts;
    return 0;
}

int network_facts_check(const struct network_facts *facts, struct refusal *why)
{
    if (facts->loopback)
        return refuse(why, EBUSY, "%s is a loopback interface, which stays in its namespace",
                      facts->name);
    if (facts->master[0])
        return refuse(why, EBUSY, "%s is a member of %s%s%s: take it out of that first",
                      facts->name, facts->master_kind, facts->master_kind[0] ? " " : "",
                      facts->master);
    if (facts->upper[0])
        return refuse(why, EBUSY, "%s carries %s: take that off it first", facts->name,
                      facts->upper);
    if (facts->default_route)
        return refuse(why, EBUSY, "the host's default route goes through %s", facts->name);
    return 0;
}

/* What is on the same phy goes along. */
static int check_neighbour(struct network_socket *socket, const struct network_facts *facts,
                           const char *name, struct refusal *why)
{
    struct network_facts neighbour;
    struct refusal reason = {.error = 0};
    unsigned ifindex = if_nametoindex(name);
    if (streq(name, facts->name) || find_phy(name) != facts->phy || ifindex == 0)
        return 0;
    int r = network_facts_read(socket, (int)ifindex, &neighbour, &reason);
    if (r == 0)
        r = network_facts_check(&neighbour, &reason);
    if (r == 0 || r == -ENODEV)
        return 0;
    return refuse(why, reason.error, "%s goes with phy%d, and %s with it: %s", facts->name,
                  facts->phy, name, reason.text);
}

int network_facts_check_phy(struct network_socket *socket, const struct network_facts *facts,
                            struct refusal *why)
{
    _cleanup_(closedirp) DIR *directory = facts->phy < 0 ? NULL : opendir("/sys/class/net");
    int r = 0;
    for (struct dirent *entry; r == 0 && directory && (entry = readdir(directory));)
        if (entry->d_name[0] != '.')
            r = check_neighbour(socket, facts, entry->d_name, why);
    return r;
}
