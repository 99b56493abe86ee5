// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-pci transport (virtio 1.2, section 4.1)
 *
 * A VMM forwards what the guest does to configuration space and BARs as reads
 * and writes of regions. Registers take effect at once. A kick only queues a
 * work item, which takes requests from the requestq, has the device answer
 * them, and interrupts. The eventq is never looked at, as no event is defined.
 *
 * A work item serves at most a queue full of requests, and then rests for ten
 * times as long as that took, whatever the guest asks of it, so that a guest
 * can't keep one of the host's CPUs busy. The rest is a tick at least, and
 * REST_MAX at most, lest a driver gives up where it was the host that was slow.
 *
 * Invariants: guest memory is accessed only while the driver is ready, the
 * device is a bus master and nothing is broken. A broken queue sets
 * NEEDS_RESET, and nothing but a reset clears it. After a reset no access to
 * guest memory is under way.
 *
 * Locks: vmdev_pci.lock, outside of the VFIO container's lock, mmap_lock of
 * the VMM, vmdev_irqs.lock and vmdev_page.lock.
 */
#include <linux/cleanup.h>
#include <linux/container_of.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/vfio.h>
#include <linux/virtio_config.h>

#include "common.h"
#include "irq.h"
#include "pci.h"
#include "slice.h"

/* Virtio 1.2, section 4.1.4.5; the other bit is in a header. */
#define ISR_QUEUE	0x1

/* How much longer to rest than to serve */
#define REST_FACTOR	10
#define REST_MAX	(HZ / 10)

/* Where the driver kicks the requestq */
#define KICK	(VMDEV_NOTIFY + VIRTIO_ENERGY_VQ_REQUEST * VMDEV_NOTIFY_STRIDE)

static struct workqueue_struct *workqueue;

static bool is_live(const struct vmdev_pci *pci)
{
	return pci->status & VIRTIO_CONFIG_S_DRIVER_OK &&
	       !(pci->status & VIRTIO_CONFIG_S_NEEDS_RESET) &&
	       vmdev_config_can_dma(&pci->config);
}

static void interrupt(struct vmdev_pci *pci, u16 vector, u8 isr)
{
	if (!vmdev_irqs_raise(pci->irqs, vector))
		pci->isr |= isr;
}

/**
 * vmdev_pci_fail - the driver has broken the rules: stop until it resets
 * @pci: the transport, locked
 */
void vmdev_pci_fail(struct vmdev_pci *pci)
{
	lockdep_assert_held(&pci->lock);
	pci->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (pci->status & VIRTIO_CONFIG_S_DRIVER_OK)
		interrupt(pci, pci->config_vector, VIRTIO_PCI_ISR_CONFIG);
}

/**
 * vmdev_pci_kick - see to the requestq soon
 * @pci: an open transport
 */
void vmdev_pci_kick(struct vmdev_pci *pci)
{
	unsigned long now = jiffies, next = READ_ONCE(pci->next_serve);

	queue_delayed_work(workqueue, &pci->work,
			   time_before(now, next) ? next - now : 0);
}

/* Returns 1 if a request was served, 0 if none is there, or an error. */
static int serve_request(struct vmdev_pci *pci, struct vmdev_ring *ring)
{
	struct vmdev_chain *chain = &pci->chain;
	size_t len, room, used;
	int err;

	err = vmdev_ring_pop(ring, chain);
	if (err <= 0)
		return err;
	len = min_t(size_t, chain->out_len, sizeof(pci->request));
	err = vmdev_ring_read(ring, chain, pci->request, len);
	if (err)
		return err;
	room = min_t(size_t, chain->in_len, sizeof(pci->response));
	used = pci->device->ops->respond(pci->device, pci->request, len,
					 pci->response, room);
	err = vmdev_ring_write(ring, chain, pci->response, used);
	if (err)
		return err;
	err = vmdev_ring_push(ring, chain->head, used);
	return err ?: 1;
}

/* Returns how many requests were served, or an error. */
static int serve_queue(struct vmdev_pci *pci, struct vmdev_queue *queue)
{
	int served, err;

	for (served = 0; served < queue->ring.size; served++) {
		err = serve_request(pci, &queue->ring);
		if (err < 0)
			return err;
		if (!err)
			break;
	}
	if (!served)
		return 0;
	err = vmdev_ring_wants_interrupt(&queue->ring);
	if (err > 0)
		interrupt(pci, queue->vector, ISR_QUEUE);
	return err < 0 ? err : served;
}

