// SPDX-License-Identifier: GPL-2.0
/*
 * Accounts: from the CPUs' charges to energies that add up
 *
 * The scheduler hook adds picojoules to per-CPU counters that nobody else
 * writes. Here they are folded, and settled:
 *
 *	fold	  pending += increase of the counters since the last fold, and
 *		  what the kernel has done for the domain (work.c)
 *	settle	  own += what the pending charges of a domain stand for, by what
 *		  the meter says (settle.c) or, if there is none, by themselves
 *
 * While a meter can't be read, the model goes on with the last known factor;
 * if the meter counts since the machine's start, everything waits for it. So
 *
 *	total of the machine + unshared ==
 *		own of all domains + own of the ended ones + unshared ==
 *		what the meter has said
 *
 * holds to the last picojoule whenever vmen_account_lock is free, if the meter
 * was there all the time. Settled energy also adds to the total of the domain
 * and of those above it, so that a domain that moves takes along what it has
 * used and leaves what it has added to others.
 *
 * The counters wrap after 18 MJ; they are folded far more often (govern.c).
 *
 * Locks: vmen_account_lock protects accounts, the meter and, together with
 * vmen_tree_lock, the shape of the tree. It nests inside vmen_tree_lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/string.h>
#include <linux/vmenergy_param.h>

#include "account.h"
#include "domain.h"
#include "hook-sched.h"
#include "settle.h"
#include "work.h"

/* Protects all accounts, the meter and the shape of the tree; see above. */
DEFINE_MUTEX(vmen_account_lock);

/* Energy charged to domains that are no more, by component. */
struct vmen_used vmen_ended[VMEN_NR_COMPONENTS];

/* What the model's CPU energy is multiplied by, << VMEN_FACTOR_SHIFT. */
u64 vmen_cpu_factor = 1ULL << VMEN_FACTOR_SHIFT;

static struct vmen_meter *meter;
static bool meter_stale;
static struct vmen_used metered[VMEN_NR_COMPONENTS];	/* at the last settlement */
static struct vmen_pool pools[VMEN_NR_COMPONENTS];
static unsigned long synced;				/* jiffies at the last settlement */
static u64 synced_ns;					/* ktime_get_ns() then */

/* Picojoules that ended domains were charged on each CPU, for the audit. */
static DEFINE_PER_CPU(u64, ended_cpu_pj);

static struct vmen_param filter_ms = {
	.value		= 5000,
	.min		= 100,
	.max		= 60000,
	.changing	= vmen_account_settle,
};
module_param_cb(filter_ms, &vmen_param_ops, &filter_ms, 0644);
MODULE_PARM_DESC(filter_ms, "milliseconds over which the meter scales the model, 100 to 60000");

static struct vmen_param idle_mw = {
	.value		= 0,
	.min		= 0,
	.max		= 1000000,
	.changing	= vmen_account_settle,
};
module_param_cb(idle_mw, &vmen_param_ops, &idle_mw, 0644);
MODULE_PARM_DESC(idle_mw, "milliwatts that all CPUs use when idle, 0 to 1000000");

static const char * const base_rules[] = {
	[VMEN_BASE_NONE] = "none",
	[VMEN_BASE_EQUAL] = "equal",
	[VMEN_BASE_PROPORTIONAL] = "proportional",
};

static struct vmen_choice base = {
	.value		= VMEN_BASE_NONE,
	.names		= base_rules,
	.nr_names	= ARRAY_SIZE(base_rules),
	.changing	= vmen_account_settle,
};
module_param_cb(base, &vmen_choice_ops, &base, 0644);
MODULE_PARM_DESC(base, "domains that base energy is shared among: none, equal, proportional");

/**
 * vmen_account_init - set up an empty account
 * @account: the account
 *
 * Return: 0 or -ENOMEM.
 */
int vmen_account_init(struct vmen_account *account)
{
	account->cpu = alloc_percpu(struct vmen_cpu_account);
	return account->cpu ? 0 : -ENOMEM;
}

/**
 * vmen_account_free - free what vmen_account_init() has allocated
 * @account: the account
 */
void vmen_account_free(struct vmen_account *account)
{
	free_percpu(account->cpu);
}

/**
 * vmen_cpu_account_increase - what all CPUs have counted since this was last called
 * @cpu: their counters
 * @last: sum over them then; updated
 *
 * Return: the increase of each counter.
 */
