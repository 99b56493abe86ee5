// SPDX-License-Identifier: GPL-2.0
/*
 * Accounts: from the CPUs' charges to energies that add up
 *
 * The scheduler hook adds picojoules to per-CPU counters that nobody else
 * writes. Here they are folded and settled:
 *
 *	fold	  pending += increase of the counters since the last fold
 *	settle	  own += pending * metered / estimate
 *
 * where the estimate is what is pending in all domains together, and metered
 * is the increase of the machine's meter, or the estimate itself if there is
 * no meter. While a meter can't be read, everything stays pending. Shares are
 * rounded down and the rest goes to the machine, so
 *
 *	total of the machine == own of all domains + own of the ended ones
 *
 * holds to the last picojoule whenever vmen_account_lock is free. Settled
 * energy also adds to the total of the domain and of those above it, so that
 * a domain that moves takes along what it has used and leaves what it has
 * added to others.
 *
 * The counters wrap after 18 MJ; vmen_sync_work folds far more often.
 *
 * Locks: vmen_account_lock protects accounts, the meter and, together with
 * vmen_tree_lock, the shape of the tree. It nests inside vmen_tree_lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <linux/vmenergy_param.h>
#include <linux/workqueue.h>

#include "account.h"
#include "domain.h"
#include "hook-sched.h"

/* An increase beyond this is a jump, not work: 2^63 pJ are 9 MJ. */
#define METER_STEP_MAX_UJ	(S64_MAX / VMEN_PJ_PER_UJ)

/* Protects all accounts, the meter and the shape of the tree; see above. */
DEFINE_MUTEX(vmen_account_lock);

/* Energy charged to domains that are no more, by component. */
struct vmen_energy vmen_ended[VMEN_NR_COMPONENTS];

static struct vmen_meter *meter;
static u64 metered_uj[VMEN_NR_COMPONENTS];	/* the meter at the last settlement */
static unsigned long synced;			/* jiffies then */

/* Picojoules that ended domains were charged on each CPU, for the audit. */
static DEFINE_PER_CPU(u64, ended_cpu_pj);

static struct vmen_param interval_ms = {
	.value	= 100,
	.min	= 10,
	.max	= 10000,
};
module_param_cb(interval_ms, &vmen_param_ops, &interval_ms, 0644);
MODULE_PARM_DESC(interval_ms, "milliseconds between settlements, 10 to 10000");

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
 * vmen_energy_sum - sum up over the components
 * @energy: energy per component
 *
 * Return: the sum.
 */
struct vmen_energy vmen_energy_sum(const struct vmen_energy energy[VMEN_NR_COMPONENTS])
{
	struct vmen_energy sum = {};
	int c;

	for (c = 0; c < VMEN_NR_COMPONENTS; c++)
		vmen_energy_add(&sum, energy[c].uj, energy[c].pj);
	return sum;
}

static void fold(struct vmen_account *account)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(account->cpu, cpu)->cpu_pj);
	account->pending_pj[VMEN_CPU] += sum - account->folded_pj;
	account->folded_pj = sum;
}

static void credit(struct vmen_domain *domain, int component, u64 uj, u64 pj)
{
	vmen_energy_add(&domain->account.own[component], uj, pj);
	for (; domain; domain = domain->parent)
		vmen_energy_add(&domain->account.total[component], uj, pj);
}

/* Give every domain of the tree its share of @amount_pj, the machine what remains. */
static void settle(struct vmen_domain *machine, int component, u64 estimate_pj, u64 amount_pj)
{
	struct vmen_domain *domain;
	u64 rest_pj = amount_pj;

	vmen_for_each_domain(domain, machine) {
		u64 *pending_pj = &domain->account.pending_pj[component];
		u64 share_pj;

		if (!*pending_pj)
			continue;
		share_pj = vmen_share_pj(amount_pj, *pending_pj, estimate_pj);
		*pending_pj = 0;
		credit(domain, component, 0, share_pj);
		rest_pj -= share_pj;
	}
	credit(machine, component, 0, rest_pj);
}

/* What the meter has not counted yet stays pending; counting back is no energy. */
static void settle_by_meter(struct vmen_domain *machine, int component, u64 estimate_pj,
			    u64 last_uj, u64 uj)
{
	if (uj <= last_uj)
		return;
	if (uj - last_uj > METER_STEP_MAX_UJ)
		credit(machine, component, uj - last_uj, 0);
	else
		settle(machine, component, estimate_pj, (uj - last_uj) * VMEN_PJ_PER_UJ);
}

/*
 * While a meter stands still, what is pending would add up without end. Then
 * only the proportions matter, which this keeps. Returns the new estimate.
 */
static u64 halve_pending(struct vmen_domain *machine, int component)
{
	struct vmen_domain *domain;
	u64 estimate_pj = 0;

	vmen_for_each_domain(domain, machine) {
		domain->account.pending_pj[component] /= 2;
		estimate_pj += domain->account.pending_pj[component];
	}
	return estimate_pj;
}

