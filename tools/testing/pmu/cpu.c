// SPDX-License-Identifier: GPL-2.0
/*
 * When each CPU accounts for what it does
 *
 * A CPU's state is written by that CPU alone, with interrupts off, or by the
 * holder of cpus_read_lock() while the CPU is offline. It is advanced to the
 * present at each switch of tasks, each read of a counter there and every
 * ADVANCE_NS: what another CPU sees is never older than that.
 */
#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/hrtimer.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include "cpu.h"
#include "test_pmu.h"

#define ADVANCE_NS	(2 * NSEC_PER_MSEC)

/**
 * struct energy_sum - adds up the energies of all CPUs
 * @lock: protects @energy; inner to all locks
 * @energy: the sums
 */
struct energy_sum {
	raw_spinlock_t lock;
	struct tpmu_amount *energy;
};

/**
 * struct visit - work to be done on each CPU
 * @work: takes the CPU's state; interrupts are off or the CPU is offline
 * @arg: and this
 */
struct visit {
	void (*work)(struct tpmu_cpu *cpu, void *arg);
	void *arg;
};

static struct tpmu_cpu __percpu *cpus;
static atomic_t busy_cpus;

/* Interrupts are off, and this is the CPU. */
static void advance(struct tpmu_cpu *cpu)
{
	u64 now = local_clock();

	if (!cpu->live)
		return;
	while (cpu->time < now) {
		u64 ns = min_t(u64, now - cpu->time, TPMU_STEP_NS);

		tpmu_step(cpu, ns, atomic_read(&busy_cpus));
		cpu->time += ns;
	}
}

static void follow(struct tpmu_cpu *cpu, struct task_struct *task)
{
	bool busy = !is_idle_task(task);

	if (busy != cpu->busy)
		atomic_add(busy ? 1 : -1, &busy_cpus);
	cpu->busy = busy;
	cpu->slot = tpmu_rates_find(task);
}

/**
 * tpmu_cpu_switch - from now on, account to another task
 * @next: will be this CPU's current task
 *
 * Context: interrupts are off.
 */
void tpmu_cpu_switch(struct task_struct *next)
{
	struct tpmu_cpu *cpu = this_cpu_ptr(cpus);

	if (!cpu->live)
		return;
	advance(cpu);
	follow(cpu, next);
}

static enum hrtimer_restart advance_by_timer(struct hrtimer *timer)
{
	advance(container_of(timer, struct tpmu_cpu, timer));
	hrtimer_forward_now(timer, ns_to_ktime(ADVANCE_NS));
	return HRTIMER_RESTART;
}

static void go_live(void *unused)
{
	struct tpmu_cpu *cpu = this_cpu_ptr(cpus);

	cpu->time = local_clock();
	cpu->live = true;
	follow(cpu, current);
	hrtimer_start(&cpu->timer, ns_to_ktime(ADVANCE_NS), HRTIMER_MODE_REL_PINNED_HARD);
}

static void stand_still(void *unused)
{
	struct tpmu_cpu *cpu = this_cpu_ptr(cpus);

	advance(cpu);
	cpu->live = false;
	if (cpu->busy)
		atomic_dec(&busy_cpus);
	cpu->busy = false;
}

/**
 * tpmu_cpu_online - start to account for this CPU
 *
 * Context: a hotplug callback on the CPU.
 */
void tpmu_cpu_online(void)
{
	smp_call_function_single(smp_processor_id(), go_live, NULL, 1);
}

/**
 * tpmu_cpu_offline - stop that, and keep the sums
 *
 * Context: a hotplug callback on the CPU.
 */
void tpmu_cpu_offline(void)
{
	smp_call_function_single(smp_processor_id(), stand_still, NULL, 1);
	hrtimer_cancel(&this_cpu_ptr(cpus)->timer);
}

/**
 * tpmu_cpu_is_live - whether a CPU is accounted for
 * @cpu: its number
 *
 * Return: if so, true.
 */
bool tpmu_cpu_is_live(int cpu)
{
	return READ_ONCE(per_cpu_ptr(cpus, cpu)->live);
}

static void set_base(void *base)
{
	struct tpmu_cpu *cpu = this_cpu_ptr(cpus);

	advance(cpu);
	cpu->base = *(bool *)base;
}

/**
 * tpmu_cpu_set_base - make a CPU account for the package's idle power or cease to
 * @cpu: its number; it is online
 * @base: whether it shall
 *
 * Context: a hotplug callback.
 */
void tpmu_cpu_set_base(int cpu, bool base)
{
	smp_call_function_single(cpu, set_base, &base, 1);
}

