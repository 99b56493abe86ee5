// SPDX-License-Identifier: GPL-2.0
/*
 * The scheduler hook: charges CPU energy where it is used
 *
 * A task is charged when it is switched out and at every tick,
 *
 *	energy [pJ] = increase of its sum_exec_runtime [ns] * busy_mw [mW]
 *		    + energy of the events that its CPU has counted (model.c)
 *
 * to the domain that it was in when it was switched in or last ticked. The
 * scheduler's own clock makes the charges agree with the CPU time that the
 * kernel reports, to the nanosecond. Counters are not read at a switch between
 * two tasks that are charged to the same account: what they count is charged to
 * it later. What interrupts have used is not charged to the task (hook-irq.c).
 *
 * Both probes run with interrupts off, one of them under the run queue's
 * lock: they take no lock, allocate and wake nothing, and write to this CPU's
 * state alone. A domain that a CPU's state points to is kept until
 * vmen_hook_refresh() has made every CPU look anew.
 */
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/tracepoint.h>
#include <linux/vmenergy_param.h>
#include <trace/events/sched.h>
#include <trace/events/vmenergy.h>

#include "charge.h"
#include "domain.h"
#include "hook-sched.h"
#include "probe.h"
#include "throttle.h"
#include "vm.h"
#include "work.h"

DEFINE_PER_CPU(struct vmen_cpu, vmen_cpu);

/* Somebody wants to know of charges: budgets, tracers. Else this costs nothing. */
DEFINE_STATIC_KEY_FALSE(vmen_charges_are_news);

/**
 * struct told - up to where tracers know of a CPU's charges
 * @account: its counters of what runs; compared, never followed
 * @pj: their value then
 */
struct told {
	struct vmen_cpu_account *account;
	u64 pj;
};

static DEFINE_PER_CPU(struct told, told);

struct vmen_param vmen_busy_mw = {
	.value		= 10000,
	.min		= 0,
	.max		= 1000000,
	.changing	= vmen_hook_refresh,
};
module_param_cb(busy_mw, &vmen_param_ops, &vmen_busy_mw, 0644);
MODULE_PARM_DESC(busy_mw, "milliwatts that a busy CPU is charged, 0 to 1000000");

/* From now on @task, of which everything before is charged, is charged. */
static __always_inline void follow(struct vmen_cpu *cpu, struct task_struct *task)
{
	struct vmen_domain *domain = &vmen_machine;
	bool is_idle = is_idle_task(task);

	if (!is_idle)
		domain = vmen_domain_of(task);
	cpu->task = task;
	cpu->domain = domain;
	cpu->account = this_cpu_ptr(domain->account.cpu);
	if (domain == &vmen_machine && task->flags & PF_KTHREAD && !is_idle)
		cpu->account = vmen_work_account(VMEN_WORK_KTHREAD);
}

/* Charges everything up to now, be it within an interrupt. */
static __always_inline void charge_all(struct vmen_cpu *cpu, struct task_struct *task)
{
	if (unlikely(cpu->depth))
		vmen_charge_interrupt(cpu);
	vmen_charge_time(cpu, task);
	vmen_charge_events(cpu, cpu->account);
}

/**
 * vmen_trace_charges - somebody wants to know of charges
 *
 * Context: process context, may sleep.
 * Return: 0.
 */
int vmen_trace_charges(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		WRITE_ONCE(per_cpu(told, cpu).account, NULL);
	static_branch_inc(&vmen_charges_are_news);
	return 0;
}

/**
 * vmen_untrace_charges - nobody wants to know any more
 */
void vmen_untrace_charges(void)
{
	static_branch_dec(&vmen_charges_are_news);
}

/* Tells budgets and tracers what a task was charged since begin_telling(). */
static void tell_charge(struct vmen_cpu *cpu, struct task_struct *task, s64 now_ns)
{
	struct told *last = this_cpu_ptr(&told);

	vmen_charge_events(cpu, cpu->account);
	vmen_throttle_spend(cpu->domain, now_ns);
	if (last->account == cpu->account)
		trace_vmenergy_charge(cpu->domain->name, task, cpu->account->cpu_pj - last->pj);
}

static void begin_telling(struct vmen_cpu *cpu)
{
	struct told *last = this_cpu_ptr(&told);

	last->account = cpu->account;
	last->pj = cpu->account->cpu_pj;
}