/**
 * vmen_account_sync - settle everything charged so far
 *
 * Context: vmen_account_lock is held. May sleep in the meter.
 */
void vmen_account_sync(void)
{
	u64 estimate_pj[VMEN_NR_COMPONENTS] = {};
	u64 uj[VMEN_NR_COMPONENTS];
	struct vmen_domain *domain;
	int c;

	lockdep_assert_held(&vmen_account_lock);
	synced = jiffies;
	vmen_for_each_domain(domain, &vmen_machine) {
		fold(&domain->account);
		for (c = 0; c < VMEN_NR_COMPONENTS; c++)
			estimate_pj[c] += domain->account.pending_pj[c];
	}
	for (c = 0; meter && c < VMEN_NR_COMPONENTS; c++) {
		if (estimate_pj[c] > S64_MAX)
			estimate_pj[c] = halve_pending(&vmen_machine, c);
	}
	if (meter && meter->read(meter, uj))
		return;
	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		if (!meter) {
			settle(&vmen_machine, c, estimate_pj[c], estimate_pj[c]);
			continue;
		}
		settle_by_meter(&vmen_machine, c, estimate_pj[c], metered_uj[c], uj[c]);
		metered_uj[c] = uj[c];
	}
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
		vmen_energy_add(&vmen_ended[c], account->own[c].uj, account->own[c].pj);
	}
	for_each_possible_cpu(cpu)
		per_cpu(ended_cpu_pj, cpu) += per_cpu_ptr(account->cpu, cpu)->cpu_pj;
}

/**
 * struct audit - a CPU's charges, counted in two ways
 * @charged_pj: by the hook
 * @accounted_pj: in the accounts of all domains, dead or alive
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
	audit->accounted_pj = this_cpu_read(ended_cpu_pj);
	vmen_for_each_domain(domain, &vmen_machine)
		audit->accounted_pj += this_cpu_ptr(domain->account.cpu)->cpu_pj;
}

/**
 * vmen_account_audit - compare what a CPU has charged with what accounts hold
 * @cpu: an online CPU
 * @charged_pj: stores the sum of its charges as the hook has counted them
 * @accounted_pj: stores the sum of its counters over all domains, dead or alive
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

static void read_total(const struct vmen_account *account, struct vmen_reading *reading)
{
	int c;

	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		reading->active_uj[c] = account->total[c].uj;
		reading->base_uj[c] = 0;
	}
}

/**
 * vmen_domain_read - read a domain's account
 * @domain: the domain
 * @reading: stores its energy, that of the domains below it included
 *
 * Context: process context, may sleep.
 */
void vmen_domain_read(struct vmen_domain *domain, struct vmen_reading *reading)
{
	mutex_lock(&vmen_account_lock);
	vmen_account_refresh();
	read_total(&domain->account, reading);
	mutex_unlock(&vmen_account_lock);
}
EXPORT_SYMBOL_NS_GPL(vmen_domain_read, VMENERGY_NS);

/* The machine's account takes over a meter that counts since the machine's start. */
static void adopt(struct vmen_domain *machine, const u64 uj[VMEN_NR_COMPONENTS])
{
	int c;

	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		u64 total_uj = machine->account.total[c].uj;

		if (uj[c] > total_uj)
			credit(machine, c, uj[c] - total_uj, 0);
	}
}

/**
 * vmen_meter_register - make a meter the measure of the machine's energy
 * @new: the meter; stays registered until vmen_meter_unregister()
 *
 * Context: process context, may sleep.
 * Return: 0, -EBUSY if there is a meter already, or what the meter's first
 * reading failed with.
 */
int vmen_meter_register(struct vmen_meter *new)
{
	int err = -EBUSY;

	mutex_lock(&vmen_account_lock);
	if (meter)
		goto unlock;
	vmen_account_sync();
	err = new->read(new, metered_uj);
	if (err)
		goto unlock;
	if (new->absolute)
		adopt(&vmen_machine, metered_uj);
	meter = new;
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
	}
	mutex_unlock(&vmen_account_lock);
}
EXPORT_SYMBOL_NS_GPL(vmen_meter_unregister, VMENERGY_NS);

static void sync_work(struct work_struct *work)
{
	mutex_lock(&vmen_account_lock);
	vmen_account_refresh();
	mutex_unlock(&vmen_account_lock);
	queue_delayed_work(system_power_efficient_wq, to_delayed_work(work),
			   msecs_to_jiffies(READ_ONCE(interval_ms.value)));
}

static DECLARE_DELAYED_WORK(vmen_sync_work, sync_work);

/**
 * vmen_account_start - begin to settle periodically
 */
void vmen_account_start(void)
{
	synced = jiffies - 1;
	queue_delayed_work(system_power_efficient_wq, &vmen_sync_work, 0);
}

/**
 * vmen_account_stop - end what vmen_account_start() began
 */
void vmen_account_stop(void)
{
	cancel_delayed_work_sync(&vmen_sync_work);
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/account-kunit.h"
#endif
