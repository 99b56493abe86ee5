/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Settlement: what the machine has used, shared among its domains
 *
 * Pure functions on a tree of accounts; see settle.c.
 */
#ifndef _VMEN_SETTLE_H
#define _VMEN_SETTLE_H

#include <linux/limits.h>
#include <linux/types.h>

#include "account.h"

/* More than this in one step is a jump of the meter, not work: 2.3 MJ. */
#define VMEN_STEP_MAX_PJ	(U64_MAX / 8)

/**
 * enum vmen_base_rule - who is charged base energy
 * @VMEN_BASE_NONE: the machine
 * @VMEN_BASE_EQUAL: the leaves of the tree, alike
 * @VMEN_BASE_PROPORTIONAL: those that were active lately, by their active energy
 */
enum vmen_base_rule {
	VMEN_BASE_NONE,
	VMEN_BASE_EQUAL,
	VMEN_BASE_PROPORTIONAL,
};

/**
 * struct vmen_pool - what is to be shared out of a component's energy
 * @unshared_pj: metered and not charged to a domain yet
 * @waiting_pj: estimated since the meter last moved
 * @waiting_ns: how long that is ago
 * @metered_pj: what was metered lately, older energy fading out
 * @estimate_pj: what was estimated for the same time, fading likewise
 *
 * All in picojoules.
 */
struct vmen_pool {
	u64 unshared_pj;
	u64 waiting_pj;
	u64 waiting_ns;
	u64 metered_pj;
	u64 estimate_pj;
};

/**
 * struct vmen_step - what has happened since the last settlement
 * @ns: how long ago that was
 * @filter_ns: time constant of the filter
 * @estimate_pj: what the model makes of it, active and base
 * @metered_pj: what the meter says, without @base_pj; up to VMEN_STEP_MAX_PJ
 * @base_pj: what the meter says is base energy; up to VMEN_STEP_MAX_PJ
 * @rule: who is charged base energy
 */
struct vmen_step {
	u64 ns;
	u64 filter_ns;
	u64 estimate_pj;
	u64 metered_pj;
	u64 base_pj;
	enum vmen_base_rule rule;
};

u64 vmen_pool_factor(const struct vmen_pool *pool);
u64 vmen_pool_extrapolate_pj(const struct vmen_pool *pool, u64 estimate_pj);
void vmen_credit(struct vmen_domain *domain, int component, const struct vmen_used *amount);
void vmen_settle(struct vmen_domain *machine, int component, struct vmen_pool *pool,
		 const struct vmen_step *step);

#endif /* _VMEN_SETTLE_H */
