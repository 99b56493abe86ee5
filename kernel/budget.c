// SPDX-License-Identifier: GPL-2.0
/*
 * Budgets: power limits over time windows, and allowances of energy
 *
 * A power limit P with a window T is a token bucket that fills at the rate P
 * and is P * T deep. It is kept as the time at which all that was spent is paid
 * for, which is the generic cell rate algorithm (ITU-T I.371, virtual
 * scheduling), and needs no timer to fill it:
 *
 *	paid = max(paid, now - T) + E / P
 *	credit = (now - paid) * P, up to P * T
 *	debt = (paid - now) * P, while paid > now
 *
 * Who has debts waits until now == paid. So what is spent too much before the
 * spender can be stopped is saved afterwards, and the average is P exactly, as
 * long as debts stay below VMEN_MAX_DEBT_NS * P.
 *
 * Spending runs on all CPUs at once without a lock. The bounds of credit and
 * debt are put into effect by the one that wins; who loses the race leaves the
 * other's value, which the next one will bound.
 */
#include <linux/bitmap.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "budget.h"

/* 1 pJ at 1 uW takes 1000 ns, at 1 MW still 2^18 of these units. */
#define VMEN_PRICE_SHIFT	48
#define NS_PER_PJ_AT_1_UW	1000ULL
#define PJ_PER_NJ		1000

static const u64 default_window_us[VMEN_NR_CONSTRAINTS] = {
	[VMEN_LONG_TERM] = 1000000,
	[VMEN_SHORT_TERM] = 100000,
	[VMEN_SHARE] = VMEN_SHARE_WINDOW_US,
};

/**
 * vmen_bucket_init - set up a bucket without a limit
 * @bucket: the bucket
 * @window_us: its time window
 */
void vmen_bucket_init(struct vmen_bucket *bucket, u64 window_us)
{
	*bucket = (struct vmen_bucket){ .limit_uw = VMEN_NO_LIMIT_UW };
	vmen_bucket_set_window(bucket, window_us);
}

static u64 price_of(u64 limit_uw)
{
	if (limit_uw >= VMEN_NO_LIMIT_UW)
		return 0;
	return div64_u64(NS_PER_PJ_AT_1_UW << VMEN_PRICE_SHIFT, limit_uw);
}

/* What was spent too much stays the same in energy. */
static s64 convert_debt(s64 debt_ns, u64 old_price, u64 price)
{
	if (!old_price || !price)
		return 0;
	if (debt_ns <= 0)
		return debt_ns;
	/* The quotient has to fit in 64 bits. */
	if (price > old_price &&
	    debt_ns >= mul_u64_u64_div_u64(VMEN_MAX_DEBT_NS, old_price, price))
		return VMEN_MAX_DEBT_NS;
	debt_ns = min(debt_ns, VMEN_MAX_DEBT_NS);
	return mul_u64_u64_div_u64(debt_ns, price, old_price);
}

/**
 * vmen_bucket_set_limit - change the power limit
 * @bucket: the bucket
 * @limit_uw: the new one, at least VMEN_MIN_LIMIT_UW; VMEN_NO_LIMIT_UW for none
 * @now_ns: the time
 *
 * Debts stay. A limit where there was none starts with neither debt nor credit.
 * What is spent in the same moment may be priced by either limit.
 *
 * Context: one caller at a time.
 */
void vmen_bucket_set_limit(struct vmen_bucket *bucket, u64 limit_uw, s64 now_ns)
{
	u64 price = price_of(limit_uw);
	s64 old_ns, new_ns;

	if (limit_uw == bucket->limit_uw)
		return;
	old_ns = atomic64_read(&bucket->paid_ns);
	do {
		new_ns = now_ns + convert_debt(old_ns - now_ns, bucket->price, price);
	} while (!atomic64_try_cmpxchg(&bucket->paid_ns, &old_ns, new_ns));
	WRITE_ONCE(bucket->price, price);
	WRITE_ONCE(bucket->limit_uw, limit_uw);
}

/**
 * vmen_bucket_set_window - change the time window
 * @bucket: the bucket
 * @window_us: the new one, from VMEN_MIN_WINDOW_US to VMEN_MAX_WINDOW_US
 */
void vmen_bucket_set_window(struct vmen_bucket *bucket, u64 window_us)
{
	WRITE_ONCE(bucket->depth_ns, window_us * NSEC_PER_USEC);
}