struct vmen_cpu_account vmen_cpu_account_increase(const struct vmen_cpu_account __percpu *cpu,
						  struct vmen_cpu_account *last)
{
	struct vmen_cpu_account sum = {}, increase = {};
	int i;

	for_each_possible_cpu(i) {
		const struct vmen_cpu_account *one = per_cpu_ptr(cpu, i);

		sum.cpu_pj += READ_ONCE(one->cpu_pj);
		sum.spent_pj += READ_ONCE(one->spent_pj);
		sum.requests += READ_ONCE(one->requests);
	}
	increase.cpu_pj = sum.cpu_pj - last->cpu_pj;
	increase.spent_pj = sum.spent_pj - last->spent_pj;
	increase.requests = sum.requests - last->requests;
	*last = sum;
	return increase;
}

/**
 * vmen_account_fold - add what CPUs have charged to what is pending
 * @account: the account
 * @ns: how long ago this was last done
 * @filter_ns: how long requests are remembered
 *
 * Context: vmen_account_lock is held, or the account is the caller's own.
 * Return: the increase, picojoules.
 */
u64 vmen_account_fold(struct vmen_account *account, u64 ns, u64 filter_ns)
{
	struct vmen_cpu_account increase = vmen_cpu_account_increase(account->cpu,
								      &account->folded);

	account->pending_pj[VMEN_CPU] += increase.cpu_pj;
	account->spent_pj += increase.spent_pj;
	account->requests = vmen_fade(account->requests, ns, filter_ns) +
			    increase.requests * VMEN_REQUEST;
	return increase.cpu_pj;
}

static u64 fold_all(u64 ns, u64 filter_ns)
{
	struct vmen_domain *domain;
	u64 sum_pj = 0;

	vmen_for_each_domain(domain, &vmen_machine)
		sum_pj += vmen_account_fold(&domain->account, ns, filter_ns);
	return sum_pj + vmen_work_fold(&vmen_machine);
}

static bool is_jump(const struct vmen_energy *energy)
{
	return energy->uj >= VMEN_STEP_MAX_PJ / VMEN_PJ_PER_UJ;
}

/* A jump is no domain's work. Returns whether there was one. */
static bool measure(struct vmen_step *step, struct vmen_domain *machine, int component,
		    const struct vmen_used *last, const struct vmen_used *now)
{
	struct vmen_used used = {
		.active = vmen_energy_increase(last->active, now->active),
		.base = vmen_energy_increase(last->base, now->base),
	};

	if (is_jump(&used.active) || is_jump(&used.base)) {
		vmen_credit(machine, component, &used);
		return true;
	}
	step->metered_pj = vmen_energy_pj(used.active);
	step->base_pj = vmen_energy_pj(used.base);
	return false;
}

static void note_meter(int err)
{
	if (err && !meter_stale)
		pr_warn_ratelimited("%s can't be read (%pe), %s\n", meter->name, ERR_PTR(err),
				    meter->absolute ? "charges wait" : "the model goes on alone");
	if (!err && meter_stale)
		pr_info_ratelimited("%s can be read again\n", meter->name);
	meter_stale = err;
}

static void settle_by_model(struct vmen_step *step)
{
	int c;

	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		step[c].metered_pj = min(step[c].estimate_pj, VMEN_STEP_MAX_PJ);
		vmen_settle(&vmen_machine, c, &pools[c], &step[c]);
	}
}

static void settle_by_meter(struct vmen_step *step)
{
	struct vmen_used now[VMEN_NR_COMPONENTS];
	int c, err;

	err = meter->read(meter, now);
	note_meter(err);
	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		if (!err) {
			if (measure(&step[c], &vmen_machine, c, &metered[c], &now[c]))
				vmen_control_restart(&vmen_machine);
			metered[c] = now[c];
		} else if (!meter->absolute) {
			step[c].metered_pj = vmen_pool_extrapolate_pj(&pools[c],
								      step[c].estimate_pj);
		}
		vmen_settle(&vmen_machine, c, &pools[c], &step[c]);
	}
}

/**
 * vmen_account_sync - settle everything charged so far
 *
 * Context: vmen_account_lock is held. May sleep in the meter.
 */
