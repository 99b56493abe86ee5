// SPDX-License-Identifier: GPL-2.0
/*
 * The interrupt hook: interrupts and softirqs are not their victims' work
 *
 * From the begin to the end of an interrupt's handler, or of a softirq, time
 * and events are charged to the kernel's own work (work.c), and not to the task.
 * One within another is part of that. What the kernel does not trace stays with
 * the task: on x86 the interrupts of local timers and those among CPUs, which
 * are short, and NMIs, which may come in the middle of charging.
 *
 * A kernel with CONFIG_IRQ_TIME_ACCOUNTING is trusted to do so: if that is
 * switched off at boot, interrupts are charged to the task as well.
 */
#include <linux/interrupt.h>
#include <linux/preempt.h>
#include <linux/sched/clock.h>
#include <trace/events/irq.h>

#include "charge.h"
#include "hook-irq.h"
#include "probe.h"
#include "work.h"

static void begin(enum vmen_work work)
{
	struct vmen_cpu *cpu = this_cpu_ptr(&vmen_cpu);

	if (in_nmi() || cpu->depth++)
		return;
	cpu->since_ns = local_clock();
	cpu->work = vmen_work_account(work);
	vmen_charge_events(cpu, cpu->account);
}

/* Handlers that were running when the hook was loaded have not begun. */
static void end(void)
{
	struct vmen_cpu *cpu = this_cpu_ptr(&vmen_cpu);

	if (in_nmi() || !cpu->depth)
		return;
	if (cpu->depth == 1)
		vmen_charge_interrupt(cpu);
	cpu->depth--;
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
