/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/teller.h"

#include <errno.h>

enum channel { CHANNEL_KERNEL, CHANNEL_UDEV, CHANNELS };

/* That an owner told its network namespace of a device, or would have, had not another done so. */
struct teller {
    struct teller *next;
    const void *owner;
    uint64_t inode; /* the device's incarnation */
    size_t size;
    char message[]; /* what its `remove` is made from */
};

struct shared_injector {
    struct shared_injector *next;
    uint64_t net_inode;
    uint32_t uid, gid; /* the host's ids of root in it */
    unsigned users;
    struct uevent_injector *injector;
    struct teller *tellers[CHANNELS]; /* of one device, the first one tells */
};

/* The record of an owner, or of the first of all (NULL), that tells of a device. */
static struct teller **find_teller(struct teller **list, uint64_t inode, const void *owner)
{
    struct teller **at = list;
    while (*at && ((*at)->inode != inode || (owner && (*at)->owner != owner)))
        at = &(*at)->next;
    return at;
}

/* Puts the message in the owner's record, or in a new one at the end. */
static int note_teller(struct teller **list, const void *owner, uint64_t inode, const char *message,
                       size_t size)
{
    struct teller **at = find_teller(list, inode, owner);
    struct teller *teller = realloc(*at, sizeof(*teller) + size);
    if (!teller)
        return -ENOMEM;
    if (!*at)
        *teller = (struct teller){.owner = owner, .inode = inode};
    teller->size = size;
    memcpy(teller->message, message, size);
    *at = teller;
    return 0;
}

static void forget_teller(struct teller **at)
{
    struct teller *teller = *at;
    if (!teller)
        return;
    *at = teller->next;
    free(teller);
}

/* What is sent, and what is kept of it. */
struct telling {
    bool removal;
    const char *message, *kept;
    size_t size, kept_size;
};

static int send_telling(struct shared_injector *shared, enum channel channel, const char *message,
                        size_t size, struct refusal *why)
{
    return channel == CHANNEL_UDEV ? uevent_injector_send_udev(shared->injector, message, size, why)
                                   : uevent_injector_send(shared->injector, message, size, why);
}

static int tell(struct shared_injector *shared, enum channel channel, const void *owner,
                uint64_t inode, const struct telling *telling, struct refusal *why)
{
    struct teller **list = &shared->tellers[channel];
    bool fresh = !*find_teller(list, inode, owner);
    if (telling->removal)
        forget_teller(find_teller(list, inode, owner));
    else if (note_teller(list, owner, inode, telling->kept, telling->kept_size) < 0)
        return refuse(why, ENOMEM, "no memory to tell of the device");

    const struct teller *first = *find_teller(list, inode, NULL);
    if (first && (telling->removal || first->owner != owner))
        return 0;
    int r = send_telling(shared, channel, telling->message, telling->size, why);
    if (r < 0 && fresh && !telling->removal)
        forget_teller(find_teller(list, inode, owner));
    return r;
}

int injector_tell(struct shared_injector *shared, const void *owner, uint64_t inode,
                  const struct uevent *event, struct refusal *why)
{
    char message[UEVENT_INJECT_MAX];
    int size = uevent_serialise(event, message, sizeof(message), NULL);
    if (size < 0)
        return refuse(why, E2BIG, "the event is too large to inject");
    const struct telling telling = {.removal = event->action == UEVENT_REMOVE,
                                    .message = message,
                                    .kept = message,
                                    .size = (size_t)size,
                                    .kept_size = (size_t)size};
    return tell(shared, CHANNEL_KERNEL, owner, inode, &telling, why);
}

int injector_tell_udev(struct shared_injector *shared, const void *owner, uint64_t inode,
                       const struct udev_word *word, struct refusal *why)
{
    const struct telling telling = {.removal = word->action == UEVENT_REMOVE,
                                    .message = word->message,
                                    .kept = word->removal,
                                    .size = word->message_size,
                                    .kept_size = word->removal_size};
    return tell(shared, CHANNEL_UDEV, owner, inode, &telling, why);
}

