// SPDX-License-Identifier: GPL-2.0
/*
 * Common configuration (virtio 1.2, section 4.1.4.3)
 *
 * How a driver negotiates features, sets up queues and resets the device. A
 * field is read from an image of the whole structure, and written by its own
 * function; a write that does not match a field in place and size is ignored,
 * and so is one that comes at the wrong time: features are fixed once
 * FEATURES_OK is set, a queue once it is enabled, and a status bit is cleared
 * by a reset only.
 *
 * Locks: all runs under vmdev_pci.lock.
 */
#include <asm/byteorder.h>
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <linux/virtio_config.h>

#include "common.h"
#include "irq.h"
#include "pci.h"
#include "slice.h"

/* Feature bits of the transport */
#define TRANSPORT_FEATURES	(BIT_ULL(VIRTIO_F_VERSION_1) | \
				 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))

/**
 * struct field - a field that can be written
 * @offset: where it is in struct virtio_pci_common_cfg
 * @size: its size in bytes
 * @write: takes a value
 */
struct field {
	u8 offset;
	u8 size;
	void (*write)(struct vmdev_pci *pci, u32 value);
};

static u64 offered_features(const struct vmdev_pci *pci)
{
	return TRANSPORT_FEATURES | pci->device->ops->features;
}

/* Features are shown in words of 32 bits; there are no bits beyond two. */
static u32 feature_word(u64 features, u32 select)
{
	switch (select) {
	case 0:
		return lower_32_bits(features);
	case 1:
		return upper_32_bits(features);
	default:
		return 0;
	}
}

/* The guest chose the number, so it must not steer speculation either. */
static struct vmdev_queue *selected_queue(struct vmdev_pci *pci)
{
	u16 select = pci->queue_select;

	if (select >= VIRTIO_ENERGY_NR_VQS)
		return NULL;
	return &pci->queue[array_index_nospec(select, VIRTIO_ENERGY_NR_VQS)];
}

/* The selected queue, if its ring can be changed */
static struct vmdev_ring *open_ring(struct vmdev_pci *pci)
{
	struct vmdev_queue *queue = selected_queue(pci);

	return queue && !queue->ring.enabled ? &queue->ring : NULL;
}

static u16 valid_vector(u32 vector)
{
	return vector < VMDEV_NR_VECTORS ? vector : VIRTIO_MSI_NO_VECTOR;
}

static void set_low(u64 *addr, u32 value)
{
	*addr = (*addr & ~(u64)U32_MAX) | value;
}

static void set_high(u64 *addr, u32 value)
{
	*addr = (u64)value << 32 | lower_32_bits(*addr);
}

static void write_device_select(struct vmdev_pci *pci, u32 value)
{
	pci->device_select = value;
}

static void write_driver_select(struct vmdev_pci *pci, u32 value)
{
	pci->driver_select = value;
}

static void write_driver_feature(struct vmdev_pci *pci, u32 value)
{
	if (pci->status & VIRTIO_CONFIG_S_FEATURES_OK)
		return;
	if (pci->driver_select == 0)
		set_low(&pci->driver_features, value);
	else if (pci->driver_select == 1)
		set_high(&pci->driver_features, value);
}

static void write_config_vector(struct vmdev_pci *pci, u32 value)
{
	pci->config_vector = valid_vector(value);
}

static bool features_acceptable(const struct vmdev_pci *pci)
{
	return pci->driver_features & BIT_ULL(VIRTIO_F_VERSION_1) &&
	       !(pci->driver_features & ~offered_features(pci));
}

/* A driver learns that a bit was refused when it reads it back. */
static void write_status(struct vmdev_pci *pci, u32 value)
{
	if (!value) {
		vmdev_pci_reset(pci);
		return;
	}
	pci->status |= value & (VIRTIO_CONFIG_S_ACKNOWLEDGE |
				VIRTIO_CONFIG_S_DRIVER |
				VIRTIO_CONFIG_S_FAILED);
	if (value & VIRTIO_CONFIG_S_FEATURES_OK && features_acceptable(pci))
		pci->status |= VIRTIO_CONFIG_S_FEATURES_OK;
	if (value & VIRTIO_CONFIG_S_DRIVER_OK &&
	    pci->status & VIRTIO_CONFIG_S_FEATURES_OK) {
		pci->status |= VIRTIO_CONFIG_S_DRIVER_OK;
		vmdev_pci_kick(pci);
	}
}

static void write_queue_select(struct vmdev_pci *pci, u32 value)
{
	pci->queue_select = value;
}

static void write_queue_size(struct vmdev_pci *pci, u32 value)
{
	struct vmdev_ring *ring = open_ring(pci);

	if (ring && is_power_of_2(value) && value <= VMDEV_RING_MAX)
		ring->size = value;
}

static void write_queue_vector(struct vmdev_pci *pci, u32 value)
{
	struct vmdev_queue *queue = selected_queue(pci);

	if (queue)
		queue->vector = valid_vector(value);
}

static void write_queue_enable(struct vmdev_pci *pci, u32 value)
{
	struct vmdev_ring *ring = open_ring(pci);

	if (!ring || value != 1 ||
	    !(pci->status & VIRTIO_CONFIG_S_FEATURES_OK))
		return;
	if (vmdev_ring_enable(ring))
		vmdev_pci_fail(pci);
}

