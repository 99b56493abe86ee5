/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Energy arithmetic
 *
 * Charges are made in picojoules: 1 mW for 1 ns is 1 pJ, so the time model
 * needs one multiplication and loses nothing. A u64 of picojoules is full
 * after 18 MJ, hence accounts keep microjoules and a remainder.
 */
#ifndef _VMEN_ENERGY_H
#define _VMEN_ENERGY_H

#include <linux/math64.h>
#include <linux/types.h>
#include <linux/vmenergy.h>

#define VMEN_PJ_PER_UJ	1000000U

/**
 * vmen_charge_pj - the time model: what a busy CPU uses
 * @runtime_ns: how long it was busy
 * @busy_mw: power of a busy CPU
 *
 * Wraps after 18 MJ, as do the counters that charges are added to.
 *
 * Return: picojoules.
 */
static inline u64 vmen_charge_pj(u64 runtime_ns, u32 busy_mw)
{
	return runtime_ns * busy_mw;
}

/**
 * vmen_energy_add - add to an amount
 * @energy: the amount
 * @uj: microjoules to add
 * @pj: picojoules to add, any number
 *
 * Nothing is rounded: adding pieces gives what adding their sum gives.
 */
static inline void vmen_energy_add(struct vmen_energy *energy, u64 uj, u64 pj)
{
	u32 rest;

	energy->uj += uj + div_u64_rem(pj, VMEN_PJ_PER_UJ, &rest);
	energy->pj += rest;
	if (energy->pj >= VMEN_PJ_PER_UJ) {
		energy->pj -= VMEN_PJ_PER_UJ;
		energy->uj++;
	}
}

/**
 * vmen_energy_of_pj - an amount given in picojoules
 * @pj: any number of them
 *
 * Return: the amount.
 */
static inline struct vmen_energy vmen_energy_of_pj(u64 pj)
{
	struct vmen_energy energy = {};

	vmen_energy_add(&energy, 0, pj);
	return energy;
}

/**
 * vmen_energy_sum - add up two amounts
 * @a: an amount
 * @b: another
 *
 * Return: their sum.
 */
static inline struct vmen_energy vmen_energy_sum(struct vmen_energy a, struct vmen_energy b)
{
	vmen_energy_add(&a, b.uj, b.pj);
	return a;
}

/**
 * vmen_energy_increase - how much a counter has increased by
 * @last: what it was
 * @now: what it is
 *
 * Return: the difference; nothing if it has counted back, which is no energy.
 */
static inline struct vmen_energy vmen_energy_increase(struct vmen_energy last,
						      struct vmen_energy now)
{
	struct vmen_energy energy = { .uj = now.uj - last.uj };

	if (now.uj < last.uj || (now.uj == last.uj && now.pj < last.pj))
		return (struct vmen_energy){};
	if (now.pj < last.pj)
		energy.uj--;
	energy.pj = now.pj - last.pj + (now.pj < last.pj ? VMEN_PJ_PER_UJ : 0);
	return energy;
}

/**
 * vmen_energy_pj - an amount in picojoules
 * @energy: the amount, less than 18 MJ
 *
 * Return: picojoules.
 */
static inline u64 vmen_energy_pj(struct vmen_energy energy)
{
	return energy.uj * VMEN_PJ_PER_UJ + energy.pj;
}

/**
 * vmen_used_add - add to what was used
 * @used: by cause
 * @amount: what to add, likewise
 */
static inline void vmen_used_add(struct vmen_used *used, const struct vmen_used *amount)
{
	vmen_energy_add(&used->active, amount->active.uj, amount->active.pj);
	vmen_energy_add(&used->base, amount->base.uj, amount->base.pj);
}

/**
 * vmen_scale_pj - a part's share of an amount
 * @amount_pj: what is shared, picojoules
 * @part: the weight of the part; beyond @whole only if the result has 64 bits
 * @whole: the weight of all parts together, not 0 unless @part is 0, too
 *
 * Rounds down, so that shares never sum up to more than the amount.
 *
 * Return: @amount_pj * @part / @whole, picojoules.
 */
static inline u64 vmen_scale_pj(u64 amount_pj, u64 part, u64 whole)
{
	if (part == whole)
		return amount_pj;
	/* x86's division goes wrong on operands known to be equal: no early clobber. */
	if (amount_pj == whole)
		return part;
	return mul_u64_u64_div_u64(amount_pj, part, whole);
}

/**
 * vmen_fade - let what is old count for less
 * @value: a sum over the past
 * @ns: how much time has passed
 * @filter_ns: time constant; below 2^63, as is @ns, and not both 0
 *
 * Return: @value * @filter_ns / (@filter_ns + @ns).
 */
static inline u64 vmen_fade(u64 value, u64 ns, u64 filter_ns)
{
	return vmen_scale_pj(value, filter_ns, filter_ns + ns);
}

#endif /* _VMEN_ENERGY_H */
