// SPDX-License-Identifier: GPL-2.0
/*
 * Events from the device over the eventq
 *
 * This version of the device defines no event and a driver ignores what it
 * doesn't know, so all there is to do is to give every buffer back: a device
 * that knows more than we do must not run out of them.
 *
 * Locks: vioen_eventq.lock, taken from the interrupt; nothing nests in it.
 */

#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/virtio.h>

#include "event.h"

static int offer(struct vioen_eventq *eventq, struct virtqueue *vq,
		 struct virtio_energy_event *event)
{
	struct scatterlist sg;

	lockdep_assert_held(&eventq->lock);

	sg_init_one(&sg, event, sizeof(*event));
	return virtqueue_add_inbuf(vq, &sg, 1, event, GFP_ATOMIC);
}

static int offer_all(struct vioen_eventq *eventq, struct virtqueue *vq)
{
	unsigned int nr, i;
	int err;

	nr = min_t(unsigned int, VIOEN_NR_EVENTS,
		   virtqueue_get_vring_size(vq));
	for (i = 0; i < nr; i++) {
		err = offer(eventq, vq, &eventq->event[i]);
		if (err)
			return err;
	}
	return virtqueue_kick(vq) ? 0 : -EIO;
}

/*
 * No more than there are: a device that uses buffers as fast as they come back
 * must not keep us here. An honest one interrupts again for those left.
 */
static void reoffer_used(struct vioen_eventq *eventq, struct virtqueue *vq)
{
	struct virtio_energy_event *event;
	unsigned int used, i;

	for (i = 0; i < VIOEN_NR_EVENTS; i++) {
		event = virtqueue_get_buf(vq, &used);
		/* Fails on a broken virtqueue only, which has no events. */
		if (!event || offer(eventq, vq, event))
			break;
	}
	virtqueue_kick(vq);
}

/**
 * vioen_eventq_fill() - give the device the buffers for its events
 * @eventq: the event virtqueue of a device that is ready
 *
 * Context: Any.
 * Return: 0 or a negative error of the virtqueue.
 */
int vioen_eventq_fill(struct vioen_eventq *eventq)
{
	unsigned long flags;
	int err;

	spin_lock_irqsave(&eventq->lock, flags);
	err = offer_all(eventq, eventq->vq);
	spin_unlock_irqrestore(&eventq->lock, flags);
	return err;
}

/**
 * vioen_eventq_recycle() - give used buffers back to the device
 * @eventq: the event virtqueue
 * @vq: the same for virtio; its callback may come before @eventq knows of it
 *
 * Context: Any, usually the virtqueue's callback in hard interrupt.
 */
void vioen_eventq_recycle(struct vioen_eventq *eventq, struct virtqueue *vq)
{
	unsigned long flags;

	spin_lock_irqsave(&eventq->lock, flags);
	reoffer_used(eventq, vq);
	spin_unlock_irqrestore(&eventq->lock, flags);
}

/**
 * vioen_eventq_drain() - take the buffers back from the virtqueue
 * @eventq: the event virtqueue of a device that has been reset
 *
 * Context: Any.
 */
void vioen_eventq_drain(struct vioen_eventq *eventq)
{
	unsigned long flags;

	spin_lock_irqsave(&eventq->lock, flags);
	while (virtqueue_detach_unused_buf(eventq->vq))
		;
	spin_unlock_irqrestore(&eventq->lock, flags);
}
