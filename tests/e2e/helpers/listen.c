/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * listen: what a program inside a container learns of devices.
 *
 *     listen [-p] [-2|-u] [-n NODE] [-o FILE] [-b BYTES] [-d MS]
 *
 *     -p       after the fields below, all properties of the event as they came
 *     -2       group 2 too: what udevd sends when it is done with a device; each line has then,
 *              behind `open`, " record=": likewise, of the record that is udev's of this device
 *     -u       the same, of group 2 only
 *     -n NODE  try to open NODE at each event, instead of /dev/$DEVNAME
 *     -o FILE  append to FILE instead of writing to standard output
 *     -b BYTES of receive buffer, as SO_RCVBUF takes them, instead of much more than anybody needs
 *     -d MS    take so many milliseconds over each message: a slow reader
 *
 * It writes "ready" once nothing can be missed any more, then for each message one line, flushed:
 *
 *     nl_pid=0 groups=1 pid=4711 uid=0 gid=0 seqnums=1 action=add devpath=/devices/... \
 *         DEVNAME=zram1 open=0 [ACTION=add DEVPATH=/devices/... ...]
 *
 * nl_pid and groups are the sender's netlink port and the groups it was sent to; pid, uid and gid
 * its credentials; seqnums counts the SEQNUM properties. `open` is the outcome of open(2) for
 * reading at the moment the message was read, before anything else is done: 0, the name of the
 * error, or "-" where the event names no node. DEVNAME is "-" then. In a value each byte that is
 * not printable ASCII, a blank or a backslash is \xNN, so that blanks part fields. "lost" is a line
 * of its own where the receive buffer overflowed, "odd" begins one about a message that is no
 * uevent.
 *
 * Ends with status 0 at SIGTERM.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES (128 * 1024 * 1024)
#define MESSAGE_MAX 65536

struct options {
    bool properties;
    unsigned groups;
    const char *node;
    const char *file;
    int buffer;
    long delay_ms;
};

struct message {
    struct sockaddr_nl sender;
    struct ucred credentials;
    size_t size;
    char bytes[MESSAGE_MAX + 1];
};

/* The properties of a message: NUL-terminated strings, one behind the other. */
struct properties {
    const char *at;
    const char *end;
};

/* What stands in front of the properties in group 2: libudev's monitor header. */
struct udev_header {
    char prefix[8]; /* "libudev" */
    uint32_t magic; /* 0xfeedcafe in network order */
    uint32_t header_size;
    uint32_t properties_offset;
    uint32_t properties_length;
};

static void die(const char *what)
{
    fprintf(stderr, "listen: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void on_terminate(int signal_number)
{
    (void)signal_number;
    _exit(0); /* lines are flushed one by one */
}

static int open_socket(const struct options *options)
{
    int yes = 1, bytes = options->buffer ? options->buffer : BUFFER_BYTES;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = options->groups};

    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) < 0)
        die("uevent socket");
    if (options->buffer || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die("listening to uevents");
    return fd;
}

/* Returns false where events were lost. */
static bool receive(int fd, struct message *message)
{
    struct iovec data = {.iov_base = message->bytes, .iov_len = MESSAGE_MAX};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct msghdr header = {
        .msg_name = &message->sender,
        .msg_namelen = sizeof(message->sender),
        .msg_iov = &data,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };

    ssize_t size = recvmsg(fd, &header, 0);
    if (size < 0 && errno == ENOBUFS)
        return false;
    if (size < 0)
        die("reading uevents");
    message->size = (size_t)size;
    message->bytes[size] = '\0'; /* whatever the sender did */

    struct cmsghdr *credentials = CMSG_FIRSTHDR(&header);
    memset(&message->credentials, 0xff, sizeof(message->credentials));
    if (credentials && credentials->cmsg_type == SCM_CREDENTIALS)
        memcpy(&message->credentials, CMSG_DATA(credentials), sizeof(message->credentials));
    return true;
}

static struct properties properties_of(const struct message *message)
{
    struct properties none = {message->bytes, message->bytes};
    const char *end = message->bytes + message->size;
    struct udev_header udev;

    if (message->size > sizeof(udev) && memcmp(message->bytes, "libudev", 8) == 0) {
        memcpy(&udev, message->bytes, sizeof(udev));
        if (udev.magic != htonl(0xfeedcafe) || udev.properties_offset > message->size)
            return none;
        return (struct properties){message->bytes + udev.properties_offset, end};
    }
    size_t header = strnlen(message->bytes, message->size);
    if (header >= message->size || !memchr(message->bytes, '@', header))
        return none;
    return (struct properties){message->bytes + header + 1, end};
}

