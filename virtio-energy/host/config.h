/* SPDX-License-Identifier: GPL-2.0 */
/* PCI configuration space, and the layout of what it points to. */
#ifndef _VMDEV_CONFIG_H
#define _VMDEV_CONFIG_H

#include <linux/pci_regs.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/virtio_pci.h>

/* BARs by number: the registers, and the shared memory */
#define VMDEV_REGS_BAR		0
#define VMDEV_REGS_BAR_SIZE	SZ_4K
#define VMDEV_MEMORY_BAR	2
/* Big enough that no firmware maps it below 4 GiB, where it is uncached */
#define VMDEV_MEMORY_BAR_SIZE	SZ_1G

/* The registers; the VMM emulates the MSI-X table and pending bits itself. */
#define VMDEV_COMMON		0x000
#define VMDEV_ISR		0x100
#define VMDEV_DEVICE_CONFIG	0x200
#define VMDEV_NOTIFY		0x300
#define VMDEV_MSIX_TABLE	0x800
#define VMDEV_MSIX_PBA		0xc00

/* Bytes from the notification address of a queue to that of the next */
#define VMDEV_NOTIFY_STRIDE	4

/**
 * struct vmdev_pci_header - header type 0 of configuration space
 * @vendor: vendor id
 * @device: device id
 * @command: PCI_COMMAND_*
 * @status: PCI_STATUS_*
 * @revision: revision id
 * @class: programming interface, subclass and class
 * @unused1: cache line size, latency timer, header type, self test
 * @bar: base addresses
 * @unused2: CardBus pointer
 * @subsystem_vendor: subsystem vendor id
 * @subsystem: subsystem id
 * @unused3: expansion ROM
 * @capabilities: offset of the first capability
 * @unused4: reserved
 * @interrupt_line: the guest's own
 * @unused5: interrupt pin (none), grant and latency
 */
struct vmdev_pci_header {
	__le16 vendor;
	__le16 device;
	__le16 command;
	__le16 status;
	u8 revision;
	u8 class[3];
	u8 unused1[4];
	__le32 bar[PCI_STD_NUM_BARS];
	u8 unused2[4];
	__le16 subsystem_vendor;
	__le16 subsystem;
	u8 unused3[4];
	u8 capabilities;
	u8 unused4[7];
	u8 interrupt_line;
	u8 unused5[3];
};

/**
 * struct vmdev_msix_cap - MSI-X capability
 * @id: PCI_CAP_ID_MSIX
 * @next: offset of the next capability
 * @control: PCI_MSIX_FLAGS_*
 * @table: offset and BAR of the table
 * @pba: offset and BAR of the pending bits
 */
struct vmdev_msix_cap {
	u8 id;
	u8 next;
	__le16 control;
	__le32 table;
	__le32 pba;
};

/**
 * struct vmdev_config - PCI configuration space
 * @header: the first 64 bytes
 * @common: where VMDEV_COMMON is
 * @notify: where VMDEV_NOTIFY is
 * @isr: where VMDEV_ISR is
 * @device: where VMDEV_DEVICE_CONFIG is
 * @memory: where the shared memory region is
 * @window: another way to the registers, for firmware without BARs
 * @msix: where VMDEV_MSIX_TABLE and VMDEV_MSIX_PBA are
 * @bytes: all of it
 */
struct vmdev_config {
	union {
		struct {
			struct vmdev_pci_header header;
			struct virtio_pci_cap common;
			struct virtio_pci_notify_cap notify;
			struct virtio_pci_cap isr;
			struct virtio_pci_cap device;
			struct virtio_pci_cap64 memory;
			struct virtio_pci_cfg_cap window;
			struct vmdev_msix_cap msix;
		};
		u8 bytes[PCI_CFG_SPACE_SIZE];
	};
};

/**
 * struct vmdev_access - an access to the registers
 * @offset: where in VMDEV_REGS_BAR, aligned to @len
 * @len: 1, 2 or 4
 */
struct vmdev_access {
	u32 offset;
	u32 len;
};

void vmdev_config_reset(struct vmdev_config *config);
void vmdev_config_write(struct vmdev_config *config, u32 offset,
			const void *data, size_t len);
bool vmdev_config_can_dma(const struct vmdev_config *config);
bool vmdev_config_window(const struct vmdev_config *config, u32 offset,
			 struct vmdev_access *access);

#endif /* _VMDEV_CONFIG_H */
