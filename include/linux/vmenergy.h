/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmenergy: what the core offers to devices, meters and policies
 *
 * A device shows a domain's account to someone else; a meter tells the core
 * how much energy the whole machine has used. All energies are cumulative. A
 * policy divides a power limit among the domains below it.
 */
#ifndef _LINUX_VMENERGY_H
#define _LINUX_VMENERGY_H

#include <linux/list.h>
#include <linux/types.h>

struct module;
struct vmen_domain;

#define VMEN_NAME_SIZE		32	/* bytes of a domain's name, NUL included */

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
 * struct vmen_energy - an amount of energy
 * @uj: microjoules
 * @pj: picojoules beyond @uj, less than 1000000
 */
struct vmen_energy {
	u64 uj;
	u32 pj;
};

/**
 * struct vmen_used - energy used, by cause
 * @active: caused by activity
 * @base: what the hardware uses when idle
 */
struct vmen_used {
	struct vmen_energy active;
	struct vmen_energy base;
};

/**
 * struct vmen_reading - a reading of a domain's account of a component
 * @used: what was charged
 * @energy: all energy: the sum of @used and, in that of the machine, what is
 *          metered but not shared out yet
 */
struct vmen_reading {
	struct vmen_used used;
	struct vmen_energy energy;
};

struct vmen_domain *vmen_domain_get_vm(void);
void vmen_domain_put(struct vmen_domain *domain);
void vmen_domain_read(struct vmen_domain *domain,
		      struct vmen_reading reading[VMEN_NR_COMPONENTS]);

/**
 * struct vmen_meter - a source of the machine's energy
 * @name: shown to people
 * @absolute: the meter counts from this machine's start, so the machine's
 *            account takes over its value, and charges wait while it can't be
 *            read; otherwise only its increase counts, and while it can't be
 *            read the model goes on alone
 * @read: stores the energy used since the meter's own start, per component; 0
 *        or a negative error. May sleep.
 *
 * A meter that can't tell apart active and base energy calls all active.
 */
struct vmen_meter {
	const char *name;
	bool absolute;
	int (*read)(struct vmen_meter *meter, struct vmen_used used[VMEN_NR_COMPONENTS]);
};

int vmen_meter_register(struct vmen_meter *meter);
void vmen_meter_unregister(struct vmen_meter *meter);

/**
 * struct vmen_claim - what a child of a limited domain may use
 * @weight: its weight, at least 1
 * @demand_uw: what it would use if it could, as far as its own limits allow
 * @share_uw: what it may use: 0 when the policy is asked, which sets it
 */
struct vmen_claim {
	u32 weight;
	u64 demand_uw;
	u64 share_uw;
};

/**
 * struct vmen_policy - how a limit is shared among those whom it holds for
 * @name: what users choose it by
 * @owner: kept from being unloaded while it is chosen; NULL if that can't be
 * @work_conserving: shares hold only while the limit is short. What it has saved is for
 *		     all, whatever their shares
 * @share: divides @limit_uw into the shares of @nr claims, at least one. What
 *	   exceeds the limit in sum is cut. Asked 10 times a second for each limit
 *	   with domains below it; may not sleep for long.
 * @node: in the list of policies
 */
struct vmen_policy {
	const char *name;
	struct module *owner;
	bool work_conserving;
	void (*share)(u64 limit_uw, struct vmen_claim *claims, unsigned int nr);
	struct list_head node;
};

int vmen_policy_register(struct vmen_policy *policy);
void vmen_policy_unregister(struct vmen_policy *policy);

#endif /* _LINUX_VMENERGY_H */
