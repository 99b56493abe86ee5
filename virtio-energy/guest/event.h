/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events from the device over the eventq
 */
#ifndef _VIOEN_EVENT_H
#define _VIOEN_EVENT_H

#include <linux/cache.h>
#include <linux/spinlock.h>
#include <uapi/linux/virtio_energy.h>

struct virtqueue;

/* The device keeps what does not fit until a buffer comes back. */
#define VIOEN_NR_EVENTS		8

/**
 * struct vioen_eventq - the event virtqueue
 * @vq: the virtqueue
 * @lock: protects @vq against its callback
 * @event: the buffers that the device writes events to
 */
struct vioen_eventq {
	struct virtqueue *vq;
	spinlock_t lock;	/* protects @vq */

	struct virtio_energy_event event[VIOEN_NR_EVENTS]
		__aligned(ARCH_DMA_MINALIGN);
};

int vioen_eventq_fill(struct vioen_eventq *eventq);
void vioen_eventq_recycle(struct vioen_eventq *eventq, struct virtqueue *vq);
void vioen_eventq_drain(struct vioen_eventq *eventq);

#endif /* _VIOEN_EVENT_H */
