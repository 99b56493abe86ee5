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
 * A zone is a view (zone-ops.c) that holds no state of its own. powercap can't move zones,
 * so those of a domain that moves are hidden and shown again elsewhere.
 *
 * powercap removes a zone's id when its device is released, without a lock,
 * from the parent zone. So all of this happens under vmen_tree_lock, children
 * before their parent, and hiding waits for the release. The files are read and
 * written under vmen_account_lock alone, as hiding a zone waits for them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/powercap.h>
#include <linux/slab.h>

#include "domain.h"
#include "zone-ops.h"
#include "zone.h"

/**
 * struct vmen_zone_set - all zones of a domain
 * @zone: by component, the domain's own zone is the last
 * @node: in the list that vmen_zones_hide() works through
 */
struct vmen_zone_set {
	struct vmen_zone zone[VMEN_NR_BUDGETS];
	struct list_head node;
};

static const char * const component_names[] = {
	[VMEN_CPU] = "cpu",
	[VMEN_DISK] = "disk",
};

static struct powercap_control_type *control_type;

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
					  &vmen_zone_ops, vmen_zone_nr_constraints(zone),
					  &vmen_zone_constraint_ops);
	if (IS_ERR(powercap))
		return PTR_ERR(powercap);
	err = device_add_group(&powercap->dev, &vmen_zone_group);
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
		err = zone_show(&set->zone[c], name, &set->zone[VMEN_ALL]);
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

	for (z = 0; set && z < VMEN_NR_BUDGETS; z++) {
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
		parent = &domain->parent->zones->zone[VMEN_ALL];
	}
	set = set_alloc(domain);
	if (!set)
		return -ENOMEM;
	err = zone_show(&set->zone[VMEN_ALL], domain->name, parent);
	if (err)
		goto free;
	err = show_components(domain, set);
	if (err)
		goto hide;
	domain->zones = set;
	return 0;

hide:
	zone_hide(&set->zone[VMEN_ALL]);
free:
	kfree(set);
	return err;
}

static void set_hide(struct vmen_zone_set *set)
{
	int c;

	for (c = 0; c < VMEN_NR_COMPONENTS; c++)
		zone_hide(&set->zone[c]);
	zone_hide(&set->zone[VMEN_ALL]);
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
 * vmen_zones_notify - wake up who polls for events
 *
 * Context: process context, may sleep.
 */
void vmen_zones_notify(void)
{
	struct vmen_domain *domain;

	guard(mutex)(&vmen_tree_lock);
	vmen_for_each_domain(domain, &vmen_machine) {
		if (domain->zones && xchg(&domain->control.events.news, false))
			sysfs_notify(&domain->zones->zone[VMEN_ALL].powercap.dev.kobj, NULL,
				     "events");
	}
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