static const char *get(struct properties properties, const char *key)
{
    size_t length = strlen(key);
    for (const char *at = properties.at; at < properties.end; at += strlen(at) + 1)
        if (strncmp(at, key, length) == 0 && at[length] == '=')
            return at + length + 1;
    return NULL;
}

static unsigned count_seqnums(struct properties properties)
{
    unsigned count = 0;
    for (const char *at = properties.at; at < properties.end; at += strlen(at) + 1)
        count += strncmp(at, "SEQNUM=", strlen("SEQNUM=")) == 0;
    return count;
}

static const char *try_open(const char *node, const char *devname)
{
    char path[4096];

    if (!node && !devname)
        return "-";
    if (!node) /* udev says the whole path */
        snprintf(path, sizeof(path), "%s%s", devname[0] == '/' ? "" : "/dev/", devname);
    int fd = open(node ? node : path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return strerrorname_np(errno);
    close(fd);
    return "0";
}

/* The name of udev's record of the device; false where it has none. */
static bool name_record(struct properties properties, char out[static 512])
{
    const char *major = get(properties, "MAJOR"), *minor = get(properties, "MINOR"),
               *ifindex = get(properties, "IFINDEX"), *subsystem = get(properties, "SUBSYSTEM"),
               *devpath = get(properties, "DEVPATH");
    if (!subsystem || !devpath || !strchr(devpath, '/'))
        return false;
    if (major && minor)
        snprintf(out, 512, "%c%s:%s", strcmp(subsystem, "block") == 0 ? 'b' : 'c', major, minor);
    else if (ifindex && strcmp(subsystem, "net") == 0)
        snprintf(out, 512, "n%s", ifindex);
    else
        snprintf(out, 512, "+%s:%s", subsystem, strrchr(devpath, '/') + 1);
    return true;
}

static const char *try_record(struct properties properties)
{
    char name[512], path[600];
    if (!name_record(properties, name))
        return "-";
    snprintf(path, sizeof(path), "/run/udev/data/%s", name);
    return try_open(path, NULL);
}

static void print_text(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)(text ? text : "-"); *c; c++)
        if (*c > ' ' && *c < 0x7f && *c != '\\')
            putchar(*c);
        else
            printf("\\x%02x", *c);
}

static void print_message(const struct message *message, const struct options *options)
{
    struct properties properties = properties_of(message);
    const char *devname = get(properties, "DEVNAME");
    const char *outcome = try_open(options->node, devname); /* before it can be too late */
    const char *record = options->groups & 2 ? try_record(properties) : NULL;

    printf("%snl_pid=%u groups=%u pid=%d uid=%u gid=%u seqnums=%u action=",
           get(properties, "ACTION") ? "" : "odd ", message->sender.nl_pid,
           message->sender.nl_groups, message->credentials.pid, message->credentials.uid,
           message->credentials.gid, count_seqnums(properties));
    print_text(get(properties, "ACTION"));
    printf(" devpath=");
    print_text(get(properties, "DEVPATH"));
    printf(" DEVNAME=");
    print_text(devname);
    printf(" open=%s", outcome);
    if (record)
        printf(" record=%s", record);
    for (const char *at = properties.at; options->properties && at < properties.end;
         at += strlen(at) + 1) {
        if (*at)
            putchar(' ');
        print_text(at);
    }
    putchar('\n');
}

static struct options parse_options(int argc, char **argv)
{
    struct options options = {.groups = 1};
    int option;

    while ((option = getopt(argc, argv, "p2un:o:b:d:")) >= 0)
        switch (option) {
        case 'p':
            options.properties = true;
            break;
        case '2':
            options.groups = 3;
            break;
        case 'u':
            options.groups = 2;
            break;
        case 'n':
            options.node = optarg;
            break;
        case 'o':
            options.file = optarg;
            break;
        case 'b':
            options.buffer = atoi(optarg);
            break;
        case 'd':
            options.delay_ms = atol(optarg);
            break;
        default:
            fprintf(stderr, "usage: listen [-p] [-2|-u] [-n NODE] [-o FILE] [-b BYTES] [-d MS]\n");
            exit(2);
        }
    return options;
}

int main(int argc, char **argv)
{
    static struct message message;
    struct options options = parse_options(argc, argv);

    signal(SIGTERM, on_terminate);
    if (options.file && !freopen(options.file, "a", stdout))
        die(options.file);
    int fd = open_socket(&options);
    printf("ready\n");
    fflush(stdout);
    const struct timespec delay = {.tv_sec = options.delay_ms / 1000,
                                   .tv_nsec = options.delay_ms % 1000 * 1000000};
    for (;;) {
        nanosleep(&delay, NULL);
        if (receive(fd, &message))
            print_message(&message, &options);
        else
            printf("lost\n");
        if (fflush(stdout) != 0)
            die("writing");
    }
}
