/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * In what this host runs, in the words of systemd-detect-virt(1): the container that we are in
 * ("docker", "lxc"), else the virtual machine ("kvm", "vmware"), else "none". Looked up once.
 */
const char *host_virtualization(void);
