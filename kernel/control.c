// SPDX-License-Identifier: GPL-2.0
/*
 * Control: the budgets of domains
 *
 * What a domain uses is taken from its budgets and from those of all domains
 * above it. A task waits while any of these is empty:
 *
 *	budget	of a component and of all components: the limits that users have
 *		set, and the share of the limit above that a policy allots
 *	own	the share of tasks that are in a domain with others below it: these
 *		compete with them for the domain's limit
 *
 * Tasks that are in no domain but the machine never wait, so that people can
 * always get at it: what they use is taken off what others may.
 *
 * Budgets are told what hooks charge within a tick, and are set right by the
 * accounts every VMEN_PERIOD_MS (govern.c).
 *
 * Locks: limits change under vmen_account_lock. key_lock, outside of it, protects
 * vmen_limits_in_effect. Spending takes none, so the parents of a domain that is
 * charged last until after an RCU grace period.
 */
#include <linux/mutex.h>
#include <linux/rcupdate.h>

#include "account.h"
#include "control.h"
#include "domain.h"
#include "govern.h"
#include "hook-sched.h"
#include "policy.h"
#include "throttle.h"

#define CREATE_TRACE_POINTS
#include <trace/events/vmenergy.h>

/*
 * If a limit has saved that much, nobody waits for its share of it. More than sharing
 * out aims at, so that shares are what counts while all are busy.
 */
#define LENT_NS		(50 * (s64)NSEC_PER_MSEC)

/* Whether any domain has a limit; under key_lock. */
bool vmen_limits_in_effect;

static DEFINE_MUTEX(key_lock);

/**
 * vmen_control_init - set up the control of a domain, without limits
 * @control: the control
 */
void vmen_control_init(struct vmen_control *control)
{
	s64 now_ns = vmen_now_ns();
	int i;

	for (i = 0; i < VMEN_NR_BUDGETS; i++) {
		vmen_budget_init(&control->budget[i]);
		vmen_bucket_init(&control->own[i], VMEN_SHARE_WINDOW_US);
		vmen_average_init(&control->flow[i].average, 0, now_ns);
	}
	control->weight = VMEN_DEFAULT_WEIGHT;
}

static void spend(struct vmen_budget *budget, u64 pj, s64 now_ns)
{
	if (vmen_budget_is_bounded(budget))
		vmen_budget_spend(budget, pj, now_ns);
}

/**
 * vmen_control_spend - take energy from the budgets of a domain and those above
 * @domain: what has used it
 * @component: by which component
 * @pj: how much it is, as metered
 * @now_ns: the time
 *
 * Context: preemption is off.
 */
void vmen_control_spend(struct vmen_domain *domain, int component, u64 pj, s64 now_ns)
{
	vmen_bucket_spend(&domain->control.own[component], pj, now_ns);
	vmen_bucket_spend(&domain->control.own[VMEN_ALL], pj, now_ns);
	for (; domain; domain = READ_ONCE(domain->parent)) {
		spend(&domain->control.budget[component], pj, now_ns);
		spend(&domain->control.budget[VMEN_ALL], pj, now_ns);
	}
}

/**
 * vmen_control_lends - may those who share a domain's limit exceed their shares?
 * @domain: the domain
 * @zone: the budget whose limit is shared
 * @now_ns: the time
 *
 * Context: preemption is off.
 * Return: whether they may: the limit has saved enough, and the policy allows it.
 */
bool vmen_control_lends(const struct vmen_domain *domain, int zone, s64 now_ns)
{
	return READ_ONCE(vmen_policy_lends) &&
	       vmen_budget_credit_ns(&domain->control.budget[zone], now_ns) > LENT_NS;
}

/* Of the share of @parent's limit; the machine has none. */
static s64 share_due_ns(const struct vmen_bucket *share, const struct vmen_domain *parent,
			int zone, s64 now_ns, s64 grace_ns)
{
	s64 due_ns = vmen_bucket_due_ns(share, now_ns + grace_ns);

	return due_ns && !vmen_control_lends(parent, zone, now_ns) ? due_ns : 0;
}

static s64 zone_due_ns(const struct vmen_domain *domain, int zone, s64 now_ns, s64 grace_ns)
{
	const struct vmen_budget *budget = &domain->control.budget[zone];

	if (!vmen_budget_is_bounded(budget))
		return 0;
	return max(vmen_budget_due_ns(budget, now_ns + grace_ns),
		   share_due_ns(&budget->bucket[VMEN_SHARE], READ_ONCE(domain->parent), zone,
				now_ns, grace_ns));
}

static s64 own_due_ns(const struct vmen_domain *domain, int zone, s64 now_ns, s64 grace_ns)
{
	return share_due_ns(&domain->control.own[zone], domain, zone, now_ns, grace_ns);
}

