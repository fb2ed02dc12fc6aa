/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/teller.h"

#include <errno.h>
#include <fcntl.h>

#include "kernel/uevent_room.h"

#define UDEV_MESSAGE_USUAL 4096 /* bytes; there are longer ones, which are rare */

/* That an owner told its network namespace of a device, or would have, had not another done so. */
struct teller {
    struct teller *next;
    const void *owner;
    uint64_t inode; /* the device's incarnation */
    size_t size;
    char message[]; /* what its `remove` is made from; none: a predecessor told of it */
};

struct shared_injector {
    struct shared_injector *next;
    uint64_t net_inode;
    uint32_t uid, gid; /* the host's ids of root in it */
    unsigned users;
    int netns_fd;
    struct uevent_injector *injector;
    struct teller *tellers[CHANNELS]; /* of one device, the first one tells */
    struct pace paces[CHANNELS];
};

/* One channel of an injector, as a way for its pace. */
struct way {
    struct shared_injector *shared;
    enum channel channel;
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
    enum uevent_action action;
    const char *message, *kept;
    size_t size, kept_size;
};

static int send_message(struct shared_injector *shared, enum channel channel, const char *message,
                        size_t size, struct refusal *why)
{
    return channel == CHANNEL_UDEV ? uevent_injector_send_udev(shared->injector, message, size, why)
                                   : uevent_injector_send(shared->injector, message, size, why);
}

static int send_telling(struct shared_injector *shared, enum channel channel, uint64_t inode,
                        const struct telling *telling, struct refusal *why)
{
    int r = send_message(shared, channel, telling->message, telling->size, why);
    if (r == 0) /* without memory who is behind does not hear of it */
        (void)pace_told(&shared->paces[channel], inode, telling->action, telling->message,
                        telling->size);
    return r;
}

static int ask_room(void *userdata, unsigned *ret)
{
    const struct way *way = userdata;
    return way->channel == CHANNEL_UDEV
               ? uevent_room(way->shared->netns_fd, UEVENT_GROUP_UDEV, UDEV_MESSAGE_USUAL, ret)
               : uevent_room(way->shared->netns_fd, UEVENT_GROUP_KERNEL, UEVENT_INJECT_MAX, ret);
}

static int send_again(void *userdata, const char *message, size_t size)
{
    const struct way *way = userdata;
    return send_message(way->shared, way->channel, message, size, NULL);
}

int injector_look(struct shared_injector *shared, enum channel channel)
{
    struct way way = {.shared = shared, .channel = channel};
    const struct pace_way ops = {.room = ask_room, .send = send_again, .userdata = &way};
    return pace_look(&shared->paces[channel], &ops, now_us());
}

bool injector_is_behind(const struct shared_injector *shared)
{
    bool behind = false;
    for (enum channel channel = 0; channel < CHANNELS; channel++)
        behind |= shared->paces[channel].behind;
    return behind;
}

bool injector_catch_up(struct shared_injector *shared, uint64_t *told)
{
    bool all = true;
    for (enum channel channel = 0; channel < CHANNELS; channel++) {
        struct way way = {.shared = shared, .channel = channel};
        const struct pace_way ops = {.room = ask_room, .send = send_again, .userdata = &way};
        all = pace_catch_up(&shared->paces[channel], &ops, now_us(), told) && all;
    }
    return all;
}

static int tell(struct shared_injector *shared, enum channel channel, const void *owner,
                uint64_t inode, const struct telling *telling, struct refusal *why)
{
    struct teller **list = &shared->tellers[channel];
    bool fresh = !*find_teller(list, inode, owner), removal = telling->action == UEVENT_REMOVE;
    if (removal)
        forget_teller(find_teller(list, inode, owner));
    else if (note_teller(list, owner, inode, telling->kept, telling->kept_size) < 0)
        return refuse(why, ENOMEM, "no memory to tell of the device");

    const struct teller *first = *find_teller(list, inode, NULL);
    if (first && (removal || first->owner != owner))
        return 0;
    int r = send_telling(shared, channel, inode, telling, why);
    if (r < 0 && fresh && !removal)
        forget_teller(find_teller(list, inode, owner));
    return r;
}

