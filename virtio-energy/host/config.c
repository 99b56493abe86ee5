// SPDX-License-Identifier: GPL-2.0
/*
 * PCI configuration space
 *
 * Two images describe it: what a reset leaves, and which bits can be written.
 * That is all there is to BAR sizing, too: the bits of an address below the
 * BAR's size can't be written. The VMM emulates BARs and MSI-X by itself and
 * tells us of what the guest writes.
 *
 * It is a conventional PCI function: 256 bytes, no INTx.
 */
#include <asm/byteorder.h>
#include <linux/build_bug.h>
#include <linux/log2.h>
#include <linux/pci_ids.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <uapi/linux/virtio_energy.h>

#include "config.h"
#include "irq.h"

/* Virtio 1.2, section 4.1.2: ids of devices that are not transitional */
#define MODERN_DEVICE_ID	0x1040
#define MODERN_REVISION		1

#define OFFSET(member)	offsetof(struct vmdev_config, member)

static_assert(offsetof(struct vmdev_pci_header, bar) == PCI_BASE_ADDRESS_0);
static_assert(offsetof(struct vmdev_pci_header, subsystem_vendor) ==
	      PCI_SUBSYSTEM_VENDOR_ID);
static_assert(offsetof(struct vmdev_pci_header, capabilities) ==
	      PCI_CAPABILITY_LIST);
static_assert(offsetof(struct vmdev_pci_header, interrupt_line) ==
	      PCI_INTERRUPT_LINE);
static_assert(sizeof(struct vmdev_pci_header) == PCI_STD_HEADER_SIZEOF);
static_assert(sizeof(struct vmdev_msix_cap) == PCI_CAP_MSIX_SIZEOF);
static_assert(sizeof(struct vmdev_config) == PCI_CFG_SPACE_SIZE);

/* A virtio capability; by name, what it is and the one that follows */
#define CAP(this, next, type, number, start, size) {				\
	.cap_vndr = PCI_CAP_ID_VNDR,						\
	.cap_next = OFFSET(next),						\
	.cap_len = sizeof_field(struct vmdev_config, this),			\
	.cfg_type = (type),							\
	.bar = (number),							\
	.offset = cpu_to_le32(start),						\
	.length = cpu_to_le32(size),						\
}

static const struct vmdev_config initial = {
	.header = {
		.vendor = cpu_to_le16(PCI_VENDOR_ID_REDHAT_QUMRANET),
		.device = cpu_to_le16(MODERN_DEVICE_ID + VIRTIO_ID_ENERGY),
		.status = cpu_to_le16(PCI_STATUS_CAP_LIST),
		.revision = MODERN_REVISION,
		.class = {
			0,
			PCI_CLASS_SYSTEM_OTHER & 0xff,
			PCI_CLASS_SYSTEM_OTHER >> 8,
		},
		.bar = {
			[VMDEV_MEMORY_BAR] =
				cpu_to_le32(PCI_BASE_ADDRESS_MEM_TYPE_64 |
					    PCI_BASE_ADDRESS_MEM_PREFETCH),
		},
		.subsystem_vendor = cpu_to_le16(PCI_SUBVENDOR_ID_REDHAT_QUMRANET),
		.subsystem = cpu_to_le16(PCI_SUBDEVICE_ID_QEMU),
		.capabilities = OFFSET(common),
	},
	.common = CAP(common, notify, VIRTIO_PCI_CAP_COMMON_CFG,
		      VMDEV_REGS_BAR, VMDEV_COMMON,
		      sizeof(struct virtio_pci_common_cfg)),
	.notify = {
		.cap = CAP(notify, isr, VIRTIO_PCI_CAP_NOTIFY_CFG,
			   VMDEV_REGS_BAR, VMDEV_NOTIFY,
			   VIRTIO_ENERGY_NR_VQS * VMDEV_NOTIFY_STRIDE),
		.notify_off_multiplier = cpu_to_le32(VMDEV_NOTIFY_STRIDE),
	},
	.isr = CAP(isr, device, VIRTIO_PCI_CAP_ISR_CFG,
		   VMDEV_REGS_BAR, VMDEV_ISR, sizeof(u8)),
	.device = CAP(device, memory, VIRTIO_PCI_CAP_DEVICE_CFG,
		      VMDEV_REGS_BAR, VMDEV_DEVICE_CONFIG,
		      sizeof(struct virtio_energy_config)),
	.memory = {
		.cap = {
			.cap_vndr = PCI_CAP_ID_VNDR,
			.cap_next = OFFSET(window),
			.cap_len = sizeof(struct virtio_pci_cap64),
			.cfg_type = VIRTIO_PCI_CAP_SHARED_MEMORY_CFG,
			.bar = VMDEV_MEMORY_BAR,
			.id = VIRTIO_ENERGY_SHM_PAGE,
			.length = cpu_to_le32(VIRTIO_ENERGY_PAGE_SIZE),
		},
	},
	.window = {
		.cap = CAP(window, msix, VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 0),
	},
	.msix = {
		.id = PCI_CAP_ID_MSIX,
		.control = cpu_to_le16(VMDEV_NR_VECTORS - 1),
		.table = cpu_to_le32(VMDEV_MSIX_TABLE | VMDEV_REGS_BAR),
		.pba = cpu_to_le32(VMDEV_MSIX_PBA | VMDEV_REGS_BAR),
	},
};