/* Tasks wait for CPU energy; that of disks is saved by requests. */
static s64 domain_due_ns(const struct vmen_domain *domain, s64 now_ns, s64 grace_ns)
{
	return max(zone_due_ns(domain, VMEN_CPU, now_ns, grace_ns),
		   zone_due_ns(domain, VMEN_ALL, now_ns, grace_ns));
}

/**
 * vmen_control_due_ns - until when a task has to wait
 * @domain: what it is charged to
 * @now_ns: the time
 * @grace_ns: debts that would be paid in this time do not matter
 *
 * Context: preemption is off.
 * Return: when all debts are paid, later than @now_ns + @grace_ns; VMEN_NEVER_NS if
 * an allowance is used up, or 0 if the task may run.
 */
s64 vmen_control_due_ns(const struct vmen_domain *domain, s64 now_ns, s64 grace_ns)
{
	s64 latest_ns;

	if (domain == &vmen_machine)
		return 0;
	latest_ns = max(own_due_ns(domain, VMEN_CPU, now_ns, grace_ns),
			own_due_ns(domain, VMEN_ALL, now_ns, grace_ns));
	for (; domain; domain = READ_ONCE(domain->parent)) {
		if (READ_ONCE(domain->control.limited))
			latest_ns = max(latest_ns, domain_due_ns(domain, now_ns, grace_ns));
	}
	return latest_ns;
}

/**
 * vmen_control_is_empty - must tasks of the domain wait for its own budgets?
 * @domain: the domain
 * @now_ns: the time
 *
 * Context: preemption is off, or vmen_account_lock is held.
 * Return: whether they must.
 */
bool vmen_control_is_empty(const struct vmen_domain *domain, s64 now_ns)
{
	return domain_due_ns(domain, now_ns, 0);
}

/**
 * vmen_control_take_turn - let one task go on in spite of debts
 * @domain: what it is charged to
 * @now_ns: the time
 * @turn_ns: the time that the turn takes
 * @saved_ns: how much time that was not taken is kept
 *
 * The turns are those of the topmost domain in debt, as domains can be had for nothing
 * by who may make VMs.
 *
 * Context: preemption is off.
 * Return: whether it is the turn of the caller.
 */
bool vmen_control_take_turn(struct vmen_domain *domain, s64 now_ns, s64 turn_ns, s64 saved_ns)
{
	struct vmen_domain *debtor = domain;
	s64 last_ns, next_ns;

	for (; domain; domain = READ_ONCE(domain->parent)) {
		if (READ_ONCE(domain->control.limited) && domain_due_ns(domain, now_ns, 0))
			debtor = domain;
	}
	last_ns = atomic64_read(&debtor->control.turn_ns);
	next_ns = max(last_ns, now_ns - saved_ns) + turn_ns;
	return next_ns <= now_ns &&
	       atomic64_try_cmpxchg(&debtor->control.turn_ns, &last_ns, next_ns);
}

/**
 * vmen_control_is_short - does a domain or one above have debts?
 * @domain: the domain, NULL for none
 * @now_ns: the time
 *
 * Context: preemption is off, or vmen_account_lock is held.
 * Return: whether one does, so that all below have to wait.
 */
bool vmen_control_is_short(const struct vmen_domain *domain, s64 now_ns)
{
	for (; domain; domain = READ_ONCE(domain->parent)) {
		if (READ_ONCE(domain->control.limited) && domain_due_ns(domain, now_ns, 0))
			return true;
	}
	return false;
}

/* Who waits for its share, or with all others for what is shared, wants more of it. */
static void note_starved(struct vmen_domain *domain, s64 now_ns)
{
	struct vmen_control *control = &domain->control;
	bool is_short = vmen_control_is_short(READ_ONCE(domain->parent), now_ns);
	int i;

	for (i = 0; i < VMEN_NR_BUDGETS; i++) {
		if (is_short || share_due_ns(&control->budget[i].bucket[VMEN_SHARE],
					     READ_ONCE(domain->parent), i, now_ns, 0))
			WRITE_ONCE(control->flow[i].starved, true);
	}
}

static void note_own_starved(struct vmen_domain *domain, s64 now_ns)
{
	bool is_short = vmen_control_is_short(domain, now_ns);
	int i;

	for (i = 0; i < VMEN_NR_BUDGETS; i++) {
		if (is_short || own_due_ns(domain, i, now_ns, 0))
			WRITE_ONCE(domain->control.flow[i].own_starved, true);
	}
}