void injector_resume(struct shared_injector *shared, enum channel channel, const void *owner,
                     uint64_t inode, const char *message, size_t size)
{
    (void)note_teller(&shared->tellers[channel], owner, inode, message ? message : "", size);
}

int injector_tell(struct shared_injector *shared, const void *owner, uint64_t inode,
                  const struct uevent *event, struct refusal *why)
{
    char message[UEVENT_INJECT_MAX];
    int size = uevent_serialise(event, message, sizeof(message), NULL);
    if (size < 0)
        return refuse(why, E2BIG, "the event is too large to inject");
    const struct telling telling = {.action = event->action,
                                    .message = message,
                                    .kept = message,
                                    .size = (size_t)size,
                                    .kept_size = (size_t)size};
    return tell(shared, CHANNEL_KERNEL, owner, inode, &telling, why);
}

int injector_tell_udev(struct shared_injector *shared, const void *owner, uint64_t inode,
                       const struct udev_word *word, struct refusal *why)
{
    const struct telling telling = {.action = word->action,
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
    const struct telling telling = {
        .action = UEVENT_REMOVE, .message = message, .size = size > 0 ? (size_t)size : 0};
    if (size > 0)
        (void)send_telling(shared, CHANNEL_KERNEL, teller->inode, &telling, NULL);
}

/* The owner ends without a `remove`, but there are others in its namespace that heard of it. Nobody
 * waits now: who has no room is behind. */
static void send_removal(struct shared_injector *shared, enum channel channel,
                         const struct teller *teller)
{
    (void)injector_look(shared, channel);
    const struct telling telling = {
        .action = UEVENT_REMOVE, .message = teller->message, .size = teller->size};
    if (channel == CHANNEL_UDEV)
        (void)send_telling(shared, CHANNEL_UDEV, teller->inode, &telling, NULL);
    else
        send_kernel_removal(shared, teller);
}

static void forget_tellers(struct shared_injector *shared, enum channel channel, const void *owner,
                           bool ended)
{
    for (struct teller **at = &shared->tellers[channel]; *at;) {
        struct teller *teller = *at;
        if (teller->owner != owner) {
            at = &teller->next;
            continue;
        }
        *at = teller->next;
        if (ended && shared->users > 1 && teller->size > 0 &&
            !*find_teller(&shared->tellers[channel], teller->inode, NULL))
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
    _cleanup_close_ int netns_fd = fcntl(namespaces->net_fd, F_DUPFD_CLOEXEC, 0);
    int r = shared && netns_fd >= 0
                ? uevent_injector_open(namespaces->net_fd, uid, gid, &injector, why)
                : refuse(why, ENOMEM, "no memory or no descriptor for an injector");
    if (r < 0) {
        free(shared);
        return r;
    }
    *shared = (struct shared_injector){.next = injectors->first,
                                       .net_inode = namespaces->net_inode,
                                       .uid = uid,
                                       .gid = gid,
                                       .netns_fd = TAKE_FD(netns_fd),
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
                      const void *owner, bool ended)
{
    if (!shared)
        return;
    for (enum channel channel = 0; channel < CHANNELS; channel++)
        forget_tellers(shared, channel, owner, ended);
    if (--shared->users > 0)
        return;
    for (enum channel channel = 0; channel < CHANNELS; channel++)
        pace_done(&shared->paces[channel]);
    for (struct shared_injector **at = &injectors->first; *at; at = &(*at)->next)
        if (*at == shared) {
            *at = shared->next;
            break;
        }
    uevent_injector_close(shared->injector);
    fd_close(shared->netns_fd);
    free(shared);
}
