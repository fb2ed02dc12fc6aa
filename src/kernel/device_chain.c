/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/device_chain.h"

#include <errno.h>

#include "kernel/sysfs.h"

static struct device *find_parent(void *userdata, const struct device *device)
{
    const struct device_chain *chain = userdata;
    for (size_t i = 0; i + 1 < chain->count; i++)
        if (chain->devices[i] == device)
            return chain->devices[i + 1];
    return NULL;
}

/* Returns 1; 0 where there is no device at this path; a negative errno. */
static int add(struct device_chain *chain, const char *devpath)
{
    struct device *device;
    int r = sysfs_read_device(devpath, &chain->source, &device);
    if (r <= 0)
        return r;
    struct device **slot = array_add(&chain->devices, &chain->count, sizeof(struct device *));
    if (!slot) {
        device_free(device);
        return -ENOMEM;
    }
    *slot = device;
    return 1;
}

int device_chain_read(struct device_chain *chain, const char *devpath)
{
    _cleanup_free_ char *path = strdup(devpath);
    if (!path)
        return -ENOMEM;
    *chain = (struct device_chain){
        .source = {.read_attribute = sysfs_read_attribute, .parent = find_parent}};
    chain->source.userdata = chain;
    int r = add(chain, path);
    if (r <= 0)
        return r;
    for (char *slash; r >= 0 && (slash = strrchr(path, '/')) && slash != path;) {
        *slash = '\0';
        r = add(chain, path);
    }
    if (r >= 0)
        return 1;
    device_chain_done(chain);
    return r;
}

void device_chain_done(struct device_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        device_free(chain->devices[i]);
    free(chain->devices);
    *chain = (struct device_chain){0};
}
