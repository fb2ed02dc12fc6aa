/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How an interface is at home, for a successor of ours that is to bring it there. */
#include <errno.h>
#include <linux/if.h>
#include <linux/netdevice.h>

#include "kernel/network_home.h"
#include "model/json_field.h"

#define ALTNAMES_MAX 1024

static void write_address(struct json_writer *writer, struct nl_addr *address)
{
    if (address && nl_addr_get_len(address) > 0)
        json_write_bytes(writer, "address", nl_addr_get_binary_addr(address),
                         nl_addr_get_len(address));
}

json_t *network_home_save(const struct network_home *home)
{
    struct json_writer writer = json_writer_new();
    json_write_number(&writer, "inode", home->inode);
    json_write_number(&writer, "ifindex", (uint64_t)rtnl_link_get_ifindex(home->was));
    json_write_text(&writer, "name", rtnl_link_get_name(home->was));
    json_write_text(&writer, "type", rtnl_link_get_type(home->was));
    json_write_text(&writer, "alias", rtnl_link_get_ifalias(home->was));
    json_write_number(&writer, "mtu", rtnl_link_get_mtu(home->was));
    json_write_number(&writer, "group", rtnl_link_get_group(home->was));
    write_address(&writer, rtnl_link_get_addr(home->was));
    json_write_texts(&writer, "altnames", home->altnames.names, home->altnames.count);
    return json_writer_take(&writer);
}

static int read_address(struct json_reader *reader, struct rtnl_link *was)
{
    size_t size;
    _cleanup_free_ char *bytes = json_read_bytes(reader, "address", &size);
    if (!bytes)
        return 0;
    struct nl_addr *address = size <= MAX_ADDR_LEN ? nl_addr_build(AF_LLC, bytes, size) : NULL;
    if (!address)
        return -EBADMSG;
    rtnl_link_set_addr(was, address);
    nl_addr_put(address);
    return 0;
}

/* Only what is set back at home; and what tells it from others inside. */
static int read_link(struct json_reader *reader, struct rtnl_link *was)
{
    _cleanup_free_ char *name = json_read_text(reader, "name");
    _cleanup_free_ char *type = json_read_text(reader, "type");
    _cleanup_free_ char *alias = json_read_text(reader, "alias");
    rtnl_link_set_ifindex(was, (int)json_read_number(reader, "ifindex", INT32_MAX));
    rtnl_link_set_mtu(was, (unsigned)json_read_number(reader, "mtu", UINT32_MAX));
    rtnl_link_set_group(was, (uint32_t)json_read_number(reader, "group", UINT32_MAX));
    if (!reader->error && (!name || !*name || strlen(name) >= IFNAMSIZ))
        return -EBADMSG;
    if (reader->error)
        return reader->error;
    rtnl_link_set_name(was, name);
    if (alias)
        rtnl_link_set_ifalias(was, alias);
    if (type && rtnl_link_set_type(was, type) < 0)
        return -ENOMEM;
    return read_address(reader, was);
}

int network_home_load(const json_t *saved, struct network_home *ret)
{
    struct json_reader reader = json_reader_of(saved);
    struct network_home home = {.was = rtnl_link_alloc(),
                                .altnames.names = calloc(ALTNAMES_MAX, sizeof(char *))};
    int r = home.was && home.altnames.names ? read_link(&reader, home.was) : -ENOMEM;
    if (r == 0)
        home.altnames.count =
            json_read_texts(&reader, "altnames", home.altnames.names, ALTNAMES_MAX);
    home.inode = json_read_number(&reader, "inode", INT64_MAX);
    if (r == 0)
        r = reader.error ? reader.error : home.inode ? 0 : -EBADMSG;
    if (r < 0) {
        network_home_done(&home);
        return r;
    }
    *ret = home;
    return 0;
}
