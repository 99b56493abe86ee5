/* SPDX-License-Identifier: GPL-2.0 */
/* A device as VFIO sees it. */
#ifndef _VMDEV_VMDEV_H
#define _VMDEV_VMDEV_H

#include <linux/vfio.h>

#include "energy.h"
#include "irq.h"
#include "pci.h"

struct mdev_device;

/* A region's number is in the upper bits of a file offset. */
#define VMDEV_REGION_SHIFT	40

/**
 * struct vmdev - a mediated device
 * @vdev: the VFIO device; freed by VFIO, so it comes first
 * @irqs: its interrupts
 * @pci: its transport
 * @energy: what it is
 */
struct vmdev {
	struct vfio_device vdev;
	struct vmdev_irqs irqs;
	struct vmdev_pci pci;
	struct vmdev_energy energy;
};

/**
 * to_vmdev - the device of a VFIO device
 * @vdev: the VFIO device
 *
 * Return: the device.
 */
static inline struct vmdev *to_vmdev(struct vfio_device *vdev)
{
	return container_of(vdev, struct vmdev, vdev);
}

int vmdev_probe(struct mdev_device *mdev);
void vmdev_remove(struct mdev_device *mdev);
long vmdev_ioctl(struct vfio_device *vdev, unsigned int cmd,
		 unsigned long arg);

#endif /* _VMDEV_VMDEV_H */