static const struct vmdev_config writable = {
	.header = {
		.command = cpu_to_le16(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER),
		.bar = {
			[VMDEV_REGS_BAR] = cpu_to_le32(~(VMDEV_REGS_BAR_SIZE - 1)),
			[VMDEV_MEMORY_BAR] = cpu_to_le32(~(VMDEV_MEMORY_BAR_SIZE - 1)),
			[VMDEV_MEMORY_BAR + 1] = cpu_to_le32(U32_MAX),
		},
		.interrupt_line = U8_MAX,
	},
	.window = {
		.cap = {
			.bar = U8_MAX,
			.offset = cpu_to_le32(U32_MAX),
			.length = cpu_to_le32(U32_MAX),
		},
		.pci_cfg_data = { U8_MAX, U8_MAX, U8_MAX, U8_MAX },
	},
	.msix = {
		.control = cpu_to_le16(PCI_MSIX_FLAGS_ENABLE |
				       PCI_MSIX_FLAGS_MASKALL),
	},
};

/**
 * vmdev_config_reset - back to the state after power-on
 * @config: configuration space
 */
void vmdev_config_reset(struct vmdev_config *config)
{
	*config = initial;
}

/**
 * vmdev_config_write - write what can be written
 * @config: configuration space
 * @offset: where to start
 * @data: what to write
 * @len: bytes; @offset + @len is at most PCI_CFG_SPACE_SIZE
 */
void vmdev_config_write(struct vmdev_config *config, u32 offset,
			const void *data, size_t len)
{
	const u8 *mask = writable.bytes + offset;
	u8 *byte = config->bytes + offset;
	const u8 *value = data;
	size_t i;

	for (i = 0; i < len; i++)
		byte[i] = (byte[i] & ~mask[i]) | (value[i] & mask[i]);
}

/**
 * vmdev_config_can_dma - may the device access the guest's memory?
 * @config: configuration space
 *
 * Return: whether it is a bus master.
 */
bool vmdev_config_can_dma(const struct vmdev_config *config)
{
	return le16_to_cpu(config->header.command) & PCI_COMMAND_MASTER;
}

/**
 * vmdev_config_window - find what an access to the window's data stands for
 * @config: configuration space
 * @offset: where configuration space is accessed
 * @access: stores the access to the registers
 *
 * Return: whether it stands for any; the guest may have aimed the window at
 *         nothing that exists.
 */
bool vmdev_config_window(const struct vmdev_config *config, u32 offset,
			 struct vmdev_access *access)
{
	const struct virtio_pci_cap *cap = &config->window.cap;

	access->offset = le32_to_cpu(cap->offset);
	access->len = le32_to_cpu(cap->length);
	return offset == OFFSET(window.pci_cfg_data) &&
	       cap->bar == VMDEV_REGS_BAR &&
	       access->offset < VMDEV_REGS_BAR_SIZE &&
	       access->len <= sizeof(config->window.pci_cfg_data) &&
	       is_power_of_2(access->len) &&
	       IS_ALIGNED(access->offset, access->len);
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/config-kunit.h"
#endif
