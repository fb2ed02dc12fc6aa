/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/network_home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "kernel/network_facts.h"
#include "kernel/network_request.h"

#define CLASS_NET "/sys/class/net"
#define FREE_PREFIX "dev"

static const char *name_of(struct rtnl_link *link)
{
    const char *name = rtnl_link_get_name(link);
    return name ? name : "";
}

const char *network_home_name(const struct network_home *home)
{
    return name_of(home->was);
}

static int read_inode(int class_fd, const char *name, uint64_t *ret)
{
    struct stat status;
    if (fstatat(class_fd, name, &status, 0) < 0)
        return -errno;
    *ret = status.st_ino;
    return 0;
}

static int open_class(void)
{
    int fd = open(CLASS_NET, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int network_home_read(struct network_socket *host, int ifindex, struct network_home *ret,
                      struct refusal *why)
{
    struct network_home home = {.inode = 0};
    _cleanup_close_ int class_fd = open_class();
    int r = class_fd < 0 ? class_fd : network_facts_read_link(host, ifindex, &home.was);
    if (r == 0)
        r = network_altnames_read(host, ifindex, &home.altnames);
    if (r == 0)
        r = read_inode(class_fd, name_of(home.was), &home.inode);
    if (r < 0) {
        network_home_done(&home);
        return refuse(why, -r, "cannot look at the interface: %s", strerror(-r));
    }
    *ret = home;
    return 0;
}

void network_home_done(struct network_home *home)
{
    rtnl_link_put(home->was);
    home->was = NULL;
    network_altnames_done(&home->altnames);
}

static int read_ifindex(int class_fd, const char *name)
{
    char path[300], text[32];
    uint64_t ifindex;
    snprintf(path, sizeof(path), "%s/ifindex", name);
    if (file_read_at(class_fd, path, text, sizeof(text)) <= 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    return text_to_number(text, INT32_MAX, &ifindex) > 0 ? (int)ifindex : 0;
}

DEFINE_CLEANUP(DIR *, closedir)

int network_home_find(const struct network_home *home)
{
    _cleanup_(closedirp) DIR *directory = opendir(CLASS_NET);
    uint64_t inode;
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && read_inode(dirfd(directory), entry->d_name, &inode) == 0 &&
            inode == home->inode)
            return read_ifindex(dirfd(directory), entry->d_name);
    return 0;
}

/* Each adds what is to be set back, where that differs: drivers may refuse even what is so already.
 */
static int put_address(struct nl_msg *message, struct rtnl_link *was, struct rtnl_link *now)
{
    struct nl_addr *address = rtnl_link_get_addr(was);
    if (!address || nl_addr_get_len(address) == 0 ||
        nl_addr_cmp(address, rtnl_link_get_addr(now)) == 0)
        return 0;
    return nla_put(message, IFLA_ADDRESS, (int)nl_addr_get_len(address),
                   nl_addr_get_binary_addr(address));
}

static int put_mtu(struct nl_msg *message, struct rtnl_link *was, struct rtnl_link *now)
{
    if (rtnl_link_get_mtu(was) == rtnl_link_get_mtu(now))
        return 0;
    return nla_put_u32(message, IFLA_MTU, rtnl_link_get_mtu(was));
}

static int put_group(struct nl_msg *message, struct rtnl_link *was, struct rtnl_link *now)
{
    if (rtnl_link_get_group(was) == rtnl_link_get_group(now))
        return 0;
    return nla_put_u32(message, IFLA_GROUP, rtnl_link_get_group(was));
}

static int put_alias(struct nl_msg *message, struct rtnl_link *was, struct rtnl_link *now)
{
    const char *alias = rtnl_link_get_ifalias(was);
    if (streq_null(alias, rtnl_link_get_ifalias(now)))
        return 0;
    return nla_put(message, IFLA_IFALIAS, alias ? (int)strlen(alias) : 0, alias ? alias : "");
}

static const struct {
    const char *name;
    int (*put)(struct nl_msg *message, struct rtnl_link *was, struct rtnl_link *now);
} settings[] = {
    {"MAC address", put_address}, {"MTU", put_mtu}, {"group", put_group}, {"alias", put_alias}};

int network_home_bring(const struct network_home *home, struct network_socket *inside,
                       struct rtnl_link *now, int home_fd, const char *name)
{
    _cleanup_(nlmsg_freep) struct nl_msg *message =
        network_request_new_move(rtnl_link_get_ifindex(now), home_fd, name);
    int r = message ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(settings); i++)
        r = settings[i].put(message, home->was, now);
    return r == 0 ? network_socket_request(inside, TAKE_PTR(message)) : -ENOMEM;
}

/* Whether one setting is as it was, or is now. */
static int set_back(const struct network_home *home, struct network_socket *host,
                    struct rtnl_link *now, size_t setting)
{
    _cleanup_(nlmsg_freep) struct nl_msg *message = network_request_new(rtnl_link_get_ifindex(now));
    if (!message)
        return -ENOMEM;
    uint32_t empty = nlmsg_hdr(message)->nlmsg_len;
    if (settings[setting].put(message, home->was, now) < 0)
        return -ENOMEM;
    if (nlmsg_hdr(message)->nlmsg_len == empty)
        return 0;
    return network_socket_request(host, TAKE_PTR(message));
}

/* A name that was given inside means nothing here. */
static void settle_name(const struct network_home *home, struct network_socket *host,
                        struct rtnl_link *now, struct refusal *remark)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *named = NULL;
    int ifindex = rtnl_link_get_ifindex(now);
    if (streq(name_of(now), network_home_name(home)) ||
        network_request_move(host, ifindex, -1, network_home_name(home)) == 0)
        return;
    if (!after_prefix(name_of(now), FREE_PREFIX))
        (void)network_request_move(host, ifindex, -1, NETWORK_HOME_FREE_NAME);
    if (network_facts_read_link(host, ifindex, &named) == 0)
        refuse(remark, EEXIST, "the name %s is taken: the interface came home as %s",
               network_home_name(home), name_of(named));
}

static void remark_altnames(const struct network_home *home, int error, struct refusal *remark)
{
    if (error < 0)
        refuse(remark, -error, "the alternative names of %s are not what they were: %s",
               network_home_name(home), strerror(-error));
}

void network_home_settle(const struct network_home *home, struct network_socket *host, int ifindex,
                         struct refusal *remark)
{
    _cleanup_(rtnl_link_putp) struct rtnl_link *now = NULL;
    if (network_facts_read_link(host, ifindex, &now) < 0)
        return; /* unplugged meanwhile */
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        int r = set_back(home, host, now, i);
        if (r < 0)
            refuse(remark, -r, "the %s of %s is not what it was: %s", settings[i].name,
                   network_home_name(home), strerror(-r));
    }
    remark_altnames(home, network_altnames_keep_only(host, ifindex, &home->altnames), remark);
    settle_name(home, host, now, remark);
    remark_altnames(home, network_altnames_add(host, ifindex, &home->altnames), remark);
}
