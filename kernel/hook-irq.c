// SPDX-License-Identifier: GPL-2.0
/*
 * The interrupt hook: interrupts and softirqs are not their victims' work
 *
 * From the begin to the end of an interrupt's handler, or of a softirq, time
 * and events are charged to the kernel's own work (work.c). A kernel that does
 * not account for the time of interrupts counts it as that of the task too, so
 * it is taken off what the task is charged for next. One within another is
 * part of that. The kernel traces devices' interrupts and softirqs; timers'
 * and those among CPUs, which are short, stay with the task.
 */
#include <linux/interrupt.h>
#include <linux/sched/clock.h>
#include <trace/events/irq.h>

#include "charge.h"
#include "hook-irq.h"
#include "probe.h"
#include "work.h"

static void begin(enum vmen_work work)
{
	struct vmen_cpu *cpu = this_cpu_ptr(&vmen_cpu);

	if (cpu->depth++)
		return;
	cpu->since_ns = local_clock();
	cpu->work = vmen_work_account(work);
	vmen_charge_events(cpu, cpu->account);
}

/* Handlers that were running when the hook was loaded have not begun. */
static void end(void)
{
	struct vmen_cpu *cpu = this_cpu_ptr(&vmen_cpu);
	u64 ns;

	if (!cpu->depth || --cpu->depth)
		return;
	ns = local_clock() - cpu->since_ns;
	if (!IS_ENABLED(CONFIG_IRQ_TIME_ACCOUNTING))
		cpu->stolen_ns += ns;
	vmen_charge(cpu, cpu->work, vmen_charge_pj(ns, READ_ONCE(vmen_busy_mw.value)));
	vmen_charge_events(cpu, cpu->work);
}

static void probe_irq_handler_entry(void *data, int irq, struct irqaction *action)
{
	begin(VMEN_WORK_INTERRUPT);
}

static void probe_irq_handler_exit(void *data, int irq, struct irqaction *action, int ret)
{
	end();
}

/* Unlike handlers, softirqs run with interrupts on. */
static void probe_softirq_entry(void *data, unsigned int vec_nr)
{
	guard(irqsave)();
	begin(VMEN_WORK_SOFTIRQ);
}

static void probe_softirq_exit(void *data, unsigned int vec_nr)
{
	guard(irqsave)();
	end();
}

/* What begins must end, so that the end comes first and goes last. */
static struct vmen_probe probes[] = {
	VMEN_PROBE(irq_handler_exit, probe_irq_handler_exit),
	VMEN_PROBE(irq_handler_entry, probe_irq_handler_entry),
	VMEN_PROBE(softirq_exit, probe_softirq_exit),
	VMEN_PROBE(softirq_entry, probe_softirq_entry),
};

/* With PREEMPT_RT softirqs are part of a thread, and switched out with it. */
#define NR_PROBES	(IS_ENABLED(CONFIG_PREEMPT_RT) ? 2 : ARRAY_SIZE(probes))

/**
 * vmen_hook_irq_init - start charging
 *
 * Context: the scheduler hook runs already.
 * Return: 0 or a negative error.
 */
int vmen_hook_irq_init(void)
{
	check_trace_callback_type_irq_handler_entry(probe_irq_handler_entry);
	check_trace_callback_type_irq_handler_exit(probe_irq_handler_exit);
	check_trace_callback_type_softirq_entry(probe_softirq_entry);
	check_trace_callback_type_softirq_exit(probe_softirq_exit);
	return vmen_probes_register(probes, NR_PROBES);
}

/**
 * vmen_hook_irq_exit - stop charging
 */
void vmen_hook_irq_exit(void)
{
	vmen_probes_unregister(probes, NR_PROBES);
}