void vmen_account_sync(void)
{
	u64 filter_ns = READ_ONCE(filter_ms.value) * (u64)NSEC_PER_MSEC;
	u64 now_ns = ktime_get_ns(), ns = now_ns - synced_ns;
	struct vmen_step step[VMEN_NR_COMPONENTS];
	int c;

	lockdep_assert_held(&vmen_account_lock);
	synced = jiffies;
	synced_ns = now_ns;
	for (c = 0; c < VMEN_NR_COMPONENTS; c++)
		step[c] = (struct vmen_step){
			.ns = ns,
			.filter_ns = filter_ns,
			.rule = READ_ONCE(base.value),
		};
	step[VMEN_CPU].estimate_pj = fold_all(ns, filter_ns) +
				     vmen_charge_pj(ns, READ_ONCE(idle_mw.value));
	if (meter)
		settle_by_meter(step);
	else
		settle_by_model(step);
	WRITE_ONCE(vmen_cpu_factor, vmen_pool_factor(&pools[VMEN_CPU]));
}

/**
 * vmen_account_refresh - settle, if that was not done in this tick already
 *
 * The counters move once per tick, so settling more often shows nothing new.
 *
 * Context: vmen_account_lock is held. May sleep in the meter.
 */
void vmen_account_refresh(void)
{
	if (time_after(jiffies, synced))
		vmen_account_sync();
}

/**
 * vmen_account_settle - settle now, before something changes
 *
 * Context: process context, may sleep.
 */
void vmen_account_settle(void)
{
	mutex_lock(&vmen_account_lock);
	vmen_account_sync();
	mutex_unlock(&vmen_account_lock);
}

/**
 * vmen_account_close - end the account of a domain that is charged no more
 * @account: its account
 *
 * Context: vmen_account_lock is held.
 */
void vmen_account_close(struct vmen_account *account)
{
	int c, cpu;

	vmen_account_sync();
	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		vmen_machine.account.pending_pj[c] += account->pending_pj[c];
		account->pending_pj[c] = 0;
		vmen_used_add(&vmen_ended[c], &account->own[c]);
	}
	for_each_possible_cpu(cpu)
		per_cpu(ended_cpu_pj, cpu) += per_cpu_ptr(account->cpu, cpu)->cpu_pj;
}

/**
 * struct audit - a CPU's charges, counted in two ways
 * @charged_pj: by the hook
 * @accounted_pj: in the accounts of all domains, dead or alive, and of work
 */
struct audit {
	u64 charged_pj;
	u64 accounted_pj;
};

static void audit_this_cpu(void *arg)
{
	struct vmen_domain *domain;
	struct audit *audit = arg;

	audit->charged_pj = vmen_hook_charged_pj();
	audit->accounted_pj = this_cpu_read(ended_cpu_pj) + vmen_work_charged_pj();
	vmen_for_each_domain(domain, &vmen_machine)
		audit->accounted_pj += this_cpu_ptr(domain->account.cpu)->cpu_pj;
}

/**
 * vmen_account_audit - compare what a CPU has charged with what accounts hold
 * @cpu: an online CPU
 * @charged_pj: stores the sum of its charges as the hook has counted them
 * @accounted_pj: stores the sum of its counters over all domains, dead or alive,
 *		  and over all kinds of the kernel's work
 *
 * Runs on @cpu between two charges, so the two are equal at any time.
 *
 * Context: cpus_read_lock() and in it vmen_account_lock are held.
 */
void vmen_account_audit(int cpu, u64 *charged_pj, u64 *accounted_pj)
{
	struct audit audit = {};

	lockdep_assert_held(&vmen_account_lock);
	smp_call_function_single(cpu, audit_this_cpu, &audit, 1);
	*charged_pj = audit.charged_pj;
	*accounted_pj = audit.accounted_pj;
}

/**
 * vmen_account_unshared - what is metered and no domain was charged yet
 * @component: of which component
 *
 * Context: vmen_account_lock is held.
 * Return: the energy.
 */
struct vmen_energy vmen_account_unshared(int component)
{
	lockdep_assert_held(&vmen_account_lock);
	return vmen_energy_of_pj(pools[component].unshared_pj);
}

/**
 * vmen_account_read - read a domain's account as it was last settled
 * @domain: the domain
 * @reading: stores its energy, that of the domains below it included
 *
 * Context: vmen_account_lock is held.
 */
void vmen_account_read(const struct vmen_domain *domain,
		       struct vmen_reading reading[VMEN_NR_COMPONENTS])
{
	int c;

	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		struct vmen_reading *r = &reading[c];

		r->used = domain->account.total[c];
		r->energy = vmen_energy_sum(r->used.active, r->used.base);
		if (domain == &vmen_machine)
			r->energy = vmen_energy_sum(r->energy, vmen_account_unshared(c));
	}
}

