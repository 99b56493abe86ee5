// SPDX-License-Identifier: GPL-2.0
/*
 * Govern: what is done periodically
 *
 * Accounts are settled. While there are limits, that and two more things are done
 * every VMEN_PERIOD_MS:
 *
 * Budgets are set right. Hooks take from them what the model makes of a task's
 * activity, scaled as lately. What was settled in truth differs: by what the
 * kernel has done for a domain, base energy, and what the meter says. The
 * difference is taken from the budgets, or given back, so that what a budget
 * pays is what the account shows. If there is a meter, that is done slowly, as
 * it may be late.
 *
 * Limits are shared out, from the top down: the children of a domain with a
 * limit, and the tasks of the domain itself, get shares by the policy. A child's
 * demand is what it has used, and some more; if its share has kept it waiting, a
 * multiple of that, as far as its own limits allow. What the domain as a whole has
 * saved or owes is added to what is shared, a part each time, so that its budget hardly
 * ever is what makes tasks wait. That would not look at weights. If it has saved more,
 * shares do not hold (control.c).
 */
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/vmenergy_param.h>
#include <linux/workqueue.h>

#include "account.h"
#include "control.h"
#include "domain.h"
#include "govern.h"
#include "policy.h"
#include "taskwork.h"
#include "throttle.h"
#include "zone.h"

/* A domain may use this much more than it does before its share is raised. */
#define HEADROOM_PERCENT	25
/* If its share has kept it waiting, it may demand this much more. */
#define GROWTH			4
/* An idle one may start with this part of the limit, divided by their number. */
#define START_PERCENT		1

/* Who waits for its share looks at it if it grows by this part. */
#define RAISE_PART		8
/* The machine's own use is averaged over that many periods. */
#define OWN_PERIODS		4

/* What was used in less time than that tells nothing of power. */
#define SHORTEST_NS		(20 * (s64)NSEC_PER_MSEC)

/* Credit that a shared budget should have, in which time, and bounds of the correction. */
#define TARGET_NS		(20 * (s64)NSEC_PER_MSEC)
#define REACH_NS		(200 * (s64)NSEC_PER_MSEC)
#define MAX_RAISE_NS		(30 * (s64)NSEC_PER_MSEC)
#define MAX_CUT_NS		(40 * (s64)NSEC_PER_MSEC)

static struct vmen_param interval_ms = {
	.value	= 100,
	.min	= 10,
	.max	= 10000,
};
module_param_cb(interval_ms, &vmen_param_ops, &interval_ms, 0644);
MODULE_PARM_DESC(interval_ms, "milliseconds between settlements, 10 to 10000");

/* All of these are under vmen_account_lock. */
static s64 governed_ns;		/* the last time */
static u64 own_uw[VMEN_NR_BUDGETS];	/* of the machine itself, over some periods */
static bool running;

static void collect(struct vmen_domain *domain)
{
	u64 spent_pj = domain->account.spent_pj;

	domain->account.spent_pj = 0;
	for (; spent_pj && domain; domain = domain->parent)
		domain->control.error_pj[VMEN_CPU] -= spent_pj;
}

/**
 * vmen_govern_collect - compare with accounts what hooks have taken from budgets
 * @top: for this domain and all below it, from their budgets and those above, as long
 *	 as they are there
 *
 * Context: vmen_account_lock is held, and everything is settled.
 */
void vmen_govern_collect(struct vmen_domain *top)
{
	struct vmen_domain *domain;

	lockdep_assert_held(&vmen_account_lock);
	vmen_for_each_domain(domain, top)
		collect(domain);
}

/* The part of an error that is corrected now. */
static s64 correction(s64 error_pj, u64 ns, u64 filter_ns)
{
	u64 size_pj = abs(error_pj);
	s64 part_pj = size_pj - vmen_fade(size_pj, ns, filter_ns);

	return error_pj < 0 ? -part_pj : part_pj;
}

