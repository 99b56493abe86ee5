/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_ZONE_OPS_H
#define _VMEN_ZONE_OPS_H

#include <linux/completion.h>
#include <linux/powercap.h>
#include <linux/sysfs.h>

struct vmen_domain;

/**
 * struct vmen_zone - a zone of a domain
 * @powercap: the zone
 * @domain: whose energy it shows
 * @component: of which component, or VMEN_ALL
 * @released: powercap has let go of it
 */
struct vmen_zone {
	struct powercap_zone powercap;
	struct vmen_domain *domain;
	int component;
	struct completion released;
};

extern const struct powercap_zone_ops vmen_zone_ops;
extern const struct powercap_zone_constraint_ops vmen_zone_constraint_ops;
extern const struct attribute_group vmen_zone_group;

int vmen_zone_nr_constraints(const struct vmen_zone *zone);

#endif /* _VMEN_ZONE_OPS_H */
