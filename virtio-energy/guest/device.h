/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio-energy device and its account
 */
#ifndef _VIOEN_DEVICE_H
#define _VIOEN_DEVICE_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/vmenergy.h>

#include "event.h"
#include "msg.h"
#include "wire.h"

struct attribute_group;
struct virtio_device;

/**
 * struct vioen_device - a device that is bound to this driver
 * @vdev: the virtio device, whose priv points back here
 * @meter: how the core reads the account
 * @lock: serialises readings with each other and with start and stop; protects
 *	  everything below but what the virtqueues protect themselves
 * @running: the device is set up and may be asked
 * @page: the shared page, or NULL if VIRTIO_ENERGY_F_PAGE was not negotiated
 * @info: what the device has said of itself at the last start
 * @last: the last reading, below which no counter falls
 * @requestq: requests
 * @eventq: events
 */
struct vioen_device {
	struct virtio_device *vdev;
	struct vmen_meter meter;

	struct mutex lock;	/* see above */
	bool running;
	struct virtio_energy_page *page;
	struct vioen_info info;
	struct vioen_reading last;

	struct vioen_requestq requestq;
	struct vioen_eventq eventq;
};

extern const struct attribute_group *vioen_groups[];

struct vioen_device *vioen_device_create(struct virtio_device *vdev);
void vioen_device_destroy(struct vioen_device *dev);
int vioen_device_validate(struct virtio_device *vdev);
int vioen_device_start(struct vioen_device *dev);
void vioen_device_stop(struct vioen_device *dev);
int vioen_device_read(struct vioen_device *dev, struct vioen_reading *reading);

#endif /* _VIOEN_DEVICE_H */
