// SPDX-License-Identifier: GPL-2.0
/*
 * The PMU of the CPUs: counters of events that tasks make happen
 *
 * Events are config 0 to 7, per CPU only, without sampling. A CPU has
 * nr_counters counters, one for each different event that is active there:
 * one that gets none can't be added, and if it is pinned it goes into error
 * state, as with real counters. None at all means no such events.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/sysfs.h>

#include "test_pmu.h"

static unsigned int nr_counters = TPMU_EVENTS;

static int set_nr_counters(const char *value, const struct kernel_param *param)
{
	return param_set_uint_minmax(value, param, 0, TPMU_EVENTS);
}

static const struct kernel_param_ops nr_counters_ops = {
	.set	= set_nr_counters,
	.get	= param_get_uint,
};

module_param_cb(nr_counters, &nr_counters_ops, &nr_counters, 0644);
MODULE_PARM_DESC(nr_counters, "counters of each CPU, 0 to 8");

/**
 * struct users - who uses a CPU's counters
 * @of: active perf events by what they count
 */
struct users {
	unsigned int of[TPMU_EVENTS];
};

/* Written by the CPU itself with interrupts off. */
static DEFINE_PER_CPU(struct users, users);

static int get_counter(int event)
{
	struct users *here = this_cpu_ptr(&users);
	unsigned int used = 0;
	int i;

	for (i = 0; i < TPMU_EVENTS; i++)
		used += here->of[i] || i == event;
	if (used > READ_ONCE(nr_counters))
		return -EAGAIN;
	here->of[event]++;
	return 0;
}

static void put_counter(int event)
{
	this_cpu_dec(users.of[event]);
}

static int counter_init(struct perf_event *event)
{
	if (event->attr.type != event->pmu->type || !READ_ONCE(nr_counters))
		return -ENOENT;
	if (is_sampling_event(event) || event->cpu < 0 ||
	    event->attach_state & PERF_ATTACH_TASK || event->attr.config >= TPMU_EVENTS)
		return -EINVAL;
	if (!tpmu_cpu_is_live(event->cpu))
		return -ENODEV;
	event->hw.config = event->attr.config;
	return 0;
}

static void counter_read(struct perf_event *event)
{
	u64 now = tpmu_cpu_count(event->hw.config);
	u64 before = local64_xchg(&event->hw.prev_count, now);

	local64_add(now - before, &event->count);
}

static void counter_start(struct perf_event *event, int flags)
{
	event->hw.state = 0;
	local64_set(&event->hw.prev_count, tpmu_cpu_count(event->hw.config));
}

static void counter_stop(struct perf_event *event, int flags)
{
	if (event->hw.state & PERF_HES_STOPPED)
		return;
	event->hw.state = PERF_HES_STOPPED | PERF_HES_UPTODATE;
	counter_read(event);
}

static int counter_add(struct perf_event *event, int flags)
{
	int err;

	err = get_counter(event->hw.config);
	if (err)
		return err;
	event->hw.state = PERF_HES_STOPPED | PERF_HES_UPTODATE;
	if (flags & PERF_EF_START)
		counter_start(event, flags);
	return 0;
}

static void counter_del(struct perf_event *event, int flags)
{
	counter_stop(event, PERF_EF_UPDATE);
	put_counter(event->hw.config);
}

PMU_FORMAT_ATTR(event, "config:0-7");

static struct attribute *format_attrs[] = {
	&format_attr_event.attr,
	NULL
};

/* How both PMUs are told an event */
const struct attribute_group tpmu_format_group = {
	.name	= "format",
	.attrs	= format_attrs,
};

static const struct attribute_group *groups[] = {
	&tpmu_format_group,
	NULL
};

static struct pmu counters = {
	.module		= THIS_MODULE,
	.task_ctx_nr	= perf_invalid_context,
	.capabilities	= PERF_PMU_CAP_NO_INTERRUPT | PERF_PMU_CAP_NO_EXCLUDE,
	.attr_groups	= groups,
	.event_init	= counter_init,
	.add		= counter_add,
	.del		= counter_del,
	.start		= counter_start,
	.stop		= counter_stop,
	.read		= counter_read,
};

/**
 * tpmu_counters_init - register the PMU
 *
 * Return: 0 or a negative error.
 */
int tpmu_counters_init(void)
{
	return perf_pmu_register(&counters, "vmenergy_test", -1);
}

/**
 * tpmu_counters_exit - unregister it; it has no events
 */
void tpmu_counters_exit(void)
{
	perf_pmu_unregister(&counters);
}
