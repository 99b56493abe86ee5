/* SPDX-License-Identifier: GPL-2.0 */
/* Interrupts, which leave as events to file descriptors of the VMM. */
#ifndef _VMDEV_IRQ_H
#define _VMDEV_IRQ_H

#include <linux/mutex.h>
#include <linux/types.h>

struct eventfd_ctx;
struct vfio_irq_set;

/* MSI-X vectors: configuration change, and one for each queue */
#define VMDEV_NR_VECTORS	3

/**
 * struct vmdev_irqs - where interrupts go
 * @lock: protects the rest; a leaf, never held over access to user memory
 * @vector: receiver of each MSI-X vector, or NULL
 * @request: told that the device is to be unplugged, or NULL
 */
struct vmdev_irqs {
	struct mutex lock; /* a leaf */
	struct eventfd_ctx *vector[VMDEV_NR_VECTORS];
	struct eventfd_ctx *request;
};

void vmdev_irqs_init(struct vmdev_irqs *irqs);
void vmdev_irqs_release(struct vmdev_irqs *irqs);
unsigned int vmdev_irqs_count(unsigned int index);
int vmdev_irqs_set(struct vmdev_irqs *irqs, const struct vfio_irq_set *set,
		   const void *data);
bool vmdev_irqs_raise(struct vmdev_irqs *irqs, u16 vector);
void vmdev_irqs_request_unplug(struct vmdev_irqs *irqs);

#endif /* _VMDEV_IRQ_H */
