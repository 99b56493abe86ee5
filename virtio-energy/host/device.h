/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The boundary between a virtio device and its transport
 *
 * The transport (pci.c) knows registers, queues and interrupts; the device
 * (energy.c) knows features, its configuration and what to answer. Buffers
 * that cross the boundary are kernel memory: the device never sees a guest
 * address.
 */
#ifndef _VMDEV_DEVICE_H
#define _VMDEV_DEVICE_H

#include <linux/types.h>

/* Longer requests are cut off, and no response is longer. */
#define VMDEV_MAX_REQUEST	64
#define VMDEV_MAX_RESPONSE	512
#define VMDEV_MAX_DEVICE_CONFIG	64

struct vmdev_device;

/**
 * struct vmdev_device_ops - what a device does for its transport
 * @features: the device's own feature bits
 * @config_size: bytes of device configuration, <= VMDEV_MAX_DEVICE_CONFIG
 * @config: stores the device configuration, @config_size bytes
 * @read_memory: reads from shared memory region 0, at any offset
 * @respond: answers a request of @len bytes (at most VMDEV_MAX_REQUEST) by at
 *           most @room bytes (at most VMDEV_MAX_RESPONSE); returns how many
 *
 * Context: process context under the transport's lock; may sleep.
 */
struct vmdev_device_ops {
	u64 features;
	size_t config_size;
	void (*config)(struct vmdev_device *device, void *config);
	void (*read_memory)(struct vmdev_device *device, u64 offset,
			    void *data, size_t len);
	size_t (*respond)(struct vmdev_device *device,
			  const void *request, size_t len,
			  void *response, size_t room);
};

/**
 * struct vmdev_device - a virtio device, embedded in the type's own struct
 * @ops: what it does
 */
struct vmdev_device {
	const struct vmdev_device_ops *ops;
};

#endif /* _VMDEV_DEVICE_H */