/* Rounded to the nearest, as always up or down would add up. */
static u64 cost_of_size_ns(u64 price, u64 pj)
{
	return (mul_u64_u64_shr(pj, price, VMEN_PRICE_SHIFT - 1) + 1) / 2;
}

static s64 cost_ns(u64 price, s64 pj)
{
	return pj < 0 ? -(s64)cost_of_size_ns(price, -pj) : cost_of_size_ns(price, pj);
}

/**
 * vmen_bucket_spend - take energy from a bucket
 * @bucket: the bucket
 * @pj: how much; negative to give back
 * @now_ns: the time
 *
 * Context: any, on many CPUs at once.
 */
void vmen_bucket_spend(struct vmen_bucket *bucket, s64 pj, s64 now_ns)
{
	u64 price = READ_ONCE(bucket->price);
	s64 oldest_ns = now_ns - (s64)READ_ONCE(bucket->depth_ns);
	s64 ns, paid_ns, bound_ns;

	if (!price)
		return;
	ns = cost_ns(price, pj);
	paid_ns = atomic64_add_return(ns, &bucket->paid_ns);
	bound_ns = clamp(max(paid_ns - ns, oldest_ns) + ns, oldest_ns,
			 now_ns + VMEN_MAX_DEBT_NS);
	if (unlikely(bound_ns != paid_ns))
		atomic64_cmpxchg(&bucket->paid_ns, paid_ns, bound_ns);
}

/**
 * vmen_bucket_due_ns - until when to wait before spending more
 * @bucket: the bucket
 * @now_ns: the time
 *
 * Return: a time after @now_ns, or 0 if there are no debts.
 */
s64 vmen_bucket_due_ns(const struct vmen_bucket *bucket, s64 now_ns)
{
	s64 paid_ns;

	if (!READ_ONCE(bucket->price))
		return 0;
	paid_ns = atomic64_read(&bucket->paid_ns);
	return paid_ns > now_ns ? paid_ns : 0;
}

/**
 * vmen_bucket_credit_ns - what was saved
 * @bucket: the bucket
 * @now_ns: the time
 *
 * Return: for how long the limit may be spent at once; negative if there are debts,
 * S64_MAX without a limit.
 */
s64 vmen_bucket_credit_ns(const struct vmen_bucket *bucket, s64 now_ns)
{
	if (!READ_ONCE(bucket->price))
		return S64_MAX;
	return min_t(s64, now_ns - atomic64_read(&bucket->paid_ns), READ_ONCE(bucket->depth_ns));
}

/**
 * vmen_bucket_forgive - nothing is owed any more
 * @bucket: the bucket
 * @now_ns: the time
 *
 * Context: any, on many CPUs at once.
 * Return: whether there was a debt.
 */
bool vmen_bucket_forgive(struct vmen_bucket *bucket, s64 now_ns)
{
	s64 paid_ns = atomic64_read(&bucket->paid_ns);

	do {
		if (paid_ns <= now_ns)
			return false;
	} while (!atomic64_try_cmpxchg(&bucket->paid_ns, &paid_ns, now_ns));
	return true;
}

/**
 * vmen_budget_init - set up a budget without limits
 * @budget: the budget
 */
void vmen_budget_init(struct vmen_budget *budget)
{
	int i;

	budget->enabled = true;
	for (i = 0; i < VMEN_NR_CONSTRAINTS; i++) {
		vmen_bucket_init(&budget->bucket[i], default_window_us[i]);
		budget->set_uw[i] = VMEN_NO_LIMIT_UW;
	}
	atomic64_set(&budget->left_nj, VMEN_NO_ALLOWANCE_NJ);
}

/* Where there is no bound, spending need not look. */
static void set_bound(struct vmen_budget *budget, unsigned long bound, bool there_is)
{
	WRITE_ONCE(budget->bounds, (budget->bounds & ~bound) | (there_is ? bound : 0));
}

/**
 * vmen_budget_set_allowance - change what may be spent in all from now on
 * @budget: the budget
 * @left_nj: nanojoules; VMEN_NO_ALLOWANCE_NJ for any amount
 *
 * Context: one caller at a time.
 */
void vmen_budget_set_allowance(struct vmen_budget *budget, s64 left_nj)
{
	atomic64_set(&budget->left_nj, left_nj);
	set_bound(budget, VMEN_ALLOWANCE, left_nj != VMEN_NO_ALLOWANCE_NJ);
}

