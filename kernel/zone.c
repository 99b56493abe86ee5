// SPDX-License-Identifier: GPL-2.0
/*
 * Zones: the domains as powercap shows them
 *
 * Each domain has a zone with its energy, and in it one per component:
 *
 *	vmenergy:0		machine
 *	vmenergy:0:0		cpu-0
 *	vmenergy:0:1		disk-0
 *	vmenergy:0:2		vm-1234
 *	vmenergy:0:2:0		cpu-1234
 *
 * A zone is a view that holds no state of its own. powercap can't move zones,
 * so those of a domain that moves are hidden and shown again elsewhere.
 *
 * powercap removes a zone's id when its device is released, without a lock,
 * from the parent zone. So all of this happens under vmen_tree_lock, children
 * before their parent, and hiding waits for the release. The energy files are
 * read under vmen_account_lock alone, as hiding a zone waits for its readers.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/powercap.h>
#include <linux/slab.h>

#include "domain.h"
#include "zone.h"

#define ALL_COMPONENTS	VMEN_NR_COMPONENTS
#define NR_ZONES	(VMEN_NR_COMPONENTS + 1)

/**
 * struct vmen_zone - a zone of a domain
 * @powercap: the zone
 * @domain: whose energy it shows
 * @component: of which component, or ALL_COMPONENTS
 * @released: powercap has let go of it
 */
struct vmen_zone {
	struct powercap_zone powercap;
	struct vmen_domain *domain;
	int component;
	struct completion released;
};

/**
 * struct vmen_zone_set - all zones of a domain
 * @zone: by component, the domain's own zone is the last
 * @node: in the list that vmen_zones_hide() works through
 */
struct vmen_zone_set {
	struct vmen_zone zone[NR_ZONES];
	struct list_head node;
};

static const char * const component_names[] = {
	[VMEN_CPU] = "cpu",
	[VMEN_DISK] = "disk",
};

static struct powercap_control_type *control_type;

static struct vmen_zone *to_zone(struct powercap_zone *powercap)
{
	return container_of(powercap, struct vmen_zone, powercap);
}

static void read_zone(struct vmen_zone *zone, struct vmen_reading *sum)
{
	struct vmen_reading reading[VMEN_NR_COMPONENTS];
	int c;

	vmen_domain_read(zone->domain, reading);
	*sum = (struct vmen_reading){};
	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		if (zone->component != c && zone->component != ALL_COMPONENTS)
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

static int release(struct powercap_zone *powercap)
{
	complete(&to_zone(powercap)->released);
	return 0;
}

static const struct powercap_zone_ops zone_ops = {
	.get_energy_uj = get_energy_uj,
	.get_max_energy_range_uj = get_max_energy_range_uj,
	.release = release,
};

/* powercap wants these four even where a zone has no constraint to call them for. */
static int set_constraint(struct powercap_zone *powercap, int id, u64 value)
{
	return -ENODATA;
}

static int get_constraint(struct powercap_zone *powercap, int id, u64 *value)
{
	return -ENODATA;
}

static const struct powercap_zone_constraint_ops constraint_ops = {
	.set_power_limit_uw = set_constraint,
	.get_power_limit_uw = get_constraint,
	.set_time_window_us = set_constraint,
	.get_time_window_us = get_constraint,
};

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

static struct attribute *zone_attrs[] = {
	&dev_attr_active_uj.attr,
	&dev_attr_base_uj.attr,
	&dev_attr_meter.attr,
	&dev_attr_meter_stale.attr,
	NULL
};

/* Only the machine has a meter. */
static umode_t zone_attr_mode(struct kobject *kobj, struct attribute *attr, int index)
{
	struct vmen_zone *zone = dev_to_zone(kobj_to_dev(kobj));
	bool is_machine = zone->domain == &vmen_machine && zone->component == ALL_COMPONENTS;

	if (attr == &dev_attr_meter.attr || attr == &dev_attr_meter_stale.attr)
		return is_machine ? attr->mode : 0;
	return attr->mode;
}

static const struct attribute_group zone_group = {
	.attrs = zone_attrs,
	.is_visible = zone_attr_mode,
};

static void zone_hide(struct vmen_zone *zone)
{
	powercap_unregister_zone(control_type, &zone->powercap);
	wait_for_completion(&zone->released);
}

static int zone_show(struct vmen_zone *zone, const char *name, struct vmen_zone *parent)
{
	struct powercap_zone *powercap;
	int err;

	init_completion(&zone->released);
	powercap = powercap_register_zone(&zone->powercap, control_type, name,
					  parent ? &parent->powercap : NULL,
					  &zone_ops, 0, &constraint_ops);
	if (IS_ERR(powercap))
		return PTR_ERR(powercap);
	err = device_add_group(&powercap->dev, &zone_group);
	if (err)
		zone_hide(zone);
	return err;
}

static int show_components(struct vmen_domain *domain, struct vmen_zone_set *set)
{
	char name[VMEN_NAME_SIZE];
	int c, err;

	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		snprintf(name, sizeof(name), "%s-%llu", component_names[c], domain->number);
		err = zone_show(&set->zone[c], name, &set->zone[ALL_COMPONENTS]);
		if (err)
			goto hide;
	}
	return 0;

hide:
	while (c--)
		zone_hide(&set->zone[c]);
	return err;
}

