// SPDX-License-Identifier: GPL-2.0
/*
 * vmenergy_mdev: a virtual machine reads its own energy account
 *
 * A virtio-energy device for stock VMMs: an emulated virtio-pci device behind
 * VFIO's mediated devices. It needs no IOMMU and no change to the VMM.
 *
 *	cd /sys/class/mdev_bus/vmenergy/mdev_supported_types/vmenergy-energy
 *	echo $UUID > create
 *	qemu-system-x86_64 ... \
 *		-device vfio-pci,sysfsdev=/sys/bus/mdev/devices/$UUID
 *
 *	vmdev.c, ioctl.c, irq.c    the VMM's side: VFIO
 *	pci.c, config.c, common.c  the transport
 *	ring.c                     virtqueues
 *	energy.c                   the device, behind the boundary in device.h
 *	page.c                     the shared page, kept up to date
 *
 * Here is the mdev parent, with its one type.
 *
 * The guest is hostile: everything it says is checked where it comes in. The
 * VMM is trusted not to harm itself, and can't harm the host.
 *
 * Locks, from the outside in, where "|" separates what is never held together:
 *
 *	VFIO's set lock, vmdev_pci.lock, (VFIO container, VMM's mmap_lock |
 *		vmdev_irqs.lock | vmdev_page.lock)
 *	VFIO's set lock, list of pages, the core's, vmdev_page.lock
 */
#include <linux/device.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/vfio.h>

#include "page.h"
#include "params.h"
#include "pci.h"
#include "vmdev.h"

static struct mdev_driver mdev_driver = {
	.device_api	= VFIO_DEVICE_API_PCI_STRING,
	.probe		= vmdev_probe,
	.remove		= vmdev_remove,
	.driver = {
		.name		= KBUILD_MODNAME,
		.owner		= THIS_MODULE,
		.mod_name	= KBUILD_MODNAME,
	},
};

/* mdev names a type after the class of its parent: "vmenergy-energy". */
static struct class parent_class = {
	.name = "vmenergy",
};

static struct mdev_type energy_type = {
	.sysfs_name	= "energy",
	.pretty_name	= "virtio-energy",
};

static struct mdev_type *types[] = { &energy_type };
static struct mdev_parent parent;
static struct device *parent_device;

static int register_parent(void)
{
	int err;

	err = class_register(&parent_class);
	if (err)
		return err;
	parent_device = device_create(&parent_class, NULL, MKDEV(0, 0), NULL,
				      "vmenergy");
	if (IS_ERR(parent_device)) {
		err = PTR_ERR(parent_device);
		goto unregister_class;
	}
	err = mdev_register_parent(&parent, parent_device, &mdev_driver, types,
				   ARRAY_SIZE(types));
	if (err)
		goto unregister_device;
	return 0;

unregister_device:
	device_unregister(parent_device);
unregister_class:
	class_unregister(&parent_class);
	return err;
}

static void unregister_parent(void)
{
	mdev_unregister_parent(&parent);
	device_unregister(parent_device);
	class_unregister(&parent_class);
}

static int __init vmdev_module_init(void)
{
	int err;

	vmdev_pages_init();
	err = vmdev_pci_module_init();
	if (err)
		goto exit_pages;
	mdev_driver.max_instances = vmdev_max_devices.value;
	err = mdev_register_driver(&mdev_driver);
	if (err)
		goto exit_pci;
	err = register_parent();
	if (err)
		goto unregister_driver;
	return 0;

unregister_driver:
	mdev_unregister_driver(&mdev_driver);
exit_pci:
	vmdev_pci_module_exit();
exit_pages:
	vmdev_pages_exit();
	return err;
}
module_init(vmdev_module_init);

static void __exit vmdev_module_exit(void)
{
	unregister_parent();
	mdev_unregister_driver(&mdev_driver);
	vmdev_pci_module_exit();
	vmdev_pages_exit();
}
module_exit(vmdev_module_exit);

MODULE_IMPORT_NS(VMENERGY_NS);
MODULE_DESCRIPTION("virtio-energy device for virtual machines (VFIO mdev)");
MODULE_LICENSE("GPL");
