// SPDX-License-Identifier: GPL-2.0
/*
 * Zone operations: what a zone shows, and what can be set on it
 *
 * powercap does not pass errors of limits and windows on: the nearest possible
 * values are taken instead. A zone's files do not last longer than its domain.
 */
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/math64.h>

#include "domain.h"
#include "policy.h"
#include "zone-ops.h"

#define NJ_PER_UJ	1000
/* Far below VMEN_NO_ALLOWANCE_NJ, as energy is given back, too */
#define MAX_BUDGET_UJ	(S64_MAX / 2 / NJ_PER_UJ)

static struct vmen_zone *to_zone(struct powercap_zone *powercap)
{
	return container_of(powercap, struct vmen_zone, powercap);
}

static const struct vmen_budget *to_budget(struct powercap_zone *powercap)
{
	struct vmen_zone *zone = to_zone(powercap);

	return &zone->domain->control.budget[zone->component];
}

static void read_zone(struct vmen_zone *zone, struct vmen_reading *sum)
{
	struct vmen_reading reading[VMEN_NR_COMPONENTS];
	int c;

	vmen_domain_read(zone->domain, reading);
	*sum = (struct vmen_reading){};
	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		if (zone->component != c && zone->component != VMEN_ALL)
			continue;
		vmen_used_add(&sum->used, &reading[c].used);
		sum->energy = vmen_energy_sum(sum->energy, reading[c].energy);
	}
}

static int get_energy_uj(struct powercap_zone *powercap, u64 *uj)
{
	struct vmen_zone *zone = to_zone(powercap);
	struct vmen_reading reading;

	read_zone(zone, &reading);
	*uj = reading.energy.uj;
	return 0;
}

static int get_max_energy_range_uj(struct powercap_zone *powercap, u64 *uj)
{
	*uj = S64_MAX;
	return 0;
}

static int get_max_power_range_uw(struct powercap_zone *powercap, u64 *uw)
{
	*uw = VMEN_NO_LIMIT_UW;
	return 0;
}

static int set_enable(struct powercap_zone *powercap, bool enable)
{
	struct vmen_zone *zone = to_zone(powercap);

	vmen_control_enable(zone->domain, zone->component, enable);
	return 0;
}

static int get_enable(struct powercap_zone *powercap, bool *enabled)
{
	*enabled = READ_ONCE(to_budget(powercap)->enabled);
	return 0;
}

static int release(struct powercap_zone *powercap)
{
	complete(&to_zone(powercap)->released);
	return 0;
}

const struct powercap_zone_ops vmen_zone_ops = {
	.get_energy_uj = get_energy_uj,
	.get_max_energy_range_uj = get_max_energy_range_uj,
	.get_max_power_range_uw = get_max_power_range_uw,
	.set_enable = set_enable,
	.get_enable = get_enable,
	.release = release,
};

static int set_power_limit_uw(struct powercap_zone *powercap, int id, u64 uw)
{
	struct vmen_zone *zone = to_zone(powercap);

	vmen_control_set_limit(zone->domain, zone->component, id, uw);
	return 0;
}

static int get_power_limit_uw(struct powercap_zone *powercap, int id, u64 *uw)
{
	*uw = READ_ONCE(to_budget(powercap)->set_uw[id]);
	return 0;
}

static int set_time_window_us(struct powercap_zone *powercap, int id, u64 us)
{
	struct vmen_zone *zone = to_zone(powercap);

	vmen_control_set_window(zone->domain, zone->component, id, us);
	return 0;
}

static int get_time_window_us(struct powercap_zone *powercap, int id, u64 *us)
{
	*us = div_u64(READ_ONCE(to_budget(powercap)->bucket[id].depth_ns), NSEC_PER_USEC);
	return 0;
}

static int get_max_power_uw(struct powercap_zone *powercap, int id, u64 *uw)
{
	*uw = VMEN_NO_LIMIT_UW;
	return 0;
}

static int get_min_power_uw(struct powercap_zone *powercap, int id, u64 *uw)
{
	*uw = VMEN_MIN_LIMIT_UW;
	return 0;
}

static int get_max_time_window_us(struct powercap_zone *powercap, int id, u64 *us)
{
	*us = VMEN_MAX_WINDOW_US;
	return 0;
}

static int get_min_time_window_us(struct powercap_zone *powercap, int id, u64 *us)
{
	*us = VMEN_MIN_WINDOW_US;
	return 0;
}

static const char *get_constraint_name(struct powercap_zone *powercap, int id)
{
	static const char * const names[] = {
		[VMEN_LONG_TERM] = "long_term",
		[VMEN_SHORT_TERM] = "short_term",
	};

	return names[id];
}

const struct powercap_zone_constraint_ops vmen_zone_constraint_ops = {
	.set_power_limit_uw = set_power_limit_uw,
	.get_power_limit_uw = get_power_limit_uw,
	.set_time_window_us = set_time_window_us,
	.get_time_window_us = get_time_window_us,
	.get_max_power_uw = get_max_power_uw,
	.get_min_power_uw = get_min_power_uw,
	.get_max_time_window_us = get_max_time_window_us,
	.get_min_time_window_us = get_min_time_window_us,
	.get_name = get_constraint_name,
};

/**
 * vmen_zone_nr_constraints - how many limits can be set on a zone
 * @zone: the zone
 *
 * Return: two; none on disks.
 */
int vmen_zone_nr_constraints(const struct vmen_zone *zone)
{
	return zone->component == VMEN_DISK ? 0 : VMEN_NR_USER_CONSTRAINTS;
}

