/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * There is no one place that says it. A container's manager leaves a word behind for PID 1 or a
 * file; a hypervisor is told by the processor (x86), the firmware (DMI, device tree) or the kernel.
 * Some hypervisors run on top of another's processor interface, and name themselves in the firmware
 * only: those go before the processor.
 */
#include "kernel/host_virtualization.h"

#include <errno.h>
#include <fcntl.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "base/file.h"
#include "base/util.h"

struct word {
    const char *sign; /* what it begins with */
    const char *name;
};

static const char *find_word(const struct word *words, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (after_prefix(text, words[i].sign))
            return words[i].name;
    return NULL;
}

/* A file, or as much as fits, with a NUL behind it. Returns the length, or a negative errno. */
static ssize_t read_beginning(const char *path, char *text, size_t size)
{
    ssize_t length = file_read_at(AT_FDCWD, path, text, size);
    if (length != -EFBIG)
        return length;
    text[size - 1] = '\0';
    return (ssize_t)size - 1;
}

/* Whether there is such a file to read. */
static bool read_file(const char *path, char *text, size_t size)
{
    return read_beginning(path, text, size) >= 0;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static const char *name_of_manager(const char *text)
{
    static const char *const names[] = {"lxc-libvirt", "lxc", "systemd-nspawn", "docker", "podman",
                                        "rkt",         "wsl", "proot",          "pouch",  "openvz"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (streq(text, names[i]))
            return names[i];
    return "container-other";
}

/* Files that OCI managers put into each container. */
static const char *manager_of_files(void)
{
    if (exists("/run/.containerenv"))
        return "podman";
    return exists("/.dockerenv") ? "docker" : NULL;
}

/* container= in the environment of PID 1. */
static const char *manager_of_init(void)
{
    char text[16384];
    ssize_t length = read_beginning("/proc/1/environ", text, sizeof(text));
    for (const char *word = text; length > 0 && word < text + length; word += strlen(word) + 1) {
        const char *value = after_prefix(word, "container=");
        if (value)
            return streq(value, "oci") ? manager_of_files() : name_of_manager(value);
    }
    return NULL;
}

static const char *find_container(void)
{
    static const char *const files[] = {"/run/host/container-manager", "/run/systemd/container"};
    char text[256];
    if (exists("/proc/vz") && !exists("/proc/bc"))
        return "openvz";
    if (read_file("/proc/sys/kernel/osrelease", text, sizeof(text)) &&
        (strstr(text, "Microsoft") || strstr(text, "WSL")))
        return "wsl";
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (!read_file(files[i], text, sizeof(text)))
            continue;
        text[strcspn(text, "\n")] = '\0';
        return name_of_manager(text);
    }
    const char *manager = manager_of_init();
    return manager ? manager : manager_of_files();
}

static const char *find_by_firmware(void)
{
    static const char *const files[] = {
        "/sys/class/dmi/id/product_name", "/sys/class/dmi/id/sys_vendor",
        "/sys/class/dmi/id/board_vendor", "/sys/class/dmi/id/bios_vendor",
        "/sys/class/dmi/id/product_version"};
    static const struct word words[] = {
        {"KVM", "kvm"},
        {"OpenStack", "kvm"},
        {"KubeVirt", "kvm"},
        {"Amazon EC2", "amazon"},
        {"QEMU", "qemu"},
        {"VMware", "vmware"},
        {"VMW", "vmware"},
        {"innotek GmbH", "oracle"},
        {"VirtualBox", "oracle"},
        {"Xen", "xen"},
        {"Bochs", "bochs"},
        {"Parallels", "parallels"},
        {"BHYVE", "bhyve"},
        {"Hyper-V", "microsoft"},
        {"Apple Virtualization", "apple"},
        {"Google Compute Engine", "google"},
    };
    char text[256];
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        const char *name = read_file(files[i], text, sizeof(text))
                               ? find_word(words, ARRAY_SIZE(words), text)
                               : NULL;
        if (name)
            return name;
    }
    return NULL;
}