static void note_exhausted(struct vmen_domain *domain, s64 now_ns)
{
	struct vmen_events *events = &domain->control.events;
	s64 empty_until_ns = domain_due_ns(domain, now_ns, 0);

	if (empty_until_ns && !atomic_xchg(&events->is_empty, 1)) {
		atomic64_inc(&events->exhausted);
		trace_vmenergy_exhaust(domain->name, empty_until_ns - now_ns);
	}
}

/**
 * vmen_control_note_wait - a task starts to wait
 * @domain: what it is charged to
 * @now_ns: the time
 *
 * Context: preemption is off.
 */
void vmen_control_note_wait(struct vmen_domain *domain, s64 now_ns)
{
	note_own_starved(domain, now_ns);
	for (; domain; domain = READ_ONCE(domain->parent)) {
		atomic64_inc(&domain->control.events.throttled);
		note_starved(domain, now_ns);
		note_exhausted(domain, now_ns);
	}
}

/**
 * vmen_control_note_waited - a task has waited
 * @domain: what it is charged to
 * @waited_ns: how long
 *
 * Context: preemption is off.
 */
void vmen_control_note_waited(struct vmen_domain *domain, s64 waited_ns)
{
	for (; domain; domain = READ_ONCE(domain->parent))
		atomic64_add(waited_ns, &domain->control.events.throttled_ns);
}

/* What was used, by component and of all. */
static void read_uj(const struct vmen_domain *domain, u64 uj[VMEN_NR_BUDGETS])
{
	struct vmen_reading reading[VMEN_NR_COMPONENTS];
	struct vmen_energy sum = {};
	int c;

	vmen_account_read(domain, reading);
	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		uj[c] = reading[c].energy.uj;
		sum = vmen_energy_sum(sum, reading[c].energy);
	}
	uj[VMEN_ALL] = sum.uj;
}

static u64 window_ns(const struct vmen_domain *domain, int zone)
{
	return domain->control.budget[zone].bucket[VMEN_LONG_TERM].depth_ns;
}

static void sample(struct vmen_domain *domain, s64 now_ns)
{
	u64 uj[VMEN_NR_BUDGETS];
	bool is_read = false;
	int i;

	for (i = 0; i < VMEN_NR_BUDGETS; i++) {
		struct vmen_average *average = &domain->control.flow[i].average;

		if (!vmen_average_is_due(average, window_ns(domain, i), now_ns))
			continue;
		if (!is_read)
			read_uj(domain, uj);
		is_read = true;
		vmen_average_add(average, uj[i], now_ns);
	}
}

/**
 * vmen_control_sample - remember all domains' energy for their average power
 *
 * Context: vmen_account_lock is held, and everything is settled.
 */
void vmen_control_sample(void)
{
	s64 now_ns = vmen_now_ns();
	struct vmen_domain *domain;

	lockdep_assert_held(&vmen_account_lock);
	vmen_for_each_domain(domain, &vmen_machine)
		sample(domain, now_ns);
}

/**
 * vmen_control_restart - forget what is known of a domain's power
 * @domain: the domain, whose account has jumped
 *
 * Context: vmen_account_lock is held.
 */
void vmen_control_restart(struct vmen_domain *domain)
{
	s64 now_ns = vmen_now_ns();
	u64 uj[VMEN_NR_BUDGETS];
	int i;

	read_uj(domain, uj);
	for (i = 0; i < VMEN_NR_BUDGETS; i++)
		vmen_average_init(&domain->control.flow[i].average, uj[i], now_ns);
	vmen_govern_restart(domain);
}

/**
 * vmen_control_power_uw - the average power of a domain over its long-term window
 * @domain: the domain
 * @zone: a component, or VMEN_ALL
 *
 * Context: process context, may sleep.
 * Return: microwatts.
 */
u64 vmen_control_power_uw(const struct vmen_domain *domain, int zone)
{
	u64 uj[VMEN_NR_BUDGETS];

	guard(mutex)(&vmen_account_lock);
	vmen_account_refresh();
	read_uj(domain, uj);
	return vmen_average_uw(&domain->control.flow[zone].average, window_ns(domain, zone),
			       uj[zone], vmen_now_ns());
}

static bool has_limit(const struct vmen_control *control)
{
	int i;

	for (i = 0; i < VMEN_NR_BUDGETS; i++) {
		if (vmen_budget_is_bounded(&control->budget[i]))
			return true;
	}
	return false;
}

/**
 * vmen_control_changed - limits of a domain have changed
 * @domain: the domain
 *
 * Context: vmen_account_lock is held.
 */
void vmen_control_changed(struct vmen_domain *domain)
{
	lockdep_assert_held(&vmen_account_lock);
	WRITE_ONCE(domain->control.limited, has_limit(&domain->control));
}