static struct vmen_zone *dev_to_zone(struct device *dev)
{
	return to_zone(container_of(dev, struct powercap_zone, dev));
}

static ssize_t active_uj_show(struct device *dev, struct device_attribute *attr, char *buffer)
{
	struct vmen_reading reading;

	read_zone(dev_to_zone(dev), &reading);
	return sysfs_emit(buffer, "%llu\n", reading.used.active.uj);
}
static DEVICE_ATTR_ADMIN_RO(active_uj);

static ssize_t base_uj_show(struct device *dev, struct device_attribute *attr, char *buffer)
{
	struct vmen_reading reading;

	read_zone(dev_to_zone(dev), &reading);
	return sysfs_emit(buffer, "%llu\n", reading.used.base.uj);
}
static DEVICE_ATTR_ADMIN_RO(base_uj);

/* powercap would let everyone read it, and its changes tell energy as exactly as that. */
static ssize_t power_uw_show(struct device *dev, struct device_attribute *attr, char *buffer)
{
	struct vmen_zone *zone = dev_to_zone(dev);

	return sysfs_emit(buffer, "%llu\n",
			  vmen_control_power_uw(zone->domain, zone->component));
}
static DEVICE_ATTR_ADMIN_RO(power_uw);

static ssize_t meter_show(struct device *dev, struct device_attribute *attr, char *buffer)
{
	struct vmen_meter_status meter = vmen_account_meter();

	return sysfs_emit(buffer, "%s\n", meter.name);
}
static DEVICE_ATTR_RO(meter);

static ssize_t meter_stale_show(struct device *dev, struct device_attribute *attr, char *buffer)
{
	return sysfs_emit(buffer, "%d\n", vmen_account_meter().stale);
}
static DEVICE_ATTR_RO(meter_stale);

static ssize_t weight_show(struct device *dev, struct device_attribute *attr, char *buffer)
{
	return sysfs_emit(buffer, "%u\n", READ_ONCE(dev_to_zone(dev)->domain->control.weight));
}

static ssize_t weight_store(struct device *dev, struct device_attribute *attr,
			    const char *text, size_t len)
{
	u32 weight;
	int err = kstrtou32(text, 10, &weight);

	if (err)
		return err;
	if (!weight || weight > VMEN_MAX_WEIGHT)
		return -ERANGE;
	vmen_control_set_weight(dev_to_zone(dev)->domain, weight);
	return len;
}
static DEVICE_ATTR_RW(weight);

static ssize_t budget_uj_show(struct device *dev, struct device_attribute *attr, char *buffer)
{
	s64 left_nj = atomic64_read(&dev_to_zone(dev)->domain->control.budget[VMEN_ALL].left_nj);

	if (left_nj == VMEN_NO_ALLOWANCE_NJ)
		return sysfs_emit(buffer, "max\n");
	return sysfs_emit(buffer, "%llu\n", left_nj > 0 ? div_u64(left_nj, NJ_PER_UJ) : 0);
}

static ssize_t budget_uj_store(struct device *dev, struct device_attribute *attr,
			       const char *text, size_t len)
{
	s64 left_nj = VMEN_NO_ALLOWANCE_NJ;
	u64 uj;
	int err;

	if (!sysfs_streq(text, "max")) {
		err = kstrtou64(text, 10, &uj);
		if (err)
			return err;
		if (uj > MAX_BUDGET_UJ)
			return -ERANGE;
		left_nj = uj * NJ_PER_UJ;
	}
	vmen_control_set_allowance(dev_to_zone(dev)->domain, left_nj);
	return len;
}
static DEVICE_ATTR_ADMIN_RW(budget_uj);

/* What was waited for times the limit is the energy. */
static ssize_t events_show(struct device *dev, struct device_attribute *attr, char *buffer)
{
	struct vmen_events *events = &dev_to_zone(dev)->domain->control.events;

	return sysfs_emit(buffer, "exhausted %lld\nthrottled %lld\nthrottled_usec %lld\n",
			  atomic64_read(&events->exhausted), atomic64_read(&events->throttled),
			  div_s64(atomic64_read(&events->throttled_ns), NSEC_PER_USEC));
}
static DEVICE_ATTR_ADMIN_RO(events);

static struct attribute *zone_attrs[] = {
	&dev_attr_active_uj.attr,
	&dev_attr_base_uj.attr,
	&dev_attr_power_uw.attr,
	&dev_attr_weight.attr,
	&dev_attr_budget_uj.attr,
	&dev_attr_events.attr,
	&dev_attr_meter.attr,
	&dev_attr_meter_stale.attr,
	NULL
};

/* Only the machine has a meter, and nothing to share with. */
static umode_t zone_attr_mode(struct kobject *kobj, struct attribute *attr, int index)
{
	struct vmen_zone *zone = dev_to_zone(kobj_to_dev(kobj));
	bool is_machine = zone->domain == &vmen_machine;
	bool visible;

	if (attr == &dev_attr_active_uj.attr || attr == &dev_attr_base_uj.attr ||
	    attr == &dev_attr_power_uw.attr)
		visible = true;
	else if (zone->component != VMEN_ALL)
		visible = false;
	else if (attr == &dev_attr_weight.attr)
		visible = !is_machine;
	else if (attr == &dev_attr_meter.attr || attr == &dev_attr_meter_stale.attr)
		visible = is_machine;
	else
		visible = true;
	return visible ? attr->mode : 0;
}

const struct attribute_group vmen_zone_group = {
	.attrs = zone_attrs,
	.is_visible = zone_attr_mode,
};
