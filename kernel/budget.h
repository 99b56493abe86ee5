/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Budgets: power limits over time windows, and allowances of energy
 *
 * Arithmetic that knows no domain and no clock; see budget.c.
 */
#ifndef _VMEN_BUDGET_H
#define _VMEN_BUDGET_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/limits.h>
#include <linux/time64.h>
#include <linux/types.h>

/* Bounds of what can be set; the greatest limit is none. */
#define VMEN_MIN_LIMIT_UW	1000ULL			/* 1 mW */
#define VMEN_NO_LIMIT_UW	1000000000000ULL	/* 1 MW */
#define VMEN_MIN_WINDOW_US	20000ULL		/* 20 ms: several ticks */
#define VMEN_MAX_WINDOW_US	3600000000ULL		/* 1 h */

/* Some periods of sharing, so that a share lasts for what an idle domain does. */
#define VMEN_SHARE_WINDOW_US	300000ULL

/* What is owed beyond this is forgiven: more than is used before a task can be stopped. */
#define VMEN_MAX_DEBT_NS	(600LL * NSEC_PER_SEC)

/* An allowance this big, in nanojoules, is none. */
#define VMEN_NO_ALLOWANCE_NJ	S64_MAX

/* Never: the allowance is used up. */
#define VMEN_NEVER_NS		S64_MAX

/**
 * enum vmen_constraint - the limits on a budget
 * @VMEN_LONG_TERM: set by users
 * @VMEN_SHORT_TERM: likewise; usually more power over a shorter time
 * @VMEN_SHARE: the part of the parent's limit that a policy has allotted
 * @VMEN_NR_CONSTRAINTS: how many there are
 */
enum vmen_constraint {
	VMEN_LONG_TERM,
	VMEN_SHORT_TERM,
	VMEN_SHARE,
	VMEN_NR_CONSTRAINTS,
};

/* Those that users set */
#define VMEN_NR_USER_CONSTRAINTS	VMEN_SHARE

/**
 * struct vmen_bucket - a power limit over a time window
 * @paid_ns: the time at which everything spent is paid for, if nothing else is
 *	     spent; behind now by the credit, or ahead of it by the debt
 * @price: of a picojoule, in nanoseconds << VMEN_PRICE_SHIFT; 0 without a limit
 * @depth_ns: the window: more credit than that is not kept
 * @limit_uw: the power, VMEN_NO_LIMIT_UW without a limit
 *
 * @paid_ns changes at any time. All else is set by one writer at a time.
 */
struct vmen_bucket {
	atomic64_t paid_ns;
	u64 price;
	u64 depth_ns;
	u64 limit_uw;
};

/**
 * struct vmen_budget - what may be spent
 * @bucket: power limits in effect; all of them hold
 * @set_uw: what they are set to
 * @enabled: those that users set are in effect
 * @left_nj: what is left of the allowance, may be negative
 * @bounds: a bit for each bucket with a limit, and VMEN_ALLOWANCE if there is one
 */
struct vmen_budget {
	struct vmen_bucket bucket[VMEN_NR_CONSTRAINTS];
	u64 set_uw[VMEN_NR_CONSTRAINTS];
	bool enabled;
	atomic64_t left_nj;
	unsigned long bounds;
};

#define VMEN_ALLOWANCE		BIT(VMEN_NR_CONSTRAINTS)

void vmen_bucket_init(struct vmen_bucket *bucket, u64 window_us);
void vmen_bucket_set_limit(struct vmen_bucket *bucket, u64 limit_uw, s64 now_ns);
void vmen_bucket_set_window(struct vmen_bucket *bucket, u64 window_us);
void vmen_bucket_spend(struct vmen_bucket *bucket, s64 pj, s64 now_ns);
s64 vmen_bucket_due_ns(const struct vmen_bucket *bucket, s64 now_ns);
s64 vmen_bucket_credit_ns(const struct vmen_bucket *bucket, s64 now_ns);
bool vmen_bucket_forgive(struct vmen_bucket *bucket, s64 now_ns);

void vmen_budget_init(struct vmen_budget *budget);
void vmen_budget_set_allowance(struct vmen_budget *budget, s64 left_nj);
void vmen_budget_set_limit(struct vmen_budget *budget, int constraint, u64 limit_uw, s64 now_ns);
void vmen_budget_enable(struct vmen_budget *budget, bool enabled, s64 now_ns);
void vmen_budget_spend(struct vmen_budget *budget, s64 pj, s64 now_ns);
s64 vmen_budget_due_ns(const struct vmen_budget *budget, s64 now_ns);
s64 vmen_budget_credit_ns(const struct vmen_budget *budget, s64 now_ns);
u64 vmen_budget_limit_uw(const struct vmen_budget *budget);

/**
 * vmen_budget_is_bounded - is there a limit or an allowance?
 * @budget: the budget
 *
 * Return: whether there is; spending has no effect else.
 */
static inline bool vmen_budget_is_bounded(const struct vmen_budget *budget)
{
	return READ_ONCE(budget->bounds);
}

#endif /* _VMEN_BUDGET_H */