/**
 * tpmu_cpu_count - how often something has happened on this CPU
 * @event: what
 *
 * Context: any; the CPU is live.
 * Return: counts, since the module was loaded.
 */
u64 tpmu_cpu_count(int event)
{
	struct tpmu_cpu *cpu;
	unsigned long flags;
	u64 whole;

	local_irq_save(flags);
	cpu = this_cpu_ptr(cpus);
	advance(cpu);
	whole = cpu->counts[event].whole;
	local_irq_restore(flags);
	return whole;
}

/**
 * tpmu_cpus_units - the package's counter
 *
 * What other CPUs add to it may be ADVANCE_NS old.
 *
 * Context: any.
 * Return: the energy counted since the module was loaded, 2^-32 J.
 */
u64 tpmu_cpus_units(void)
{
	unsigned long flags;
	u64 units = 0;
	int cpu;

	local_irq_save(flags);
	advance(this_cpu_ptr(cpus));
	for_each_possible_cpu(cpu)
		units += READ_ONCE(per_cpu_ptr(cpus, cpu)->units.whole);
	local_irq_restore(flags);
	return units;
}

static void visit_this_cpu(void *arg)
{
	const struct visit *visit = arg;

	tpmu_cpu_switch(current);
	visit->work(this_cpu_ptr(cpus), visit->arg);
}

/* Brings all CPUs to the present, and makes them work or works for them. */
static void visit_all(void (*work)(struct tpmu_cpu *cpu, void *arg), void *arg)
{
	struct visit visit = { work, arg };
	int cpu;

	cpus_read_lock();
	on_each_cpu(visit_this_cpu, &visit, 1);
	for_each_possible_cpu(cpu)
		if (!cpu_online(cpu))
			work(per_cpu_ptr(cpus, cpu), arg);
	cpus_read_unlock();
}

static void do_nothing(struct tpmu_cpu *cpu, void *unused)
{
}

/**
 * tpmu_cpus_refresh - bring all CPUs to the present, with the table as it is
 *
 * A change to rates or to the model that follows is effective from now on.
 *
 * Context: process context.
 */
void tpmu_cpus_refresh(void)
{
	visit_all(do_nothing, NULL);
}

static void add_energy(struct tpmu_amount *sum, const struct tpmu_amount *energy)
{
	sum->whole += energy->whole;
	tpmu_amount_add(sum, energy->rest, TPMU_PJ_PER_UJ);
}

static void forget(struct tpmu_cpu *cpu, void *unused)
{
	int slot;

	for (slot = 0; slot < TPMU_TABLE; slot++) {
		add_energy(&cpu->energy[TPMU_OTHER], &cpu->energy[slot]);
		cpu->energy[slot] = (struct tpmu_amount) {};
	}
}

/**
 * tpmu_cpus_forget - make what was used by the table's tasks that of others
 *
 * Context: process context, and the table is empty.
 */
void tpmu_cpus_forget(void)
{
	visit_all(forget, NULL);
}

static void sum_up(struct tpmu_cpu *cpu, void *arg)
{
	struct energy_sum *sum = arg;
	unsigned long flags;
	int slot;

	raw_spin_lock_irqsave(&sum->lock, flags);
	for (slot = 0; slot < TPMU_SLOTS; slot++)
		add_energy(&sum->energy[slot], &cpu->energy[slot]);
	raw_spin_unlock_irqrestore(&sum->lock, flags);
}

/**
 * tpmu_cpus_energy - what the tasks of each slot have used on all CPUs
 * @energy: where it is added to
 *
 * Context: process context.
 */
void tpmu_cpus_energy(struct tpmu_amount energy[TPMU_SLOTS])
{
	struct energy_sum sum = { .energy = energy };

	raw_spin_lock_init(&sum.lock);
	visit_all(sum_up, &sum);
}

/**
 * tpmu_cpus_init - prepare the state of all CPUs
 *
 * Return: 0 or -ENOMEM.
 */
int tpmu_cpus_init(void)
{
	int cpu;

	cpus = alloc_percpu(struct tpmu_cpu);
	if (!cpus)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct tpmu_cpu *state = per_cpu_ptr(cpus, cpu);

		prandom_seed_state(&state->random, cpu);
		hrtimer_setup(&state->timer, advance_by_timer, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_HARD);
	}
	return 0;
}

/**
 * tpmu_cpus_free - free it; no CPU is live, and the probe is gone
 */
void tpmu_cpus_free(void)
{
	free_percpu(cpus);
}
