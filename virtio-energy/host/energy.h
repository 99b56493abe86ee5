/* SPDX-License-Identifier: GPL-2.0 */
/* The virtio-energy device: a VM's account for the VM itself. */
#ifndef _VMDEV_ENERGY_H
#define _VMDEV_ENERGY_H

#include "device.h"
#include "page.h"

/**
 * struct vmdev_energy - a virtio-energy device
 * @device: its side of the boundary to the transport
 * @domain: the VM whose process has opened it, referenced
 * @page: its shared memory
 */
struct vmdev_energy {
	struct vmdev_device device;
	struct vmen_domain *domain;
	struct vmdev_page page;
};

int vmdev_energy_open(struct vmdev_energy *energy);
void vmdev_energy_close(struct vmdev_energy *energy);

#endif /* _VMDEV_ENERGY_H */
