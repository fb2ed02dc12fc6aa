/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/network_altname.h"

#include <errno.h>
#include <linux/rtnetlink.h>

void network_altnames_done(struct network_altnames *altnames)
{
    for (size_t i = 0; i < altnames->count; i++)
        free(altnames->names[i]);
    free(altnames->names);
    *altnames = (struct network_altnames){.count = 0};
}

static bool has(const struct network_altnames *altnames, const char *name)
{
    for (size_t i = 0; altnames && i < altnames->count; i++)
        if (streq(altnames->names[i], name))
            return true;
    return false;
}

struct reading {
    struct network_altnames found;
    int error;
};

static void note_name(struct reading *reading, const struct nlattr *attribute)
{
    struct network_altnames *found = &reading->found;
    char *name = strndup(nla_data(attribute), (size_t)nla_len(attribute));
    char **slot = name ? array_add(&found->names, &found->count, sizeof(*slot)) : NULL;
    if (slot) {
        *slot = name;
        return;
    }
    free(name);
    reading->error = -ENOMEM;
}

static void on_link(struct nl_msg *message, void *userdata)
{
    struct nlattr *list =
        nlmsg_find_attr(nlmsg_hdr(message), sizeof(struct ifinfomsg), IFLA_PROP_LIST);
    struct nlattr *attribute;
    int left;
    if (list)
        nla_for_each_nested(attribute, list, left) if (nla_type(attribute) == IFLA_ALT_IFNAME)
            note_name(userdata, attribute);
}

static struct nl_msg *new_request(int type, int ifindex)
{
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
    _cleanup_(nlmsg_freep) struct nl_msg *message = nlmsg_alloc_simple(type, 0);
    if (!message || nlmsg_append(message, &info, sizeof(info), NLMSG_ALIGNTO) < 0)
        return NULL;
    return TAKE_PTR(message);
}

int network_altnames_read(struct network_socket *socket, int ifindex, struct network_altnames *ret)
{
    struct reading reading = {.error = 0};
    struct nl_msg *message = new_request(RTM_GETLINK, ifindex);
    int r = message ? network_socket_ask(socket, message, on_link, &reading) : -ENOMEM;
    if (r == 0)
        r = reading.error;
    if (r == 0)
        *ret = reading.found;
    else
        network_altnames_done(&reading.found);
    return r;
}

/* One at a time, as one that fails would end a longer request. */
static int change(struct network_socket *socket, int ifindex, int type, const char *name)
{
    _cleanup_(nlmsg_freep) struct nl_msg *message = new_request(type, ifindex);
    struct nlattr *list = message ? nla_nest_start(message, IFLA_PROP_LIST | NLA_F_NESTED) : NULL;
    if (!list || nla_put_string(message, IFLA_ALT_IFNAME, name) < 0)
        return -ENOMEM;
    nla_nest_end(message, list);
    return network_socket_request(socket, TAKE_PTR(message));
}

/* Changes those of `names` that are not in `except`. */
static int change_all(struct network_socket *socket, int ifindex, int type,
                      const struct network_altnames *names, const struct network_altnames *except)
{
    int error = 0;
    for (size_t i = 0; i < names->count; i++) {
        int r = has(except, names->names[i]) ? 0 : change(socket, ifindex, type, names->names[i]);
        if (r < 0)
            error = r;
    }
    return error;
}

int network_altnames_keep_only(struct network_socket *socket, int ifindex,
                               const struct network_altnames *keep)
{
    struct network_altnames now = {.count = 0};
    int r = network_altnames_read(socket, ifindex, &now);
    if (r == 0)
        r = change_all(socket, ifindex, RTM_DELLINKPROP, &now, keep);
    network_altnames_done(&now);
    return r;
}

int network_altnames_add(struct network_socket *socket, int ifindex,
                         const struct network_altnames *altnames)
{
    struct network_altnames now = {.count = 0};
    int r = network_altnames_read(socket, ifindex, &now);
    if (r == 0)
        r = change_all(socket, ifindex, RTM_NEWLINKPROP, altnames, &now);
    network_altnames_done(&now);
    return r;
}
