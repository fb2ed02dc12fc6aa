/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/host_facts.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/file.h"
#include "kernel/host_virtualization.h"
#include "model/path.h"

#define VALUE_MAX 65536 /* bytes: the largest page of an architecture */

DEFINE_CLEANUP(struct udev *, udev_unref)
DEFINE_CLEANUP(struct udev_device *, udev_device_unref)

/*
 * sysctl(8)'s two spellings: where a dot comes before any slash, dots part the components and
 * slashes are dots of their names.
 */
static void use_slashes(char *name)
{
    char *first = strpbrk(name, "./");
    if (!first || *first == '/')
        return;
    for (char *c = name; *c; c++)
        *c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
}

/* Without white space at either end. Returns 1 and *ret, or -ENOMEM. */
static int copy_stripped(const char *text, char **ret)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    char *copy = strndup(text, length);
    if (!copy)
        return -ENOMEM;
    *ret = copy;
    return 1;
}

static int read_sysctl(void *userdata, const char *name, char **ret)
{
    (void)userdata;
    char path[PATH_MAX] = "/proc/sys/", text[VALUE_MAX];
    size_t prefix = strlen(path);
    if (snprintf(path + prefix, sizeof(path) - prefix, "%s", name) >= (int)(sizeof(path) - prefix))
        return 0;
    use_slashes(path + prefix);
    if (!path_is_plain(path + prefix))
        return 0;
    ssize_t length = file_read_at(AT_FDCWD, path, text, sizeof(text));
    return length < 0 ? 0 : copy_stripped(text, ret);
}

static struct udev_device *find_device(const char *subsystem, const char *sysname)
{
    _cleanup_(udev_unrefp) struct udev *udev = udev_new();
    return udev ? udev_device_new_from_subsystem_sysname(udev, subsystem, sysname) : NULL;
}

static int read_reference(void *userdata, const char *subsystem, const char *sysname,
                          const char *attribute, char **ret)
{
    (void)userdata;
    _cleanup_(udev_device_unrefp) struct udev_device *device = find_device(subsystem, sysname);
    if (!device || !path_stays_below(attribute))
        return 0;
    const char *value = udev_device_get_sysattr_value(device, attribute);
    char *copy = strdup(value ? value : "");
    if (!copy)
        return -ENOMEM;
    *ret = copy;
    return 1;
}

/* "[subsystem/sysname]path" in sysfs. False where there is no such device. */
static bool resolve_reference(const char *text, char path[static PATH_MAX])
{
    char subsystem[64], sysname[NAME_MAX + 1];
    int end = 0;
    if (sscanf(text, "[%63[^/]/%255[^]]]%n", subsystem, sysname, &end) != 2 || end == 0)
        return false;
    _cleanup_(udev_device_unrefp) struct udev_device *device = find_device(subsystem, sysname);
    if (!device)
        return false;
    const char *rest = text + end + strspn(text + end, "/");
    return snprintf(path, PATH_MAX, "%s/%s", udev_device_get_syspath(device), rest) < PATH_MAX;
}

static bool resolve(const struct device *device, const char *text, char path[static PATH_MAX])
{
    if (text[0] == '/')
        return snprintf(path, PATH_MAX, "%s", text) < PATH_MAX;
    if (text[0] == '[' && resolve_reference(text, path))
        return true;
    return snprintf(path, PATH_MAX, "/sys%s/%s", device->devpath, text) < PATH_MAX;
}

static void close_directory(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

/* As udevd has it, a directory "*" stands for the first one that has the rest of the path. */
static bool find_subdirectory(char path[static PATH_MAX])
{
    char found[PATH_MAX];
    char *star = strstr(path, "/*/");
    if (!star)
        return true;
    *star = '\0';
    _cleanup_(close_directory) DIR *directory = opendir(star == path ? "/" : path);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.' ||
            snprintf(found, sizeof(found), "%s/%s%s", path, entry->d_name, star + 2) >=
                (int)sizeof(found) ||
            access(found, F_OK) < 0)
            continue;
        memcpy(path, found, sizeof(found));
        return true;
    }
    return false;
}

static bool test_path(void *userdata, const struct device *device, const char *text, unsigned mask)
{
    (void)userdata;
    char path[PATH_MAX];
    struct stat st;
    if (!resolve(device, text, path) || !find_subdirectory(path) || stat(path, &st) < 0)
        return false;
    return mask == 0 || (st.st_mode & mask);
}

/* uname(2)'s machines in the words of systemd.unit(5), ConditionArchitecture=. */
static const char *architecture(void)
{
    static const struct {
        const char *machine; /* what it begins with: the longer before the shorter */
        const char *name;
    } rows[] = {
        {"x86_64", "x86-64"},
        {"i386", "x86"},
        {"i486", "x86"},
        {"i586", "x86"},
        {"i686", "x86"},
        {"aarch64_be", "arm64-be"},
        {"aarch64", "arm64"},
        {"armv4b", "arm-be"},
        {"armv5b", "arm-be"},
        {"armv6b", "arm-be"},
        {"armv7b", "arm-be"},
        {"armv8b", "arm-be"},
        {"arm", "arm"},
        {"ppc64le", "ppc64-le"},
        {"ppc64", "ppc64"},
        {"ppcle", "ppc-le"},
        {"ppc", "ppc"},
        {"s390x", "s390x"},
        {"s390", "s390"},
        {"riscv64", "riscv64"},
        {"riscv32", "riscv32"},
        {"loongarch64", "loongarch64"},
        {"ia64", "ia64"},
        {"parisc64", "parisc64"},
        {"parisc", "parisc"},
        {"sparc64", "sparc64"},
        {"sparc", "sparc"},
        {"alpha", "alpha"},
        {"m68k", "m68k"},
        {"sh", "sh"},
        {"arceb", "arc-be"},
        {"arc", "arc"},
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        {"mips64", "mips64-le"},
        {"mips", "mips-le"},
#else
        {"mips64", "mips64"},
        {"mips", "mips"},
#endif
    };
    struct utsname name;
    if (uname(&name) < 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (after_prefix(name.machine, rows[i].machine))
            return rows[i].name;
    return NULL;
}

static const char *constant(void *userdata, const char *name)
{
    (void)userdata;
    if (streq(name, "arch"))
        return architecture();
    return streq(name, "virt") ? host_virtualization() : NULL;
}

const struct host_facts host_facts_real = {
    .read_sysctl = read_sysctl,
    .read_reference = read_reference,
    .test_path = test_path,
    .constant = constant,
};