#define DEFINE_WRITE_ADDRESS(name, part)					\
static void write_##name##_##part(struct vmdev_pci *pci, u32 value)		\
{										\
	struct vmdev_ring *ring = open_ring(pci);				\
										\
	if (ring)								\
		set_##part(&ring->name##_addr, value);				\
}

DEFINE_WRITE_ADDRESS(desc, low)
DEFINE_WRITE_ADDRESS(desc, high)
DEFINE_WRITE_ADDRESS(avail, low)
DEFINE_WRITE_ADDRESS(avail, high)
DEFINE_WRITE_ADDRESS(used, low)
DEFINE_WRITE_ADDRESS(used, high)

static const struct field fields[] = {
	{ VIRTIO_PCI_COMMON_DFSELECT,	4, write_device_select },
	{ VIRTIO_PCI_COMMON_GFSELECT,	4, write_driver_select },
	{ VIRTIO_PCI_COMMON_GF,		4, write_driver_feature },
	{ VIRTIO_PCI_COMMON_MSIX,	2, write_config_vector },
	{ VIRTIO_PCI_COMMON_STATUS,	1, write_status },
	{ VIRTIO_PCI_COMMON_Q_SELECT,	2, write_queue_select },
	{ VIRTIO_PCI_COMMON_Q_SIZE,	2, write_queue_size },
	{ VIRTIO_PCI_COMMON_Q_MSIX,	2, write_queue_vector },
	{ VIRTIO_PCI_COMMON_Q_ENABLE,	2, write_queue_enable },
	{ VIRTIO_PCI_COMMON_Q_DESCLO,	4, write_desc_low },
	{ VIRTIO_PCI_COMMON_Q_DESCHI,	4, write_desc_high },
	{ VIRTIO_PCI_COMMON_Q_AVAILLO,	4, write_avail_low },
	{ VIRTIO_PCI_COMMON_Q_AVAILHI,	4, write_avail_high },
	{ VIRTIO_PCI_COMMON_Q_USEDLO,	4, write_used_low },
	{ VIRTIO_PCI_COMMON_Q_USEDHI,	4, write_used_high },
};

static void show_queue(struct virtio_pci_common_cfg *cfg, u16 number,
		       const struct vmdev_queue *queue)
{
	const struct vmdev_ring *ring = &queue->ring;

	cfg->queue_size = cpu_to_le16(ring->size);
	cfg->queue_msix_vector = cpu_to_le16(queue->vector);
	cfg->queue_enable = cpu_to_le16(ring->enabled);
	cfg->queue_notify_off = cpu_to_le16(number);
	cfg->queue_desc_lo = cpu_to_le32(lower_32_bits(ring->desc_addr));
	cfg->queue_desc_hi = cpu_to_le32(upper_32_bits(ring->desc_addr));
	cfg->queue_avail_lo = cpu_to_le32(lower_32_bits(ring->avail_addr));
	cfg->queue_avail_hi = cpu_to_le32(upper_32_bits(ring->avail_addr));
	cfg->queue_used_lo = cpu_to_le32(lower_32_bits(ring->used_addr));
	cfg->queue_used_hi = cpu_to_le32(upper_32_bits(ring->used_addr));
}

/* Configuration never changes, so its generation is 0. */
static void show_device(struct virtio_pci_common_cfg *cfg,
			const struct vmdev_pci *pci)
{
	u32 offered = feature_word(offered_features(pci), pci->device_select);
	u32 accepted = feature_word(pci->driver_features, pci->driver_select);

	*cfg = (struct virtio_pci_common_cfg) {
		.device_feature_select = cpu_to_le32(pci->device_select),
		.device_feature = cpu_to_le32(offered),
		.guest_feature_select = cpu_to_le32(pci->driver_select),
		.guest_feature = cpu_to_le32(accepted),
		.msix_config = cpu_to_le16(pci->config_vector),
		.num_queues = cpu_to_le16(VIRTIO_ENERGY_NR_VQS),
		.device_status = pci->status,
		.queue_select = cpu_to_le16(pci->queue_select),
	};
}

/**
 * vmdev_common_read - read from the common configuration
 * @pci: the transport, locked
 * @offset: where; beyond the structure all is zero
 * @data: stores what was read
 * @len: bytes to read
 */
void vmdev_common_read(struct vmdev_pci *pci, u32 offset, void *data,
		       size_t len)
{
	const struct vmdev_queue *queue = selected_queue(pci);
	struct virtio_pci_common_cfg cfg;

	lockdep_assert_held(&pci->lock);
	show_device(&cfg, pci);
	if (queue)
		show_queue(&cfg, pci->queue_select, queue);
	vmdev_slice(data, len, offset, &cfg, sizeof(cfg));
}

/**
 * vmdev_common_write - write to the common configuration
 * @pci: the transport, locked
 * @offset: where
 * @data: what to write, little endian
 * @len: 1, 2 or 4
 */
void vmdev_common_write(struct vmdev_pci *pci, u32 offset, const void *data,
			size_t len)
{
	__le32 value = 0;
	int i;

	lockdep_assert_held(&pci->lock);
	memcpy(&value, data, len);
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].offset == offset && fields[i].size == len)
			fields[i].write(pci, le32_to_cpu(value));
	}
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/common-kunit.h"
#endif