/* The `remove` of the kernel's, from the newest that was told. */
static void send_kernel_removal(struct shared_injector *shared, const struct teller *teller)
{
    char message[UEVENT_INJECT_MAX];
    struct uevent event;
    if (uevent_parse(&event, teller->message, teller->size, NULL) < 0)
        return;
    uevent_unset(&event, "DEVPATH_OLD");
    (void)uevent_set(&event, "ACTION", uevent_action_name(UEVENT_REMOVE));
    int size = uevent_serialise(&event, message, sizeof(message), NULL);
    if (size > 0)
        (void)uevent_injector_send(shared->injector, message, (size_t)size, NULL);
}

/* The owner ends without a `remove`, but there are others in its namespace that heard of it. */
static void send_removal(struct shared_injector *shared, enum channel channel,
                         const struct teller *teller)
{
    if (channel == CHANNEL_UDEV)
        (void)uevent_injector_send_udev(shared->injector, teller->message, teller->size, NULL);
    else
        send_kernel_removal(shared, teller);
}

static void forget_tellers(struct shared_injector *shared, enum channel channel, const void *owner)
{
    for (struct teller **at = &shared->tellers[channel]; *at;) {
        struct teller *teller = *at;
        if (teller->owner != owner) {
            at = &teller->next;
            continue;
        }
        *at = teller->next;
        if (shared->users > 1 && !*find_teller(&shared->tellers[channel], teller->inode, NULL))
            send_removal(shared, channel, teller);
        free(teller);
    }
}

static int open_injector(struct injectors *injectors, const struct namespaces *namespaces,
                         uint32_t uid, uint32_t gid, struct shared_injector **ret,
                         struct refusal *why)
{
    struct uevent_injector *injector = NULL;
    struct shared_injector *shared = calloc(1, sizeof(*shared));
    int r = shared ? uevent_injector_open(namespaces->net_fd, uid, gid, &injector, why)
                   : refuse(why, ENOMEM, "no memory for an injector");
    if (r < 0) {
        free(shared);
        return r;
    }
    *shared = (struct shared_injector){.next = injectors->first,
                                       .net_inode = namespaces->net_inode,
                                       .uid = uid,
                                       .gid = gid,
                                       .injector = injector};
    injectors->first = shared;
    *ret = shared;
    return 0;
}

int injector_share(struct injectors *injectors, const struct namespaces *namespaces,
                   struct shared_injector **ret, struct refusal *why)
{
    struct shared_injector *shared = injectors->first;
    uint32_t uid, gid;

    if (idmap_to_host(&namespaces->uids, 0, &uid) <= 0 ||
        idmap_to_host(&namespaces->gids, 0, &gid) <= 0)
        return refuse(why, EOVERFLOW,
                      "the container's user namespace does not map root: its programs would "
                      "take no event from us");
    while (shared && shared->net_inode != namespaces->net_inode)
        shared = shared->next;
    if (shared && (shared->uid != uid || shared->gid != gid))
        return refuse(why, EBUSY,
                      "another container in its network namespace has root %u:%u of the host, this "
                      "one %u:%u: one of them would take no event from us",
                      shared->uid, shared->gid, uid, gid);
    int r = shared ? 0 : open_injector(injectors, namespaces, uid, gid, &shared, why);
    if (r < 0)
        return r;
    shared->users++;
    *ret = shared;
    return 0;
}

void injector_release(struct injectors *injectors, struct shared_injector *shared,
                      const void *owner)
{
    if (!shared)
        return;
    for (enum channel channel = 0; channel < CHANNELS; channel++)
        forget_tellers(shared, channel, owner);
    if (--shared->users > 0)
        return;
    for (struct shared_injector **at = &injectors->first; *at; at = &(*at)->next)
        if (*at == shared) {
            *at = shared->next;
            break;
        }
    uevent_injector_close(shared->injector);
    free(shared);
}