static void correct(struct vmen_domain *domain, int component, u64 ns, s64 now_ns)
{
	const struct vmen_used *total = &domain->account.total[component];
	struct vmen_control *control = &domain->control;
	struct vmen_flow *flow = &control->flow[component];
	s64 *error_pj = &control->error_pj[component];
	u64 active_pj = vmen_energy_pj(vmen_energy_increase(flow->last.active, total->active));
	u64 base_pj = vmen_energy_pj(vmen_energy_increase(flow->last.base, total->base));
	s64 amount_pj;

	flow->last = *total;
	flow->use_uw = mul_u64_u64_div_u64(active_pj + base_pj, 1000, ns);
	*error_pj += active_pj;
	amount_pj = correction(*error_pj, ns, vmen_account_lag_ns());
	/* Nothing is settled while the meter says nothing: that is no reason to give back. */
	if (vmen_account_is_waiting(component))
		amount_pj = max(amount_pj, 0LL);
	*error_pj -= amount_pj;
	amount_pj += base_pj;
	vmen_budget_spend(&control->budget[component], amount_pj, now_ns);
	vmen_budget_spend(&control->budget[VMEN_ALL], amount_pj, now_ns);
}

static void correct_all(u64 ns, s64 now_ns)
{
	struct vmen_domain *domain;
	int c;

	vmen_govern_collect(&vmen_machine);
	vmen_for_each_domain(domain, &vmen_machine) {
		struct vmen_flow *flow = domain->control.flow;

		flow[VMEN_ALL].use_uw = 0;
		for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
			correct(domain, c, ns, now_ns);
			flow[VMEN_ALL].use_uw += flow[c].use_uw;
		}
	}
}

static bool is_raise(const struct vmen_bucket *share, u64 share_uw)
{
	return share_uw > share->limit_uw + share->limit_uw / RAISE_PART;
}

static void set_share(struct vmen_domain *domain, int zone, u64 share_uw, s64 now_ns)
{
	struct vmen_budget *budget = &domain->control.budget[zone];
	bool raise = is_raise(&budget->bucket[VMEN_SHARE], share_uw);

	vmen_budget_set_limit(budget, VMEN_SHARE, share_uw, now_ns);
	vmen_control_changed(domain);
	if (raise)
		vmen_control_wake(domain);
}

static void set_own_share(struct vmen_domain *domain, int zone, u64 share_uw, s64 now_ns)
{
	struct vmen_bucket *share = &domain->control.own[zone];
	bool raise = is_raise(share, share_uw);

	vmen_bucket_set_limit(share, clamp(share_uw, VMEN_MIN_LIMIT_UW, VMEN_NO_LIMIT_UW), now_ns);
	if (raise)
		vmen_throttle_wake(domain);
}

/* What users allow the domain itself. */
static u64 set_limit_uw(const struct vmen_budget *budget)
{
	return min(budget->bucket[VMEN_LONG_TERM].limit_uw,
		   budget->bucket[VMEN_SHORT_TERM].limit_uw);
}

/* While what is shared is short, who has begun to wait still does. */
static u64 demand_uw(u64 use_uw, const struct vmen_bucket *share, bool *was_starved, bool is_short,
		     u64 start_uw, s64 now_ns)
{
	bool starved = READ_ONCE(*was_starved) || vmen_bucket_due_ns(share, now_ns);

	if (!is_short)
		WRITE_ONCE(*was_starved, false);
	if (starved)
		return max(use_uw, share->limit_uw) * GROWTH + start_uw;
	return use_uw + use_uw * HEADROOM_PERCENT / 100 + start_uw;
}

static u64 child_demand_uw(struct vmen_domain *child, int zone, bool is_short, u64 start_uw,
			   s64 now_ns)
{
	const struct vmen_budget *budget = &child->control.budget[zone];
	struct vmen_flow *flow = &child->control.flow[zone];

	return min(demand_uw(flow->use_uw, &budget->bucket[VMEN_SHARE], &flow->starved, is_short,
			     start_uw, now_ns),
		   set_limit_uw(budget));
}

/* A domain's limit, and what it owes, or has saved for all. */
static u64 available_uw(const struct vmen_budget *budget, s64 now_ns)
{
	u64 limit_uw = vmen_budget_limit_uw(budget);
	s64 ahead_ns = vmen_budget_credit_ns(budget, now_ns) - TARGET_NS;

	ahead_ns = clamp(ahead_ns, -MAX_CUT_NS, READ_ONCE(vmen_policy_lends) ? MAX_RAISE_NS : 0);
	return mul_u64_u64_div_u64(limit_uw, REACH_NS + ahead_ns, REACH_NS);
}

