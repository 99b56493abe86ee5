/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_CONTROL_H
#define _VMEN_CONTROL_H

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/vmenergy.h>

#include "average.h"
#include "budget.h"

struct vmen_domain;

/* A domain has a budget for each component and one for all of them. */
#define VMEN_ALL		VMEN_NR_COMPONENTS
#define VMEN_NR_BUDGETS		(VMEN_NR_COMPONENTS + 1)

/* How often limits are shared out, and budgets compared with accounts. */
#define VMEN_PERIOD_MS		100

/**
 * struct vmen_flow - what is known of a domain's energy, by component or of all
 * @average: for power over the long-term window
 * @last: all that was used up to the last period
 * @use_uw: power during that
 * @starved: its share, or a debt above, has kept tasks waiting since
 * @own_starved: likewise tasks of the domain itself
 */
struct vmen_flow {
	struct vmen_average average;
	struct vmen_used last;
	u64 use_uw;
	bool starved;
	bool own_starved;
};

/**
 * struct vmen_events - what has happened to a domain
 * @exhausted: how often a budget of the domain itself was found empty
 * @throttled: how often a task, of it or of a domain below, had to wait
 * @throttled_ns: how long they have waited, summed up
 * @is_empty: a budget is empty now
 * @noted: @throttled in the last period
 * @news: users are to be notified
 */
struct vmen_events {
	atomic64_t exhausted;
	atomic64_t throttled;
	atomic64_t throttled_ns;
	atomic_t is_empty;
	u64 noted;
	bool news;
};

/**
 * struct vmen_control - what a domain may use
 * @budget: limits on the domain and all below it
 * @own: its own share, if it has domains below, of its limit
 * @limited: whether any of these is in effect
 * @weight: what its parent's limit is shared by
 * @error_pj: settled and not taken from budgets yet; negative if they have paid
 *	      too much
 * @flow: its energy
 * @events: what has happened
 * @turn_ns: up to when turns to go on in spite of debts were taken
 *
 * Budgets, @own, @events and @turn_ns may be used at any time. All else, and limits,
 * are under vmen_account_lock.
 */
struct vmen_control {
	struct vmen_budget budget[VMEN_NR_BUDGETS];
	struct vmen_bucket own[VMEN_NR_BUDGETS];
	bool limited;
	u32 weight;
	s64 error_pj[VMEN_NR_COMPONENTS];
	struct vmen_flow flow[VMEN_NR_BUDGETS];
	struct vmen_events events;
	atomic64_t turn_ns;
};

/**
 * vmen_now_ns - the clock of budgets
 *
 * Context: any, under the lock of a run queue, too.
 * Return: nanoseconds of CLOCK_MONOTONIC.
 */
static inline s64 vmen_now_ns(void)
{
	return ktime_get_mono_fast_ns();
}

extern bool vmen_limits_in_effect;

void vmen_control_init(struct vmen_control *control);
void vmen_control_spend(struct vmen_domain *domain, int component, u64 pj, s64 now_ns);
s64 vmen_control_due_ns(const struct vmen_domain *domain, s64 now_ns, s64 grace_ns);
bool vmen_control_is_empty(const struct vmen_domain *domain, s64 now_ns);
bool vmen_control_is_short(const struct vmen_domain *domain, s64 now_ns);
bool vmen_control_lends(const struct vmen_domain *domain, int zone, s64 now_ns);
bool vmen_control_take_turn(struct vmen_domain *domain, s64 now_ns, s64 turn_ns, s64 saved_ns);
void vmen_control_note_wait(struct vmen_domain *domain, s64 now_ns);
void vmen_control_note_waited(struct vmen_domain *domain, s64 waited_ns);
void vmen_control_sample(void);
void vmen_control_restart(struct vmen_domain *domain);
u64 vmen_control_power_uw(const struct vmen_domain *domain, int zone);

void vmen_control_set_limit(struct vmen_domain *domain, int zone, int constraint, u64 limit_uw);
void vmen_control_set_window(struct vmen_domain *domain, int zone, int constraint, u64 window_us);
void vmen_control_enable(struct vmen_domain *domain, int zone, bool enable);
void vmen_control_set_weight(struct vmen_domain *domain, u32 weight);
void vmen_control_set_allowance(struct vmen_domain *domain, s64 left_nj);
void vmen_control_changed(struct vmen_domain *domain);
void vmen_control_wake(struct vmen_domain *domain);
void vmen_control_rest(void);

#endif /* _VMEN_CONTROL_H */