/**
 * vmen_domain_read - read a domain's account
 * @domain: the domain
 * @reading: stores its energy, that of the domains below it included
 *
 * Context: process context, may sleep.
 */
void vmen_domain_read(struct vmen_domain *domain,
		      struct vmen_reading reading[VMEN_NR_COMPONENTS])
{
	mutex_lock(&vmen_account_lock);
	vmen_account_refresh();
	vmen_account_read(domain, reading);
	mutex_unlock(&vmen_account_lock);
}
EXPORT_SYMBOL_NS_GPL(vmen_domain_read, VMENERGY_NS);

/* The machine's account takes over a meter that counts since the machine's start. */
static void adopt(struct vmen_domain *machine, const struct vmen_used used[VMEN_NR_COMPONENTS])
{
	int c;

	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		const struct vmen_used *total = &machine->account.total[c];
		struct vmen_used missing = {
			.active = vmen_energy_increase(total->active, used[c].active),
			.base = vmen_energy_increase(total->base, used[c].base),
		};

		vmen_credit(machine, c, &missing);
	}
}

/* What was learnt from another meter, or the model, tells nothing of this one. */
static void forget_filter(void)
{
	int c;

	for (c = 0; c < VMEN_NR_COMPONENTS; c++)
		pools[c] = (struct vmen_pool){ .unshared_pj = pools[c].unshared_pj };
}

/**
 * vmen_account_meter - what is known of the meter
 *
 * Context: process context, may sleep.
 * Return: its name and state.
 */
struct vmen_meter_status vmen_account_meter(void)
{
	struct vmen_meter_status status = { .name = "none" };

	mutex_lock(&vmen_account_lock);
	if (meter) {
		strscpy(status.name, meter->name, sizeof(status.name));
		status.stale = meter_stale;
	}
	mutex_unlock(&vmen_account_lock);
	return status;
}

/**
 * vmen_meter_register - make a meter the measure of the machine's energy
 * @new: the meter; stays registered until vmen_meter_unregister()
 *
 * Context: process context, may sleep.
 * Return: 0, -EBUSY if there is a meter already, or what the first reading of
 * an absolute meter failed with.
 */
int vmen_meter_register(struct vmen_meter *new)
{
	int err = -EBUSY;

	mutex_lock(&vmen_account_lock);
	if (meter)
		goto unlock;
	vmen_account_sync();
	err = new->read(new, metered);
	if (new->absolute) {
		if (err)
			goto unlock;
		adopt(&vmen_machine, metered);
		vmen_control_restart(&vmen_machine);
	}
	forget_filter();
	meter = new;
	meter_stale = false;
	note_meter(err);
	err = 0;
	pr_info("energy is measured by %s\n", meter->name);
unlock:
	mutex_unlock(&vmen_account_lock);
	return err;
}
EXPORT_SYMBOL_NS_GPL(vmen_meter_register, VMENERGY_NS);

/**
 * vmen_meter_unregister - go on without the meter, by the model alone
 * @old: the meter, which is not read any more after this returns
 *
 * Context: process context, may sleep.
 */
void vmen_meter_unregister(struct vmen_meter *old)
{
	mutex_lock(&vmen_account_lock);
	if (meter == old) {
		vmen_account_sync();
		meter = NULL;
		forget_filter();
	}
	mutex_unlock(&vmen_account_lock);
}
EXPORT_SYMBOL_NS_GPL(vmen_meter_unregister, VMENERGY_NS);

/**
 * vmen_account_lag_ns - how late accounts may be
 *
 * Context: vmen_account_lock is held.
 * Return: the time over which their differences from what was charged even out.
 */
u64 vmen_account_lag_ns(void)
{
	lockdep_assert_held(&vmen_account_lock);
	return meter ? READ_ONCE(filter_ms.value) * (u64)NSEC_PER_MSEC : 0;
}

/**
 * vmen_account_is_waiting - does the meter say nothing at the moment?
 * @component: of which component
 *
 * Context: vmen_account_lock is held.
 * Return: whether charges wait for it.
 */
bool vmen_account_is_waiting(int component)
{
	lockdep_assert_held(&vmen_account_lock);
	return meter && (meter_stale || pools[component].waiting_ns);
}

/**
 * vmen_account_prepare - count base energy from now on
 *
 * Context: nobody can settle yet.
 */
void vmen_account_prepare(void)
{
	synced = jiffies - 1;
	synced_ns = ktime_get_ns();
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/account-kunit.h"
#endif
