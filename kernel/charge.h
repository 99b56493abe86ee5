/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Charging on a CPU: what the hooks share
 *
 * A CPU's time and events are charged to the account that it works for, in
 * pieces: up to each context switch, tick and interrupt. All of this runs with
 * interrupts off and touches nothing but the CPU's own state.
 */
#ifndef _VMEN_CHARGE_H
#define _VMEN_CHARGE_H

#include <linux/kconfig.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/vmenergy_param.h>

#include "account.h"
#include "counters.h"

/**
 * struct vmen_cpu - what the hooks know of their CPU
 * @task: running since the scheduler hook last looked; compared, never followed
 * @runtime: @task's sum_exec_runtime that is charged already, ns
 * @account: this CPU's counters of what @task is charged to
 * @domain: the domain that these belong to
 * @charged_pj: sum of all charges, picojoules, for the audit
 * @stolen_ns: by interrupts, charged already and still to appear in @runtime
 * @depth: how many interrupts this CPU is in
 * @since_ns: up to when the outermost of them is charged
 * @work: what that is charged as, see enum vmen_work
 */
struct vmen_cpu {
	struct task_struct *task;
	u64 runtime;
	struct vmen_cpu_account *account;
	struct vmen_domain *domain;
	u64 charged_pj;
	u64 stolen_ns;
	unsigned int depth;
	u64 since_ns;
	struct vmen_cpu_account *work;
};

DECLARE_PER_CPU(struct vmen_cpu, vmen_cpu);
extern struct vmen_param vmen_busy_mw;

static __always_inline void vmen_charge(struct vmen_cpu *cpu, struct vmen_cpu_account *account,
					u64 pj)
{
	account->cpu_pj += pj;
	cpu->charged_pj += pj;
}

/**
 * vmen_charge_time - charge for what a task has run, without interrupts
 * @cpu: this CPU
 * @task: running on it
 */
static __always_inline void vmen_charge_time(struct vmen_cpu *cpu, struct task_struct *task)
{
	/* Another CPU may update it, unless the run queue is locked. */
	u64 runtime = READ_ONCE(task->se.sum_exec_runtime);
	u64 ns = runtime - cpu->runtime;

	cpu->runtime = runtime;
	/* A switch was missed if the hook was just loaded: start from here. */
	if (unlikely(cpu->task != task))
		return;
	if (unlikely(cpu->stolen_ns)) {
		u64 stolen_ns = min(cpu->stolen_ns, ns);

		cpu->stolen_ns -= stolen_ns;
		ns -= stolen_ns;
	}
	vmen_charge(cpu, cpu->account, vmen_charge_pj(ns, READ_ONCE(vmen_busy_mw.value)));
}

/**
 * vmen_charge_events - charge for what the CPU has counted
 * @cpu: this CPU
 * @account: its counters of what has caused that
 */
static __always_inline void vmen_charge_events(struct vmen_cpu *cpu,
					       struct vmen_cpu_account *account)
{
	struct vmen_counters *counters = this_cpu_ptr(&vmen_counters);

	if (counters->nr)
		vmen_charge(cpu, account, vmen_counters_step_pj(counters));
}

/**
 * vmen_charge_interrupt - charge for the interrupt that this CPU is in, so far
 * @cpu: this CPU
 *
 * A kernel that does not account for the time of interrupts counts it as that of
 * the task, too, from which it is taken off later.
 */
static __always_inline void vmen_charge_interrupt(struct vmen_cpu *cpu)
{
	u64 now_ns = local_clock(), ns = now_ns - cpu->since_ns;

	cpu->since_ns = now_ns;
	if (!IS_ENABLED(CONFIG_IRQ_TIME_ACCOUNTING))
		cpu->stolen_ns += ns;
	vmen_charge(cpu, cpu->work, vmen_charge_pj(ns, READ_ONCE(vmen_busy_mw.value)));
	vmen_charge_events(cpu, cpu->work);
}

#endif /* _VMEN_CHARGE_H */
