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

DEFINE_PER_CPU(struct vmen_works, vmen_works);

/* What was folded into the estimates of domains. */
static struct vmen_cpu_account folded[VMEN_NR_WORKS];

static const char * const names[] = {
	[VMEN_WORK_INTERRUPT] = "interrupt",
	[VMEN_WORK_SOFTIRQ] = "softirq",
	[VMEN_WORK_KTHREAD] = "kthread",
	[VMEN_WORK_BLOCK] = "block",
};

static u64 fold_work(enum vmen_work work)
{
	return vmen_cpu_account_increase(&vmen_works.account[work], &folded[work]).cpu_pj;
}

static u64 sum_requests(struct vmen_domain *machine)
{
	struct vmen_domain *domain;
	u64 sum = 0;

	vmen_for_each_domain(domain, machine)
		sum += domain->account.requests;
	return sum;
}

/* Adds to what is pending, by requests; what is left by rounding is the machine's. */
static void share_by_requests(struct vmen_domain *machine, u64 amount_pj)
{
	u64 rest_pj = amount_pj, whole = sum_requests(machine);
	struct vmen_domain *domain;

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
 * @machine: the root of the tree, whose accounts are folded; what is pending in
 *	     them increases
 *
 * Context: vmen_account_lock is held.
 * Return: the increase of all estimates, picojoules.
 */
u64 vmen_work_fold(struct vmen_domain *machine)
{
	u64 block_pj = fold_work(VMEN_WORK_BLOCK);
	u64 own_pj = 0;
	int work;

	for (work = 0; work < VMEN_NR_WORKS; work++) {
		if (work != VMEN_WORK_BLOCK)
			own_pj += fold_work(work);
	}
	machine->account.pending_pj[VMEN_CPU] += own_pj;
	share_by_requests(machine, block_pj);
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
		seq_printf(m, "%s %llu\n", names[work], folded[work].cpu_pj);
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/work-kunit.h"
#endif
