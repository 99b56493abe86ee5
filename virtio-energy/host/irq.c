// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts by eventfd
 *
 * VFIO_DEVICE_SET_IRQS connects an interrupt of the device to an eventfd. The
 * VMM emulates the MSI-X table and masks; here a vector has a receiver or has
 * none. There is no INTx.
 *
 * Locks: vmdev_irqs.lock, a leaf.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <linux/vfio.h>

#include "irq.h"

static struct eventfd_ctx **receivers(struct vmdev_irqs *irqs,
				      unsigned int index)
{
	return index == VFIO_PCI_MSIX_IRQ_INDEX ? irqs->vector : &irqs->request;
}

static bool raise(struct eventfd_ctx *receiver)
{
	if (!receiver)
		return false;
	eventfd_signal(receiver);
	return true;
}

static void put_receivers(struct eventfd_ctx **receiver, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (receiver[i])
			eventfd_ctx_put(receiver[i]);
		receiver[i] = NULL;
	}
}

/* A negative descriptor stands for no receiver. */
static int get_receivers(struct eventfd_ctx **receiver, const s32 *fd,
			 unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		receiver[i] = fd[i] < 0 ? NULL : eventfd_ctx_fdget(fd[i]);
		if (IS_ERR(receiver[i])) {
			int err = PTR_ERR(receiver[i]);

			put_receivers(receiver, i);
			return err;
		}
	}
	return 0;
}

static void swap_receivers(struct vmdev_irqs *irqs, struct eventfd_ctx **to,
			   struct eventfd_ctx **from, unsigned int count)
{
	unsigned int i;

	guard(mutex)(&irqs->lock);
	for (i = 0; i < count; i++)
		swap(to[i], from[i]);
}

static int connect(struct vmdev_irqs *irqs, struct eventfd_ctx **to,
		   const s32 *fd, unsigned int count)
{
	struct eventfd_ctx *receiver[VMDEV_NR_VECTORS] = { };
	int err;

	err = get_receivers(receiver, fd, count);
	if (err)
		return err;
	swap_receivers(irqs, to, receiver, count);
	put_receivers(receiver, count);
	return 0;
}

static void raise_some(struct vmdev_irqs *irqs, struct eventfd_ctx **receiver,
		       const u8 *chosen, unsigned int count)
{
	unsigned int i;

	guard(mutex)(&irqs->lock);
	for (i = 0; i < count; i++) {
		if (!chosen || chosen[i])
			raise(receiver[i]);
	}
}

/* Without data and without a range, the whole index is disconnected. */
static int trigger(struct vmdev_irqs *irqs, const struct vfio_irq_set *set)
{
	static const s32 none[VMDEV_NR_VECTORS] = {
		[0 ... VMDEV_NR_VECTORS - 1] = -1,
	};
	struct eventfd_ctx **receiver = receivers(irqs, set->index);

	if (!set->count)
		return connect(irqs, receiver, none,
			       vmdev_irqs_count(set->index));
	raise_some(irqs, receiver + set->start, NULL, set->count);
	return 0;
}

/**
 * vmdev_irqs_init - start without receivers
 * @irqs: the interrupts
 */
void vmdev_irqs_init(struct vmdev_irqs *irqs)
{
	mutex_init(&irqs->lock);
}

/**
 * vmdev_irqs_release - disconnect all receivers
 * @irqs: the interrupts
 */
void vmdev_irqs_release(struct vmdev_irqs *irqs)
{
	guard(mutex)(&irqs->lock);
	put_receivers(irqs->vector, VMDEV_NR_VECTORS);
	put_receivers(&irqs->request, 1);
}

/**
 * vmdev_irqs_count - how many interrupts there are of a kind
 * @index: VFIO_PCI_*_IRQ_INDEX
 *
 * Return: their number, at most VMDEV_NR_VECTORS.
 */
unsigned int vmdev_irqs_count(unsigned int index)
{
	switch (index) {
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return VMDEV_NR_VECTORS;
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	default:
		return 0;
	}
}

/**
 * vmdev_irqs_set - carry out VFIO_DEVICE_SET_IRQS
 * @irqs: the interrupts
 * @set: what to do; passed vfio_set_irqs_validate_and_prepare() with the
 *       count that vmdev_irqs_count() gives
 * @data: the data that follows @set, in kernel memory, 4-byte aligned
 *
 * Return: 0 or a negative error, upon which nothing has changed.
 */
int vmdev_irqs_set(struct vmdev_irqs *irqs, const struct vfio_irq_set *set,
		   const void *data)
{
	struct eventfd_ctx **receiver = receivers(irqs, set->index) + set->start;

	if ((set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) !=
	    VFIO_IRQ_SET_ACTION_TRIGGER)
		return -EINVAL;

	switch (set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_NONE:
		return trigger(irqs, set);
	case VFIO_IRQ_SET_DATA_BOOL:
		raise_some(irqs, receiver, data, set->count);
		return 0;
	default:
		return connect(irqs, receiver, data, set->count);
	}
}

/**
 * vmdev_irqs_raise - raise an MSI-X interrupt
 * @irqs: the interrupts
 * @vector: any number
 *
 * Context: process context.
 * Return: whether somebody receives it.
 */
bool vmdev_irqs_raise(struct vmdev_irqs *irqs, u16 vector)
{
	if (vector >= VMDEV_NR_VECTORS)
		return false;

	vector = array_index_nospec(vector, VMDEV_NR_VECTORS);
	guard(mutex)(&irqs->lock);
	return raise(irqs->vector[vector]);
}

/**
 * vmdev_irqs_request_unplug - ask the VMM to let go of the device
 * @irqs: the interrupts
 *
 * Context: process context.
 */
void vmdev_irqs_request_unplug(struct vmdev_irqs *irqs)
{
	guard(mutex)(&irqs->lock);
	raise(irqs->request);
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/irq-kunit.h"
#endif
