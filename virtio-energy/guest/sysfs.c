// SPDX-License-Identifier: GPL-2.0
/*
 * The account in sysfs, as attributes of the virtio device
 *
 * These show what the device says of itself and of this machine;
 * Documentation/ABI/testing/sysfs-bus-virtio-energy describes them. Amounts of
 * energy are read afresh and are root's only, since fine-grained energy leaks
 * what others compute (PLATYPUS).
 *
 * The driver core adds them after probe and removes them before remove, so
 * there always is a struct vioen_device. It may be stopped, though.
 */

#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/sysfs.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#include "device.h"

#define ROOT_ONLY	0400

/**
 * struct energy_attribute - an amount of energy in sysfs
 * @attr: the attribute
 * @offset: of the u64 in struct vioen_reading, microjoules
 * @component: hidden unless the device accounts for this component
 */
struct energy_attribute {
	struct device_attribute attr;
	size_t offset;
	u32 component;
};

static struct vioen_device *to_vioen_device(struct device *device)
{
	return dev_to_virtio(device)->priv;
}

static struct vioen_info get_info(struct device *device)
{
	struct vioen_device *dev = to_vioen_device(device);

	guard(mutex)(&dev->lock);
	return dev->info;
}

static ssize_t generation_show(struct device *device,
			       struct device_attribute *attr, char *buf)
{
	struct vioen_reading reading;
	int err;

	err = vioen_device_read(to_vioen_device(device), &reading);
	if (err)
		return err;

	return sysfs_emit(buf, "%u\n", reading.generation);
}
static DEVICE_ATTR_RO(generation);

static ssize_t update_period_us_show(struct device *device,
				     struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", get_info(device).update_period_us);
}
static DEVICE_ATTR_RO(update_period_us);

static ssize_t quantum_uj_show(struct device *device,
			       struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", get_info(device).quantum_uj);
}
static DEVICE_ATTR_RO(quantum_uj);

static ssize_t source_show(struct device *device,
			   struct device_attribute *attr, char *buf)
{
	bool page = virtio_has_feature(dev_to_virtio(device),
				       VIRTIO_ENERGY_F_PAGE);

	return sysfs_emit(buf, "%s\n", page ? "page" : "request");
}
static DEVICE_ATTR_RO(source);

static ssize_t energy_show(struct device *device,
			   struct device_attribute *attr, char *buf)
{
	const struct energy_attribute *energy =
		container_of(attr, struct energy_attribute, attr);
	struct vioen_reading reading;
	int err;

	err = vioen_device_read(to_vioen_device(device), &reading);
	if (err)
		return err;

	return sysfs_emit(buf, "%llu\n",
			  *(u64 *)((char *)&reading + energy->offset));
}

#define ENERGY_ATTR(_name, _component, _field)				\
	static struct energy_attribute energy_attr_##_name = {		\
		.attr = __ATTR(_name, ROOT_ONLY, energy_show, NULL),	\
		.offset = offsetof(struct vioen_reading, _field),	\
		.component = (_component),				\
	}

ENERGY_ATTR(energy_uj, VIRTIO_ENERGY_CPU, total.energy_uj);
ENERGY_ATTR(active_uj, VIRTIO_ENERGY_CPU, total.active_uj);
ENERGY_ATTR(base_uj, VIRTIO_ENERGY_CPU, total.base_uj);
ENERGY_ATTR(cpu_energy_uj, VIRTIO_ENERGY_CPU,
	    component[VIRTIO_ENERGY_CPU].energy_uj);
ENERGY_ATTR(disk_energy_uj, VIRTIO_ENERGY_DISK,
	    component[VIRTIO_ENERGY_DISK].energy_uj);

static struct attribute *info_attrs[] = {
	&dev_attr_generation.attr,
	&dev_attr_update_period_us.attr,
	&dev_attr_quantum_uj.attr,
	&dev_attr_source.attr,
	NULL,
};

static const struct attribute_group info_group = {
	.attrs = info_attrs,
};

static struct attribute *energy_attrs[] = {
	&energy_attr_energy_uj.attr.attr,
	&energy_attr_active_uj.attr.attr,
	&energy_attr_base_uj.attr.attr,
	&energy_attr_cpu_energy_uj.attr.attr,
	&energy_attr_disk_energy_uj.attr.attr,
	NULL,
};

static umode_t energy_visible(struct kobject *kobj, struct attribute *attr,
			      int index)
{
	const struct energy_attribute *energy =
		container_of(attr, struct energy_attribute, attr.attr);
	struct vioen_info info = get_info(kobj_to_dev(kobj));

	return energy->component < info.nr_components ? attr->mode : 0;
}

static const struct attribute_group energy_group = {
	.attrs = energy_attrs,
	.is_visible = energy_visible,
};

const struct attribute_group *vioen_groups[] = {
	&info_group,
	&energy_group,
	NULL,
};
