// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO operations
 *
 * A device is created by mdev and belongs to the VM whose process opens it,
 * until it is closed; a second process can't open it meanwhile. Each opening
 * starts with a fresh page and a device as after power-on.
 *
 * The file of a device is a row of regions, each at its number shifted by
 * VMDEV_REGION_SHIFT. An access is split at its natural alignment into steps
 * of up to four bytes, as a bus would.
 *
 * Locks: none here. User memory is accessed outside of all locks.
 */
#include <linux/bits.h>
#include <linux/dev_printk.h>
#include <linux/mdev.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "vmdev.h"

/**
 * struct step - one access to a region
 * @region: VFIO_PCI_*_REGION_INDEX
 * @offset: where in the region, aligned to @len
 * @len: 1, 2 or 4
 */
struct step {
	unsigned int region;
	u64 offset;
	size_t len;
};

static int init_device(struct vfio_device *vdev)
{
	struct vmdev *vmdev = to_vmdev(vdev);

	vmdev_irqs_init(&vmdev->irqs);
	vmdev_pci_init(&vmdev->pci, vdev, &vmdev->energy.device, &vmdev->irqs);
	return 0;
}

static int open_device(struct vfio_device *vdev)
{
	struct vmdev *vmdev = to_vmdev(vdev);
	int err;

	err = vmdev_energy_open(&vmdev->energy);
	if (!err)
		vmdev_pci_power_on(&vmdev->pci);
	return err;
}

static void close_device(struct vfio_device *vdev)
{
	struct vmdev *vmdev = to_vmdev(vdev);

	vmdev_pci_quiesce(&vmdev->pci);
	vmdev_irqs_release(&vmdev->irqs);
	vmdev_energy_close(&vmdev->energy);
}

/* Fills in the first step of an access; false if it is out of bounds. */
static bool first_step(struct step *step, u64 pos, size_t len)
{
	u64 offset = pos & (BIT_ULL(VMDEV_REGION_SHIFT) - 1);
	u64 region = pos >> VMDEV_REGION_SHIFT;

	if (region >= VFIO_PCI_NUM_REGIONS ||
	    offset >= vmdev_pci_region_size(region))
		return false;
	step->region = region;
	step->offset = offset;
	step->len = VMDEV_MAX_ACCESS;
	while (step->len > len || offset % step->len)
		step->len /= 2;
	return true;
}

static int read_step(struct vmdev *vmdev, const struct step *step,
		     void __user *buf)
{
	u8 data[VMDEV_MAX_ACCESS];

	vmdev_pci_read(&vmdev->pci, step->region, step->offset, data, step->len);
	return copy_to_user(buf, data, step->len) ? -EFAULT : 0;
}

static int write_step(struct vmdev *vmdev, const struct step *step,
		      void __user *buf)
{
	u8 data[VMDEV_MAX_ACCESS];

	if (copy_from_user(data, buf, step->len))
		return -EFAULT;
	vmdev_pci_write(&vmdev->pci, step->region, step->offset, data, step->len);
	return 0;
}

/* An error that comes after some steps were made is left to the next call. */
static ssize_t access_regions(struct vfio_device *vdev, char __user *buf,
			      size_t count, loff_t *ppos,
			      int (*access)(struct vmdev *vmdev,
					    const struct step *step,
					    void __user *buf))
{
	struct step step;
	size_t done;
	int err = 0;

	count = min_t(size_t, count, PAGE_SIZE);
	for (done = 0; done < count; done += step.len) {
		if (first_step(&step, *ppos + done, count - done))
			err = access(to_vmdev(vdev), &step, buf + done);
		else
			err = -EINVAL;
		if (err)
			break;
	}
	*ppos += done;
	return done ?: err;
}

static ssize_t read_regions(struct vfio_device *vdev, char __user *buf,
			    size_t count, loff_t *ppos)
{
	return access_regions(vdev, buf, count, ppos, read_step);
}

static ssize_t write_regions(struct vfio_device *vdev, const char __user *buf,
			     size_t count, loff_t *ppos)
{
	return access_regions(vdev, (char __user *)buf, count, ppos, write_step);
}

/* Only the page can be mapped, and only as memory shared with it. */
static int mmap_page(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	unsigned long page = (VFIO_PCI_BAR0_REGION_INDEX + VMDEV_MEMORY_BAR) <<
			     (VMDEV_REGION_SHIFT - PAGE_SHIFT);

	if (vma->vm_pgoff != page || vma_pages(vma) != 1 ||
	    !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	return vmdev_page_mmap(&to_vmdev(vdev)->energy.page, vma);
}

static void request_unplug(struct vfio_device *vdev, unsigned int count)
{
	vmdev_irqs_request_unplug(&to_vmdev(vdev)->irqs);
}

static const struct vfio_device_ops vmdev_ops = {
	VFIO_EMULATED_DEVICE_OPS,
	.name		= KBUILD_MODNAME,
	.init		= init_device,
	.open_device	= open_device,
	.close_device	= close_device,
	.read		= read_regions,
	.write		= write_regions,
	.ioctl		= vmdev_ioctl,
	.mmap		= mmap_page,
	.request	= request_unplug,
};

/**
 * vmdev_probe - make a device
 * @mdev: what mdev has made for it
 *
 * Return: 0 or a negative error.
 */
int vmdev_probe(struct mdev_device *mdev)
{
	struct vmdev *vmdev;
	int err;

	vmdev = vfio_alloc_device(vmdev, vdev, &mdev->dev, &vmdev_ops);
	if (IS_ERR(vmdev))
		return PTR_ERR(vmdev);
	err = vfio_register_emulated_iommu_dev(&vmdev->vdev);
	if (err) {
		vfio_put_device(&vmdev->vdev);
		return err;
	}
	dev_set_drvdata(&mdev->dev, vmdev);
	return 0;
}

/**
 * vmdev_remove - have a device closed and take it away
 * @mdev: the device
 *
 * Context: process context; waits for the VMM.
 */
void vmdev_remove(struct mdev_device *mdev)
{
	struct vmdev *vmdev = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&vmdev->vdev);
	vfio_put_device(&vmdev->vdev);
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/vmdev-kunit.h"
#endif