static void serve(struct work_struct *work)
{
	struct vmdev_pci *pci = container_of(to_delayed_work(work),
					     struct vmdev_pci, work);
	struct vmdev_queue *queue = &pci->queue[VIRTIO_ENERGY_VQ_REQUEST];
	unsigned long start = jiffies;
	int served;

	guard(mutex)(&pci->lock);
	if (!is_live(pci) || !queue->ring.enabled)
		return;
	/* A kick while the last one ran did not know how long that would take. */
	if (time_before(start, pci->next_serve)) {
		vmdev_pci_kick(pci);
		return;
	}
	served = serve_queue(pci, queue);
	WRITE_ONCE(pci->next_serve, jiffies +
		   clamp(REST_FACTOR * (jiffies - start), 1UL, (unsigned long)REST_MAX));
	if (served < 0)
		vmdev_pci_fail(pci);
	else if (served == queue->ring.size)
		vmdev_pci_kick(pci);
}

/**
 * vmdev_pci_reset - reset what a driver can reset: all but PCI configuration
 * @pci: the transport, locked
 */
void vmdev_pci_reset(struct vmdev_pci *pci)
{
	int i;

	lockdep_assert_held(&pci->lock);
	pci->driver_features = 0;
	pci->device_select = 0;
	pci->driver_select = 0;
	pci->queue_select = 0;
	pci->config_vector = VIRTIO_MSI_NO_VECTOR;
	pci->status = 0;
	pci->isr = 0;
	for (i = 0; i < VIRTIO_ENERGY_NR_VQS; i++) {
		vmdev_ring_reset(&pci->queue[i].ring);
		pci->queue[i].vector = VIRTIO_MSI_NO_VECTOR;
	}
}

/**
 * vmdev_pci_power_on - reset everything
 * @pci: the transport
 */
void vmdev_pci_power_on(struct vmdev_pci *pci)
{
	guard(mutex)(&pci->lock);
	vmdev_config_reset(&pci->config);
	vmdev_pci_reset(pci);
}

/**
 * vmdev_pci_quiesce - wait until nothing is under way
 * @pci: a transport that nobody can access any more
 */
void vmdev_pci_quiesce(struct vmdev_pci *pci)
{
	cancel_delayed_work_sync(&pci->work);
}

/**
 * vmdev_pci_region_size - how big a region is
 * @region: VFIO_PCI_*_REGION_INDEX
 *
 * Return: its size in bytes, 0 if there is none.
 */
u64 vmdev_pci_region_size(unsigned int region)
{
	switch (region) {
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return PCI_CFG_SPACE_SIZE;
	case VFIO_PCI_BAR0_REGION_INDEX + VMDEV_REGS_BAR:
		return VMDEV_REGS_BAR_SIZE;
	case VFIO_PCI_BAR0_REGION_INDEX + VMDEV_MEMORY_BAR:
		return VMDEV_MEMORY_BAR_SIZE;
	default:
		return 0;
	}
}

static void read_device_config(struct vmdev_pci *pci, u32 offset, void *data,
			       size_t len)
{
	const struct vmdev_device_ops *ops = pci->device->ops;
	u8 config[VMDEV_MAX_DEVICE_CONFIG] __aligned(8);

	ops->config(pci->device, config);
	vmdev_slice(data, len, offset, config, ops->config_size);
}

static void read_regs(struct vmdev_pci *pci, u32 offset, void *data, size_t len)
{
	switch (offset) {
	case VMDEV_COMMON ... VMDEV_ISR - 1:
		vmdev_common_read(pci, offset - VMDEV_COMMON, data, len);
		break;
	case VMDEV_ISR:
		vmdev_slice(data, len, 0, &pci->isr, sizeof(pci->isr));
		pci->isr = 0;
		break;
	case VMDEV_DEVICE_CONFIG ... VMDEV_NOTIFY - 1:
		read_device_config(pci, offset - VMDEV_DEVICE_CONFIG, data, len);
		break;
	default:
		memset(data, 0, len);
	}
}