static void lift_shares(struct vmen_domain *parent, int zone, s64 now_ns)
{
	struct vmen_domain *child;

	list_for_each_entry(child, &parent->children, sibling)
		set_share(child, zone, VMEN_NO_LIMIT_UW, now_ns);
	set_own_share(parent, zone, VMEN_NO_LIMIT_UW, now_ns);
}

/* Fills in the claims of the children, and then that of the domain's own tasks. */
static void gather_claims(struct vmen_domain *parent, int zone, struct vmen_claim *claim,
			  u64 start_uw, s64 now_ns)
{
	bool is_short = vmen_control_is_short(parent, now_ns);
	struct vmen_flow *flow = &parent->control.flow[zone];
	u64 use_uw = flow->use_uw;
	struct vmen_domain *child;

	list_for_each_entry(child, &parent->children, sibling) {
		claim->weight = child->control.weight;
		claim->demand_uw = child_demand_uw(child, zone, is_short, start_uw, now_ns);
		claim++;
		use_uw -= min(use_uw, child->control.flow[zone].use_uw);
	}
	claim->weight = VMEN_DEFAULT_WEIGHT;
	if (parent == &vmen_machine) {
		own_uw[zone] = ((OWN_PERIODS - 1) * own_uw[zone] + use_uw) / OWN_PERIODS;
		claim->demand_uw = own_uw[zone];
	} else {
		claim->demand_uw = demand_uw(use_uw, &parent->control.own[zone],
					     &flow->own_starved, is_short, start_uw, now_ns);
	}
}

/* Nobody's share is so small that its debts would be forgiven. */
static void put_shares(struct vmen_domain *parent, int zone, const struct vmen_claim *claim,
		       u64 least_uw, s64 now_ns)
{
	struct vmen_domain *child;

	list_for_each_entry(child, &parent->children, sibling)
		set_share(child, zone, max(claim++->share_uw, least_uw), now_ns);
	if (parent != &vmen_machine)
		set_own_share(parent, zone, max(claim->share_uw, least_uw), now_ns);
}

/* What was used beyond shares while the limit was not short is nobody's debt. */
static void forgive_shares(struct vmen_domain *parent, int zone, s64 now_ns)
{
	struct vmen_domain *child;

	if (!vmen_control_lends(parent, zone, now_ns))
		return;
	list_for_each_entry(child, &parent->children, sibling) {
		if (vmen_bucket_forgive(&child->control.budget[zone].bucket[VMEN_SHARE], now_ns))
			vmen_control_wake(child);
	}
	if (vmen_bucket_forgive(&parent->control.own[zone], now_ns))
		vmen_throttle_wake(parent);
}

static unsigned int count_children(const struct vmen_domain *parent)
{
	const struct vmen_domain *child;
	unsigned int nr = 0;

	list_for_each_entry(child, &parent->children, sibling)
		nr++;
	return nr;
}

static void share_out(struct vmen_domain *parent, int zone, s64 now_ns)
{
	struct vmen_budget *budget = &parent->control.budget[zone];
	unsigned int nr = count_children(parent);
	struct vmen_claim *claims;
	u64 limit_uw, start_uw;

	if (!nr || vmen_budget_limit_uw(budget) == VMEN_NO_LIMIT_UW) {
		lift_shares(parent, zone, now_ns);
		return;
	}
	/* Without memory, shares stay as they are. */
	claims = kvcalloc(nr + 1, sizeof(*claims), GFP_KERNEL);
	if (!claims)
		return;
	limit_uw = available_uw(budget, now_ns);
	start_uw = limit_uw * START_PERCENT / 100 / nr;
	gather_claims(parent, zone, claims, start_uw, now_ns);
	if (parent == &vmen_machine)
		limit_uw -= min(limit_uw, claims[nr].demand_uw);
	else
		nr++;
	vmen_policy_share(limit_uw, claims, nr);
	put_shares(parent, zone, claims, start_uw, now_ns);
	forgive_shares(parent, zone, now_ns);
	kvfree(claims);
}