static struct vmen_zone_set *set_alloc(struct vmen_domain *domain)
{
	struct vmen_zone_set *set = kzalloc(sizeof(*set), GFP_KERNEL);
	int z;

	for (z = 0; set && z < NR_ZONES; z++) {
		set->zone[z].domain = domain;
		set->zone[z].component = z;
	}
	return set;
}

static int set_show(struct vmen_domain *domain)
{
	struct vmen_zone *parent = NULL;
	struct vmen_zone_set *set;
	int err;

	if (domain->parent) {
		if (!domain->parent->zones)
			return -ENODEV;
		parent = &domain->parent->zones->zone[ALL_COMPONENTS];
	}
	set = set_alloc(domain);
	if (!set)
		return -ENOMEM;
	err = zone_show(&set->zone[ALL_COMPONENTS], domain->name, parent);
	if (err)
		goto free;
	err = show_components(domain, set);
	if (err)
		goto hide;
	domain->zones = set;
	return 0;

hide:
	zone_hide(&set->zone[ALL_COMPONENTS]);
free:
	kfree(set);
	return err;
}

static void set_hide(struct vmen_zone_set *set)
{
	int c;

	for (c = 0; c < VMEN_NR_COMPONENTS; c++)
		zone_hide(&set->zone[c]);
	zone_hide(&set->zone[ALL_COMPONENTS]);
	kfree(set);
}

/**
 * vmen_zones_show - show a domain and all below it
 * @top: the domain
 *
 * A domain that can't be shown is missing from powercap, with a warning; its
 * energy is accounted all the same.
 *
 * Context: vmen_tree_lock is held.
 */
void vmen_zones_show(struct vmen_domain *top)
{
	struct vmen_domain *domain;

	lockdep_assert_held(&vmen_tree_lock);
	vmen_for_each_domain(domain, top) {
		int err = set_show(domain);

		if (err)
			pr_warn("no powercap zone for %s: error %d\n", domain->name, err);
	}
}

/**
 * vmen_zones_hide - stop showing a domain and all below it
 * @top: the domain
 *
 * Context: vmen_tree_lock is held. Waits for readers of the zones.
 */
void vmen_zones_hide(struct vmen_domain *top)
{
	struct vmen_zone_set *set, *next;
	struct vmen_domain *domain;
	LIST_HEAD(children_first);

	lockdep_assert_held(&vmen_tree_lock);
	vmen_for_each_domain(domain, top) {
		if (domain->zones)
			list_add(&domain->zones->node, &children_first);
		domain->zones = NULL;
	}
	list_for_each_entry_safe(set, next, &children_first, node)
		set_hide(set);
}

/**
 * vmen_zone_init - register with powercap and show the machine
 *
 * Return: 0 or a negative error.
 */
int vmen_zone_init(void)
{
	int err;

	control_type = powercap_register_control_type(NULL, KBUILD_MODNAME, NULL);
	if (IS_ERR(control_type))
		return PTR_ERR(control_type);
	mutex_lock(&vmen_tree_lock);
	err = set_show(&vmen_machine);
	mutex_unlock(&vmen_tree_lock);
	if (err)
		powercap_unregister_control_type(control_type);
	return err;
}

/**
 * vmen_zone_exit - end what vmen_zone_init() began
 */
void vmen_zone_exit(void)
{
	mutex_lock(&vmen_tree_lock);
	vmen_zones_hide(&vmen_machine);
	mutex_unlock(&vmen_tree_lock);
	powercap_unregister_control_type(control_type);
}