/* Leaf 0x40000000, which the hypervisor bit of leaf 1 announces:
 * linux/arch/x86/kernel/cpu/hypervisor.c
 */
static const char *find_by_processor(void)
{
#if defined(__x86_64__) || defined(__i386__)
    static const struct word words[] = {
        {"XenVMMXenVMM", "xen"},   {"KVMKVMKVM", "kvm"},       {"Linux KVM Hv", "kvm"},
        {"TCGTCGTCGTCG", "qemu"},  {"VMwareVMware", "vmware"}, {"Microsoft Hv", "microsoft"},
        {"bhyve bhyve ", "bhyve"}, {"QNXQVMBSQG", "qnx"},      {"ACRNACRNACRN", "acrn"},
        {"SRESRESRESRE", "sre"},
    };
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & (1u << 31)))
        return NULL;
    __cpuid(0x40000000u, eax, ebx, ecx, edx);
    const unsigned registers[] = {ebx, ecx, edx};
    char sign[sizeof(registers) + 1] = "";
    memcpy(sign, registers, sizeof(registers));
    const char *name = find_word(words, ARRAY_SIZE(words), sign);
    return name ? name : "vm-other";
#else
    return NULL;
#endif
}

static const char *find_by_device_tree(void)
{
    static const struct word words[] = {{"linux,kvm", "kvm"}, {"xen", "xen"}, {"vmware", "vmware"}};
    char text[256];
    if (read_file("/proc/device-tree/hypervisor/compatible", text, sizeof(text))) {
        const char *name = find_word(words, ARRAY_SIZE(words), text);
        return name ? name : "vm-other";
    }
    if (read_file("/proc/device-tree/compatible", text, sizeof(text)) &&
        streq(text, "qemu,pseries"))
        return "qemu";
    return NULL;
}

/* s390: who gave us our processors. */
static const char *find_by_sysinfo(void)
{
    char text[8192];
    if (!read_file("/proc/sysinfo", text, sizeof(text)))
        return NULL;
    const char *program = strstr(text, "VM00 Control Program:");
    if (!program)
        return NULL;
    return strstr(program, "z/VM") ? "zvm" : "kvm";
}

/* The first domain of Xen has all the hardware and is no guest. */
static const char *find_xen(bool *ret_is_first)
{
    char text[256];
    *ret_is_first =
        read_file("/proc/xen/capabilities", text, sizeof(text)) && strstr(text, "control_d");
    if (*ret_is_first)
        return NULL;
    return exists("/proc/xen") || (read_file("/sys/hypervisor/type", text, sizeof(text)) &&
                                   after_prefix(text, "xen"))
               ? "xen"
               : NULL;
}

/* Those that borrow another's processor interface. */
static bool goes_before_processor(const char *name)
{
    return streq(name, "oracle") || streq(name, "xen") || streq(name, "amazon") ||
           streq(name, "parallels") || streq(name, "google");
}

static const char *find_machine(void)
{
    bool is_first;
    char text[4096];
    const char *xen = find_xen(&is_first), *processor = find_by_processor();
    const char *firmware = find_by_firmware();
    if (is_first)
        return NULL;
    /* Amazon's and Google's bare machines have their makers' names, too */
    if (firmware && goes_before_processor(firmware) && (processor || xen))
        return firmware;
    if (read_file("/proc/cpuinfo", text, sizeof(text)) &&
        strstr(text, "\nvendor_id\t: User Mode Linux"))
        return "uml";
    if (xen || processor)
        return xen ? xen : processor;
    if (firmware && !streq(firmware, "amazon") && !streq(firmware, "google"))
        return firmware;
    const char *tree = find_by_device_tree();
    return tree ? tree : find_by_sysinfo();
}

const char *host_virtualization(void)
{
    static const char *known;
    if (!known)
        known = find_container();
    if (!known)
        known = find_machine();
    if (!known)
        known = "none";
    return known;
}