/**
 * vmen_control_wake - let tasks that wait for a domain's budgets look at them
 * @domain: the domain; tasks of those below wait for it, too
 *
 * Context: vmen_account_lock is held.
 */
void vmen_control_wake(struct vmen_domain *domain)
{
	struct vmen_domain *below;

	lockdep_assert_held(&vmen_account_lock);
	vmen_for_each_domain(below, domain)
		vmen_throttle_wake(below);
}

static bool any_limit(void)
{
	struct vmen_domain *domain;
	bool any = false;

	guard(mutex)(&vmen_account_lock);
	vmen_for_each_domain(domain, &vmen_machine)
		any |= domain->control.limited;
	return any;
}

/* What was used before any limit is nobody's debt. */
static void care(void)
{
	mutex_lock(&vmen_account_lock);
	vmen_account_sync();
	vmen_govern_begin();
	mutex_unlock(&vmen_account_lock);
	WRITE_ONCE(vmen_limits_in_effect, true);
	static_branch_inc(&vmen_charges_are_news);
}

/**
 * vmen_control_rest - stop to care for limits if there are none
 *
 * Context: process context, may sleep.
 */
void vmen_control_rest(void)
{
	guard(mutex)(&key_lock);
	if (vmen_limits_in_effect && !any_limit()) {
		static_branch_dec(&vmen_charges_are_news);
		WRITE_ONCE(vmen_limits_in_effect, false);
	}
}

/* Locks for a change. If that may be a limit, hooks look at it from the first moment. */
static void begin_change(bool is_limit)
{
	mutex_lock(&key_lock);
	if (is_limit && !vmen_limits_in_effect)
		care();
	mutex_lock(&vmen_account_lock);
}

/* Puts the change of a domain's control into effect, and unlocks. */
static void end_change(struct vmen_domain *domain)
{
	vmen_control_changed(domain);
	vmen_control_wake(domain);
	mutex_unlock(&vmen_account_lock);
	mutex_unlock(&key_lock);
	vmen_govern_hurry();
}

/**
 * vmen_control_set_limit - change a power limit
 * @domain: the domain
 * @zone: a component, or VMEN_ALL
 * @constraint: VMEN_LONG_TERM or VMEN_SHORT_TERM
 * @limit_uw: the limit; the nearest possible one is taken
 *
 * Context: process context, may sleep.
 */
void vmen_control_set_limit(struct vmen_domain *domain, int zone, int constraint, u64 limit_uw)
{
	begin_change(limit_uw < VMEN_NO_LIMIT_UW);
	vmen_budget_set_limit(&domain->control.budget[zone], constraint, limit_uw, vmen_now_ns());
	end_change(domain);
}

/**
 * vmen_control_set_window - change the time window of a limit
 * @domain: the domain
 * @zone: a component, or VMEN_ALL
 * @constraint: VMEN_LONG_TERM or VMEN_SHORT_TERM
 * @window_us: the window; the nearest possible one is taken
 *
 * Context: process context, may sleep.
 */
void vmen_control_set_window(struct vmen_domain *domain, int zone, int constraint, u64 window_us)
{
	begin_change(false);
	vmen_bucket_set_window(&domain->control.budget[zone].bucket[constraint],
			       clamp(window_us, VMEN_MIN_WINDOW_US, VMEN_MAX_WINDOW_US));
	end_change(domain);
}

/**
 * vmen_control_enable - put the limits that users have set into effect or not
 * @domain: the domain
 * @zone: a component, or VMEN_ALL
 * @enable: whether they are
 *
 * Context: process context, may sleep.
 */
void vmen_control_enable(struct vmen_domain *domain, int zone, bool enable)
{
	begin_change(enable);
	vmen_budget_enable(&domain->control.budget[zone], enable, vmen_now_ns());
	end_change(domain);
}

/**
 * vmen_control_set_weight - change what a domain's share is by
 * @domain: the domain
 * @weight: from 1 to VMEN_MAX_WEIGHT
 *
 * Context: process context, may sleep.
 */
void vmen_control_set_weight(struct vmen_domain *domain, u32 weight)
{
	begin_change(false);
	WRITE_ONCE(domain->control.weight, weight);
	end_change(domain);
}

/**
 * vmen_control_set_allowance - change what a domain may use in all from now on
 * @domain: the domain
 * @left_nj: nanojoules; VMEN_NO_ALLOWANCE_NJ for any amount
 *
 * Context: process context, may sleep.
 */
void vmen_control_set_allowance(struct vmen_domain *domain, s64 left_nj)
{
	begin_change(left_nj != VMEN_NO_ALLOWANCE_NJ);
	vmen_budget_set_allowance(&domain->control.budget[VMEN_ALL], left_nj);
	end_change(domain);
}