static noinline void tell_switch(struct vmen_cpu *cpu, struct task_struct *prev,
				 struct task_struct *next)
{
	s64 now_ns = vmen_now_ns();

	tell_charge(cpu, prev, now_ns);
	follow(cpu, next);
	begin_telling(cpu);
	vmen_throttle_start(cpu->domain, next, now_ns);
}

static noinline void tell_tick(struct vmen_cpu *cpu)
{
	s64 now_ns = vmen_now_ns();

	tell_charge(cpu, current, now_ns);
	follow(cpu, current);
	begin_telling(cpu);
	vmen_throttle_tick(cpu->domain, now_ns);
}

static void probe_sched_switch(void *data, bool preempt, struct task_struct *prev,
			       struct task_struct *next, unsigned int prev_state)
{
	struct vmen_cpu *cpu = this_cpu_ptr(&vmen_cpu);
	struct vmen_cpu_account *account = cpu->account;

	vmen_charge_time(cpu, prev);
	cpu->stolen_ns = 0;
	if (unlikely(vmen_vm_is_news(prev, prev_state)))
		vmen_vm_notice(cpu->domain, prev, prev_state);
	cpu->runtime = next->se.sum_exec_runtime;
	if (static_branch_unlikely(&vmen_charges_are_news)) {
		tell_switch(cpu, prev, next);
		return;
	}
	follow(cpu, next);
	if (cpu->account != account)
		vmen_charge_events(cpu, account);
}

static void probe_sched_stat_runtime(VMEN_SCHED_STAT_RUNTIME_ARGS)
{
	struct vmen_cpu *cpu;

	/* Other callers account a remote CPU's task, or are about to switch. */
	if (!in_hardirq() || tsk != current)
		return;
	cpu = this_cpu_ptr(&vmen_cpu);
	charge_all(cpu, tsk);
	if (unlikely(vmen_vm_is_news(tsk, TASK_RUNNING)))
		vmen_vm_notice(cpu->domain, tsk, TASK_RUNNING);
	if (static_branch_unlikely(&vmen_charges_are_news))
		tell_tick(cpu);
	else
		follow(cpu, tsk);
}

/**
 * vmen_hook_charge_this_cpu - charge what was used on this CPU until now
 *
 * Context: interrupts are off.
 */
void vmen_hook_charge_this_cpu(void)
{
	charge_all(this_cpu_ptr(&vmen_cpu), current);
}

static void refresh_this_cpu(void *unused)
{
	vmen_hook_charge_this_cpu();
	follow(this_cpu_ptr(&vmen_cpu), current);
}

/**
 * vmen_hook_refresh - make every CPU charge and look up its task's domain anew
 *
 * After a domain has been added to or removed from the hash, this makes it
 * effective: from then on no CPU charges a removed domain, nor is one in the
 * middle of looking it up, as probes run with interrupts off.
 *
 * Context: process context, interrupts on.
 */
void vmen_hook_refresh(void)
{
	on_each_cpu(refresh_this_cpu, NULL, 1);
}

/**
 * vmen_hook_charged_pj - the sum of all charges made by this CPU
 *
 * Context: interrupts are off.
 * Return: picojoules, wraps.
 */
u64 vmen_hook_charged_pj(void)
{
	return this_cpu_read(vmen_cpu.charged_pj);
}

static struct vmen_probe probes[] = {
	VMEN_PROBE(sched_switch, probe_sched_switch),
	VMEN_PROBE(sched_stat_runtime, probe_sched_stat_runtime),
};

/**
 * vmen_hook_sched_init - start charging
 *
 * Return: 0 or a negative error.
 */
int vmen_hook_sched_init(void)
{
	int cpu;

	check_trace_callback_type_sched_switch(probe_sched_switch);
	check_trace_callback_type_sched_stat_runtime(probe_sched_stat_runtime);

	for_each_possible_cpu(cpu) {
		struct vmen_cpu *state = per_cpu_ptr(&vmen_cpu, cpu);

		state->domain = &vmen_machine;
		state->account = per_cpu_ptr(vmen_machine.account.cpu, cpu);
	}
	return vmen_probes_register(probes, ARRAY_SIZE(probes));
}

/**
 * vmen_hook_sched_exit - stop charging
 */
void vmen_hook_sched_exit(void)
{
	vmen_probes_unregister(probes, ARRAY_SIZE(probes));
}