static void apply(struct vmen_budget *budget, int constraint, s64 now_ns)
{
	struct vmen_bucket *bucket = &budget->bucket[constraint];
	bool in_effect = budget->enabled || constraint == VMEN_SHARE;

	vmen_bucket_set_limit(bucket, in_effect ? budget->set_uw[constraint] : VMEN_NO_LIMIT_UW,
			      now_ns);
	set_bound(budget, BIT(constraint), bucket->limit_uw != VMEN_NO_LIMIT_UW);
}

/**
 * vmen_budget_set_limit - change a power limit
 * @budget: the budget
 * @constraint: which limit
 * @limit_uw: the new one; the nearest possible one is taken
 * @now_ns: the time
 *
 * Context: one caller at a time.
 */
void vmen_budget_set_limit(struct vmen_budget *budget, int constraint, u64 limit_uw, s64 now_ns)
{
	WRITE_ONCE(budget->set_uw[constraint],
		   clamp(limit_uw, VMEN_MIN_LIMIT_UW, VMEN_NO_LIMIT_UW));
	apply(budget, constraint, now_ns);
}

/**
 * vmen_budget_enable - put the limits that users have set into effect or not
 * @budget: the budget
 * @enabled: whether they are
 * @now_ns: the time
 *
 * Context: one caller at a time.
 */
void vmen_budget_enable(struct vmen_budget *budget, bool enabled, s64 now_ns)
{
	int i;

	WRITE_ONCE(budget->enabled, enabled);
	for (i = 0; i < VMEN_NR_CONSTRAINTS; i++)
		apply(budget, i, now_ns);
}

/**
 * vmen_budget_spend - take energy from a budget
 * @budget: the budget
 * @pj: how much; negative to give back
 * @now_ns: the time
 *
 * Context: any, on many CPUs at once.
 */
void vmen_budget_spend(struct vmen_budget *budget, s64 pj, s64 now_ns)
{
	unsigned long bounds = READ_ONCE(budget->bounds);
	int i;

	for_each_set_bit(i, &bounds, VMEN_NR_CONSTRAINTS)
		vmen_bucket_spend(&budget->bucket[i], pj, now_ns);
	if (bounds & VMEN_ALLOWANCE)
		atomic64_add_unless(&budget->left_nj, -div_s64(pj, PJ_PER_NJ),
				    VMEN_NO_ALLOWANCE_NJ);
}

/**
 * vmen_budget_due_ns - until when to wait before spending more
 * @budget: the budget
 * @now_ns: the time
 *
 * The share is not looked at: it does not always hold.
 *
 * Return: a time after @now_ns, VMEN_NEVER_NS if the allowance is used up, or 0
 * if there is something to spend.
 */
s64 vmen_budget_due_ns(const struct vmen_budget *budget, s64 now_ns)
{
	unsigned long bounds = READ_ONCE(budget->bounds);
	s64 due_ns = 0;
	int i;

	if (bounds & VMEN_ALLOWANCE && atomic64_read(&budget->left_nj) <= 0)
		return VMEN_NEVER_NS;
	for_each_set_bit(i, &bounds, VMEN_NR_USER_CONSTRAINTS)
		due_ns = max(due_ns, vmen_bucket_due_ns(&budget->bucket[i], now_ns));
	return due_ns;
}

/**
 * vmen_budget_credit_ns - what was saved
 * @budget: the budget
 * @now_ns: the time
 *
 * Return: the least credit of all limits; see vmen_bucket_credit_ns().
 */
s64 vmen_budget_credit_ns(const struct vmen_budget *budget, s64 now_ns)
{
	s64 credit_ns = S64_MAX;
	int i;

	for (i = 0; i < VMEN_NR_CONSTRAINTS; i++)
		credit_ns = min(credit_ns, vmen_bucket_credit_ns(&budget->bucket[i], now_ns));
	return credit_ns;
}

/**
 * vmen_budget_limit_uw - the least of all limits
 * @budget: the budget
 *
 * Return: microwatts, VMEN_NO_LIMIT_UW if there is no limit.
 */
u64 vmen_budget_limit_uw(const struct vmen_budget *budget)
{
	u64 limit_uw = VMEN_NO_LIMIT_UW;
	int i;

	for (i = 0; i < VMEN_NR_CONSTRAINTS; i++)
		limit_uw = min(limit_uw, READ_ONCE(budget->bucket[i].limit_uw));
	return limit_uw;
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/budget-kunit.h"
#endif