static bool note_events(struct vmen_domain *domain, s64 now_ns)
{
	struct vmen_events *events = &domain->control.events;
	u64 throttled = atomic64_read(&events->throttled);
	bool news = throttled != events->noted;

	events->noted = throttled;
	if (news)
		WRITE_ONCE(events->news, true);
	if (!vmen_control_is_empty(domain, now_ns))
		atomic_set(&events->is_empty, 0);
	return news;
}

static bool note_all_events(s64 now_ns)
{
	struct vmen_domain *domain;
	bool news = false;

	vmen_for_each_domain(domain, &vmen_machine)
		news |= note_events(domain, now_ns);
	return news;
}

/* Returns whether there is news for users. */
static bool govern(void)
{
	s64 now_ns = vmen_now_ns(), ns = now_ns - governed_ns;
	struct vmen_domain *domain;

	lockdep_assert_held(&vmen_account_lock);
	if (ns >= SHORTEST_NS) {
		governed_ns = now_ns;
		correct_all(ns, now_ns);
	}
	vmen_for_each_domain(domain, &vmen_machine) {
		share_out(domain, VMEN_CPU, now_ns);
		share_out(domain, VMEN_ALL, now_ns);
	}
	return note_all_events(now_ns);
}

/**
 * vmen_govern_restart - compare a domain's budgets with its account from here on
 * @domain: the domain
 *
 * Context: vmen_account_lock is held.
 */
void vmen_govern_restart(struct vmen_domain *domain)
{
	int c;

	lockdep_assert_held(&vmen_account_lock);
	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		domain->control.flow[c].last = domain->account.total[c];
		domain->control.error_pj[c] = 0;
	}
	domain->account.spent_pj = 0;
}

/* A hook that tells tracers may tell budgets, too: what it is told twice is corrected. */
static void begin_domain(struct vmen_domain *domain)
{
	int cpu;

	vmen_govern_restart(domain);
	for_each_possible_cpu(cpu) {
		struct vmen_cpu_account *account = per_cpu_ptr(domain->account.cpu, cpu);

		WRITE_ONCE(account->told_pj, READ_ONCE(account->cpu_pj));
	}
}

/**
 * vmen_govern_begin - from now on there are limits
 *
 * Context: vmen_account_lock is held, everything is settled, and hooks do not
 * look at budgets yet.
 */
void vmen_govern_begin(void)
{
	struct vmen_domain *domain;

	lockdep_assert_held(&vmen_account_lock);
	vmen_for_each_domain(domain, &vmen_machine)
		begin_domain(domain);
	governed_ns = vmen_now_ns();
}

static void govern_work_fn(struct work_struct *work)
{
	bool limited = READ_ONCE(vmen_limits_in_effect);
	unsigned int ms = READ_ONCE(interval_ms.value);
	bool news = false;

	if (limited)
		ms = min(ms, VMEN_PERIOD_MS);
	mutex_lock(&vmen_account_lock);
	vmen_account_refresh();
	vmen_control_sample();
	if (limited)
		news = govern();
	if (running)
		queue_delayed_work(system_power_efficient_wq, to_delayed_work(work),
				   msecs_to_jiffies(ms));
	mutex_unlock(&vmen_account_lock);
	vmen_taskwork_grow();
	if (news)
		vmen_zones_notify();
	vmen_control_rest();
}

static DECLARE_DELAYED_WORK(govern_work, govern_work_fn);

/**
 * vmen_govern_hurry - do now what is done periodically
 *
 * Context: process context, may sleep.
 */
void vmen_govern_hurry(void)
{
	guard(mutex)(&vmen_account_lock);
	if (running)
		mod_delayed_work(system_power_efficient_wq, &govern_work, 0);
}

/**
 * vmen_govern_start - begin to do that
 */
void vmen_govern_start(void)
{
	guard(mutex)(&vmen_account_lock);
	running = true;
	queue_delayed_work(system_power_efficient_wq, &govern_work, 0);
}

/**
 * vmen_govern_stop - end what vmen_govern_start() began
 */
void vmen_govern_stop(void)
{
	mutex_lock(&vmen_account_lock);
	running = false;
	mutex_unlock(&vmen_account_lock);
	cancel_delayed_work_sync(&govern_work);
}
