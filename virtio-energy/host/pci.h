/* SPDX-License-Identifier: GPL-2.0 */
/* The transport: a modern virtio-pci device. */
#ifndef _VMDEV_PCI_H
#define _VMDEV_PCI_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <uapi/linux/virtio_energy.h>
#include <linux/workqueue.h>

#include "config.h"
#include "device.h"
#include "ring.h"

struct vmdev_irqs;

/* The longest access that is one access; longer ones are split. */
#define VMDEV_MAX_ACCESS	4

/**
 * struct vmdev_queue - a virtqueue and its interrupt
 * @ring: the ring
 * @vector: MSI-X vector, or VIRTIO_MSI_NO_VECTOR
 */
struct vmdev_queue {
	struct vmdev_ring ring;
	u16 vector;
};

/**
 * struct vmdev_pci - the transport of one device
 * @device: the device behind it
 * @irqs: where interrupts go
 * @lock: protects the rest, but for @work; held over vfio_dma_rw()
 * @config: PCI configuration space
 * @driver_features: what the driver has accepted
 * @device_select: 32-bit word of the device's features to show
 * @driver_select: 32-bit word of @driver_features to show
 * @queue_select: queue to show, any number
 * @config_vector: MSI-X vector for changes of configuration
 * @status: VIRTIO_CONFIG_S_*
 * @isr: interrupts that had no vector, cleared by a read
 * @queue: the queues
 * @work: serves the requestq; queued by kicks, rests while closed
 * @next_serve: jiffies before which @work does not run again
 * @chain: chain being served
 * @request: request being served
 * @response: its response
 */
struct vmdev_pci {
	struct vmdev_device *device;
	struct vmdev_irqs *irqs;
	struct mutex lock; /* never under mmap_lock */
	struct vmdev_config config;
	u64 driver_features;
	u32 device_select;
	u32 driver_select;
	u16 queue_select;
	u16 config_vector;
	u8 status;
	u8 isr;
	struct vmdev_queue queue[VIRTIO_ENERGY_NR_VQS];
	struct delayed_work work;
	unsigned long next_serve;
	struct vmdev_chain chain;
	u8 request[VMDEV_MAX_REQUEST] __aligned(8);
	u8 response[VMDEV_MAX_RESPONSE] __aligned(8);
};

void vmdev_pci_init(struct vmdev_pci *pci, struct vfio_device *vdev,
		    struct vmdev_device *device, struct vmdev_irqs *irqs);
void vmdev_pci_power_on(struct vmdev_pci *pci);
void vmdev_pci_quiesce(struct vmdev_pci *pci);
u64 vmdev_pci_region_size(unsigned int region);
void vmdev_pci_read(struct vmdev_pci *pci, unsigned int region, u64 offset,
		    void *data, size_t len);
void vmdev_pci_write(struct vmdev_pci *pci, unsigned int region, u64 offset,
		     const void *data, size_t len);

/* For the common configuration, which is a part of the transport */
void vmdev_pci_reset(struct vmdev_pci *pci);
void vmdev_pci_kick(struct vmdev_pci *pci);
void vmdev_pci_fail(struct vmdev_pci *pci);

int vmdev_pci_module_init(void);
void vmdev_pci_module_exit(void);

#endif /* _VMDEV_PCI_H */
