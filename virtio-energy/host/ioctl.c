// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO device ioctls
 *
 * What the device has, how its interrupts are connected, and its reset. The
 * VMM says how long its structures are; what it leaves out is not touched.
 *
 * Locks: none here. User memory is accessed outside of all locks.
 */
#include <linux/align.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>

#include "vmdev.h"

static long get_info(void __user *arg)
{
	const size_t size = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, arg, size))
		return -EFAULT;
	if (info.argsz < size)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static u32 region_flags(unsigned int region)
{
	if (!vmdev_pci_region_size(region))
		return 0;
	if (region == VFIO_PCI_BAR0_REGION_INDEX + VMDEV_MEMORY_BAR)
		return VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		       VFIO_REGION_INFO_FLAG_MMAP;
	return VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
}

/**
 * struct sparse_page - the capability that says what can be mapped
 * @header: its id, and no next one
 * @nr_areas: 1
 * @reserved: zero
 * @area: the page
 *
 * This is struct vfio_region_info_cap_sparse_mmap with one area.
 */
struct sparse_page {
	struct vfio_info_cap_header header;
	__u32 nr_areas;
	__u32 reserved;
	struct vfio_region_sparse_mmap_area area;
};

static_assert(offsetof(struct sparse_page, area) ==
	      offsetof(struct vfio_region_info_cap_sparse_mmap, areas));

/* With too little room, only the size that is needed is told. */
static long add_sparse_page(struct vfio_region_info *info, void __user *arg)
{
	static const struct sparse_page sparse = {
		.header = {
			.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP,
			.version = 1,
		},
		.nr_areas = 1,
		.area = {
			.size = PAGE_SIZE,
		},
	};
	const size_t size = sizeof(*info) + sizeof(sparse);

	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	if (info->argsz < size) {
		info->argsz = size;
		return 0;
	}
	info->cap_offset = sizeof(*info);
	return copy_to_user(arg + sizeof(*info), &sparse, sizeof(sparse)) ?
	       -EFAULT : 0;
}

static long get_region_info(void __user *arg)
{
	struct vfio_region_info info;
	long err = 0;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info) || info.index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info.flags = region_flags(info.index);
	info.cap_offset = 0;
	info.size = vmdev_pci_region_size(info.index);
	info.offset = (u64)info.index << VMDEV_REGION_SHIFT;
	if (info.flags & VFIO_REGION_INFO_FLAG_MMAP)
		err = add_sparse_page(&info, arg);
	if (err)
		return err;
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long get_irq_info(void __user *arg)
{
	struct vfio_irq_info info;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info) || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.count = vmdev_irqs_count(info.index);
	info.flags = info.count ? VFIO_IRQ_INFO_EVENTFD : 0;
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long set_irqs(struct vmdev *vmdev, void __user *arg)
{
	const size_t size = offsetofend(struct vfio_irq_set, count);
	s32 data[VMDEV_NR_VECTORS];
	struct vfio_irq_set set;
	size_t data_size;
	int err;

	if (copy_from_user(&set, arg, size))
		return -EFAULT;
	err = vfio_set_irqs_validate_and_prepare(&set,
						 vmdev_irqs_count(set.index),
						 VFIO_PCI_NUM_IRQS, &data_size);
	if (err)
		return err;
	if (data_size > sizeof(data))
		return -EINVAL;
	if (copy_from_user(data, arg + size, data_size))
		return -EFAULT;
	return vmdev_irqs_set(&vmdev->irqs, &set, data);
}

/**
 * vmdev_ioctl - carry out VFIO_DEVICE_*
 * @vdev: an open device
 * @cmd: what to do
 * @arg: user address of its argument
 *
 * Return: 0 or a negative error.
 */
long vmdev_ioctl(struct vfio_device *vdev, unsigned int cmd,
		 unsigned long arg)
{
	void __user *user_arg = (void __user *)arg;
	struct vmdev *vmdev = to_vmdev(vdev);

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return get_info(user_arg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return get_region_info(user_arg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return get_irq_info(user_arg);
	case VFIO_DEVICE_SET_IRQS:
		return set_irqs(vmdev, user_arg);
	case VFIO_DEVICE_RESET:
		vmdev_pci_power_on(&vmdev->pci);
		return 0;
	default:
		return -ENOTTY;
	}
}