static void write_regs(struct vmdev_pci *pci, u32 offset, const void *data,
		       size_t len)
{
	switch (offset) {
	case VMDEV_COMMON ... VMDEV_ISR - 1:
		vmdev_common_write(pci, offset - VMDEV_COMMON, data, len);
		break;
	case KICK:
		vmdev_pci_kick(pci);
		break;
	}
}

static void read_config(struct vmdev_pci *pci, u32 offset, void *data,
			size_t len)
{
	struct vmdev_config *config = &pci->config;
	struct vmdev_access access;

	if (vmdev_config_window(config, offset, &access))
		read_regs(pci, access.offset, config->window.pci_cfg_data,
			  access.len);
	vmdev_slice(data, len, offset, config, sizeof(*config));
}

static void write_config(struct vmdev_pci *pci, u32 offset, const void *data,
			 size_t len)
{
	struct vmdev_config *config = &pci->config;
	struct vmdev_access access;

	vmdev_config_write(config, offset, data, len);
	if (vmdev_config_window(config, offset, &access))
		write_regs(pci, access.offset, config->window.pci_cfg_data,
			   access.len);
	/* A guest may have kicked before it made the device a bus master. */
	if (is_live(pci))
		vmdev_pci_kick(pci);
}

/**
 * vmdev_pci_read - read from a region
 * @pci: an open transport
 * @region: VFIO_PCI_*_REGION_INDEX
 * @offset: where; the access is aligned and inside of the region
 * @data: stores what was read
 * @len: 1, 2 or 4
 */
void vmdev_pci_read(struct vmdev_pci *pci, unsigned int region, u64 offset,
		    void *data, size_t len)
{
	guard(mutex)(&pci->lock);
	switch (region) {
	case VFIO_PCI_CONFIG_REGION_INDEX:
		read_config(pci, offset, data, len);
		break;
	case VFIO_PCI_BAR0_REGION_INDEX + VMDEV_REGS_BAR:
		read_regs(pci, offset, data, len);
		break;
	default:
		pci->device->ops->read_memory(pci->device, offset, data, len);
	}
}

/**
 * vmdev_pci_write - write to a region
 * @pci: an open transport
 * @region: VFIO_PCI_*_REGION_INDEX
 * @offset: where; the access is aligned and inside of the region
 * @data: what to write
 * @len: 1, 2 or 4
 */
void vmdev_pci_write(struct vmdev_pci *pci, unsigned int region, u64 offset,
		     const void *data, size_t len)
{
	/* A vCPU that kicks does not wait for requests that are being served. */
	if (region == VFIO_PCI_BAR0_REGION_INDEX + VMDEV_REGS_BAR &&
	    offset == KICK) {
		vmdev_pci_kick(pci);
		return;
	}

	guard(mutex)(&pci->lock);
	switch (region) {
	case VFIO_PCI_CONFIG_REGION_INDEX:
		write_config(pci, offset, data, len);
		break;
	case VFIO_PCI_BAR0_REGION_INDEX + VMDEV_REGS_BAR:
		write_regs(pci, offset, data, len);
		break;
	}
}

/**
 * vmdev_pci_init - make a transport for a device
 * @pci: the transport
 * @vdev: gives access to guest memory
 * @device: the device
 * @irqs: where interrupts go
 */
void vmdev_pci_init(struct vmdev_pci *pci, struct vfio_device *vdev,
		    struct vmdev_device *device, struct vmdev_irqs *irqs)
{
	int i;

	mutex_init(&pci->lock);
	INIT_DELAYED_WORK(&pci->work, serve);
	pci->next_serve = jiffies;
	pci->device = device;
	pci->irqs = irqs;
	for (i = 0; i < VIRTIO_ENERGY_NR_VQS; i++)
		pci->queue[i].ring.vdev = vdev;
}

/**
 * vmdev_pci_module_init - make what all transports share
 *
 * Return: 0 or -ENOMEM.
 */
int vmdev_pci_module_init(void)
{
	workqueue = alloc_workqueue(KBUILD_MODNAME, WQ_UNBOUND, 0);
	return workqueue ? 0 : -ENOMEM;
}

/**
 * vmdev_pci_module_exit - undo vmdev_pci_module_init()
 */
void vmdev_pci_module_exit(void)
{
	destroy_workqueue(workqueue);
}
