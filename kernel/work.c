// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own work: what no task has ordered, or not this one
 *
 * Interrupts and softirqs interrupt whoever happens to run; kernel threads run
 * for somebody else, or for all. The hooks charge them to accounts of their
 * own, from where they go on:
 *
 *	work on block requests	to domains by their share of the requests of
 *				late, as they have ordered it (the paper's
 *				recursive accounting)
 *	all other		to the machine
 *
 * Locks: vmen_account_lock protects what was folded.
 */
#include <linux/seq_file.h>

#include "domain.h"
#include "energy.h"
#include "work.h"

/* A request counts this much, so that few of them can fade. */
#define REQUEST		1000000ULL

DEFINE_PER_CPU(struct vmen_works, vmen_works);

/* What was folded into the estimates of domains, picojoules. */
static u64 folded_pj[VMEN_NR_WORKS];

static const char * const names[] = {
	[VMEN_WORK_INTERRUPT] = "interrupt",
	[VMEN_WORK_SOFTIRQ] = "softirq",
	[VMEN_WORK_KTHREAD] = "kthread",
	[VMEN_WORK_BLOCK] = "block",
};

/* Returns what has come. */
static u64 fold_work(enum vmen_work work)
{
	u64 increase_pj, sum_pj = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum_pj += READ_ONCE(per_cpu(vmen_works, cpu).account[work].cpu_pj);
	increase_pj = sum_pj - folded_pj[work];
	folded_pj[work] = sum_pj;
	return increase_pj;
}

static u64 count_requests(struct vmen_account *account)
{
	u64 increase, sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(account->cpu, cpu)->requests);
	increase = sum - account->folded_requests;
	account->folded_requests = sum;
	return increase;
}

/* Ages what is known of requests; returns the sum over all domains. */
static u64 weigh(struct vmen_domain *machine, u64 ns, u64 filter_ns)
{
	struct vmen_domain *domain;
	u64 sum = 0;

	vmen_for_each_domain(domain, machine) {
		struct vmen_account *account = &domain->account;

		account->requests = vmen_fade(account->requests, ns, filter_ns) +
				    count_requests(account) * REQUEST;
		sum += account->requests;
	}
	return sum;
}

/* Adds to what is pending, by requests; what is left by rounding is the machine's. */
static void share_by_requests(struct vmen_domain *machine, u64 whole, u64 amount_pj)
{
	struct vmen_domain *domain;
	u64 rest_pj = amount_pj;

	if (whole) {
		vmen_for_each_domain(domain, machine) {
			u64 share_pj = vmen_scale_pj(amount_pj, domain->account.requests, whole);

			domain->account.pending_pj[VMEN_CPU] += share_pj;
			rest_pj -= share_pj;
		}
	}
	machine->account.pending_pj[VMEN_CPU] += rest_pj;
}

/**
 * vmen_work_fold - estimate for whom the kernel has worked
 * @machine: the root of the tree; its domains' pending estimates increase
 * @ns: how long ago this was last done
 * @filter_ns: how long requests are remembered
 *
 * Context: vmen_account_lock is held.
 * Return: the increase of all estimates, picojoules.
 */
u64 vmen_work_fold(struct vmen_domain *machine, u64 ns, u64 filter_ns)
{
	u64 block_pj = fold_work(VMEN_WORK_BLOCK);
	u64 own_pj = 0;
	int work;

	for (work = 0; work < VMEN_NR_WORKS; work++) {
		if (work != VMEN_WORK_BLOCK)
			own_pj += fold_work(work);
	}
	machine->account.pending_pj[VMEN_CPU] += own_pj;
	share_by_requests(machine, weigh(machine, ns, filter_ns), block_pj);
	return own_pj + block_pj;
}

/**
 * vmen_work_charged_pj - what this CPU has charged as work, of all kinds
 *
 * Context: interrupts are off.
 * Return: picojoules, wraps.
 */
u64 vmen_work_charged_pj(void)
{
	u64 sum_pj = 0;
	int work;

	for (work = 0; work < VMEN_NR_WORKS; work++)
		sum_pj += vmen_work_account(work)->cpu_pj;
	return sum_pj;
}

/**
 * vmen_work_show - write a line for each kind of work: its name, picojoules
 * @m: where to
 *
 * Context: vmen_account_lock is held, and everything is settled.
 */
void vmen_work_show(struct seq_file *m)
{
	int work;

	for (work = 0; work < VMEN_NR_WORKS; work++)
		seq_printf(m, "%s %llu\n", names[work], folded_pj[work]);
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/work-kunit.h"
#endif
