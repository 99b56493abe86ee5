// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-energy driver: the host's account of this machine is its meter
 *
 * What the host charges to a virtual machine is all the energy there is inside
 * of it. The device shows that account; this driver hands it to vmenergy as the
 * meter of the machine, which then charges it to its own domains just as the
 * host does. Documentation/virtio/virtio-energy.rst specifies the device.
 *
 * Energies are cumulative microjoules since the host opened the account. The
 * meter counts the components that vmenergy knows, cpu and disk; the device may
 * account for others, which show in the device's total in sysfs only.
 *
 * A machine has one account, hence one device; a second one is refused.
 *
 * Files: wire.c checks what the device says, page.c and msg.c are the two ways
 * to get it, event.c keeps the eventq filled, device.c puts them together,
 * sysfs.c and the meter below show the result.
 *
 * Locks: the core may call the meter with its own locks held; vioen_device.lock
 * nests in them, and the virtqueues' locks in that. The driver calls the core
 * with no lock held.
 */

#include <linux/bitops.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/vmenergy.h>

#include "device.h"

/* Bit 0: a device is bound. */
static unsigned long claimed;

static struct vmen_used to_used(const struct vioen_energy *energy)
{
	return (struct vmen_used){
		.active.uj = energy->active_uj,
		.base.uj = energy->base_uj,
	};
}

static int meter_read(struct vmen_meter *meter, struct vmen_used used[VMEN_NR_COMPONENTS])
{
	struct vioen_device *dev =
		container_of(meter, struct vioen_device, meter);
	struct vioen_reading reading;
	int err;

	err = vioen_device_read(dev, &reading);
	if (err)
		return err;

	used[VMEN_CPU] = to_used(&reading.component[VIRTIO_ENERGY_CPU]);
	used[VMEN_DISK] = to_used(&reading.component[VIRTIO_ENERGY_DISK]);
	return 0;
}

static int register_meter(struct vioen_device *dev)
{
	dev->meter = (struct vmen_meter) {
		.name = "virtio-energy",
		.absolute = true,
		.read = meter_read,
	};
	return vmen_meter_register(&dev->meter);
}

static void announce(const struct vioen_device *dev)
{
	const struct vioen_info *info = &dev->info;

	dev_info(&dev->vdev->dev,
		 "version %u, update period %u us, quantum %u uJ\n",
		 info->version, info->update_period_us, info->quantum_uj);
}

static int probe(struct virtio_device *vdev)
{
	struct vioen_device *dev;
	int err;

	if (test_and_set_bit(0, &claimed)) {
		dev_err(&vdev->dev, "a machine has one energy account, and another device shows it already\n");
		return -EBUSY;
	}

	dev = vioen_device_create(vdev);
	if (!dev) {
		err = -ENOMEM;
		goto err_release;
	}

	err = vioen_device_start(dev);
	if (err) {
		dev_err_probe(&vdev->dev, err, "cannot start the device\n");
		goto err_destroy;
	}

	err = register_meter(dev);
	if (err) {
		dev_err_probe(&vdev->dev, err, "cannot be the machine's meter\n");
		goto err_stop;
	}

	announce(dev);
	return 0;

err_stop:
	vioen_device_stop(dev);
err_destroy:
	vioen_device_destroy(dev);
err_release:
	clear_bit(0, &claimed);
	return err;
}

static void remove(struct virtio_device *vdev)
{
	struct vioen_device *dev = vdev->priv;

	vmen_meter_unregister(&dev->meter);
	vioen_device_stop(dev);
	vioen_device_destroy(dev);
	clear_bit(0, &claimed);
}

#ifdef CONFIG_PM_SLEEP
static int freeze(struct virtio_device *vdev)
{
	vioen_device_stop(vdev->priv);
	return 0;
}

/* Without the device, the machine goes on by its own model. */
static int restore(struct virtio_device *vdev)
{
	struct vioen_device *dev = vdev->priv;
	int err;

	err = vioen_device_start(dev);
	if (err)
		vmen_meter_unregister(&dev->meter);
	return err;
}
#endif

static const unsigned int features[] = {
	VIRTIO_ENERGY_F_PAGE,
};

static const struct virtio_device_id ids[] = {
	{ VIRTIO_ID_ENERGY, VIRTIO_DEV_ANY_ID },
	{ }
};
MODULE_DEVICE_TABLE(virtio, ids);

static struct virtio_driver virtio_energy_driver = {
	.driver.name = KBUILD_MODNAME,
	.driver.owner = THIS_MODULE,
	.driver.dev_groups = vioen_groups,
	.id_table = ids,
	.feature_table = features,
	.feature_table_size = ARRAY_SIZE(features),
	.validate = vioen_device_validate,
	.probe = probe,
	.remove = remove,
#ifdef CONFIG_PM_SLEEP
	.freeze = freeze,
	.restore = restore,
#endif
};
module_virtio_driver(virtio_energy_driver);

MODULE_DESCRIPTION("virtio-energy driver: the host's account of this machine");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(VMENERGY_NS);
