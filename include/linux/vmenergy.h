/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmenergy: what the core offers to devices and meters
 *
 * A device shows a domain's account to someone else; a meter tells the core
 * how much energy the whole machine has used. All energies are cumulative.
 */
#ifndef _LINUX_VMENERGY_H
#define _LINUX_VMENERGY_H

#include <linux/types.h>

struct vmen_domain;

/**
 * enum vmen_component - the parts of a machine that are charged apart
 * @VMEN_CPU: processors
 * @VMEN_DISK: block devices
 * @VMEN_NR_COMPONENTS: how many there are
 */
enum vmen_component {
	VMEN_CPU,
	VMEN_DISK,
	VMEN_NR_COMPONENTS,
};

/**
 * struct vmen_reading - a reading of an account
 * @active_uj: active energy per component, microjoules
 * @base_uj: share of base energy per component, microjoules
 */
struct vmen_reading {
	u64 active_uj[VMEN_NR_COMPONENTS];
	u64 base_uj[VMEN_NR_COMPONENTS];
};

struct vmen_domain *vmen_domain_get_vm(void);
void vmen_domain_put(struct vmen_domain *domain);
void vmen_domain_read(struct vmen_domain *domain, struct vmen_reading *reading);

/**
 * struct vmen_meter - a source of the machine's energy
 * @name: shown to people
 * @absolute: the meter counts from this machine's start, so the machine's
 *            account takes over its value; otherwise only its increase counts
 * @read: stores the energy used since the meter's own start in
 *        microjoules per component; 0 or a negative error, upon which charges
 *        wait for the next reading. May sleep.
 */
struct vmen_meter {
	const char *name;
	bool absolute;
	int (*read)(struct vmen_meter *meter, u64 uj[VMEN_NR_COMPONENTS]);
};

int vmen_meter_register(struct vmen_meter *meter);
void vmen_meter_unregister(struct vmen_meter *meter);

#endif /* _LINUX_VMENERGY_H */
