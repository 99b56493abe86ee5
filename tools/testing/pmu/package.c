// SPDX-License-Identifier: GPL-2.0
/*
 * The PMU of the package: an energy counter as RAPL has
 *
 * It counts units of 2^-32 J, is wrap_bits wide and is not extended in time:
 * an event advances at its reads, by the signed difference of the counter's
 * values, so that what it uses up of more than half of the counter's range
 * between two reads is lost, and a counter that jumps back takes the event
 * with it. A read may happen anywhere, hence it brings its own CPU to the
 * present and takes the others as they are, 2 ms old at most.
 *
 * All events are on the package CPU, one that is online. It changes in hotplug
 * callbacks only. While there is none, there are no events.
 */
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/perf_event.h>
#include <linux/sysfs.h>

#include "test_pmu.h"

#define ENERGY_PKG	1
#define MIN_WRAP_BITS	8
#define MAX_WRAP_BITS	64

/* 2^32 units are 10^6 uJ: a unit is 5^6 / 2^26 uJ. */
#define JUMP_SHIFT	26
#define JUMP_DIVISOR	15625

static unsigned int wrap_bits = MAX_WRAP_BITS;

static int set_wrap_bits(const char *value, const struct kernel_param *param)
{
	return param_set_uint_minmax(value, param, MIN_WRAP_BITS, MAX_WRAP_BITS);
}

static const struct kernel_param_ops wrap_bits_ops = {
	.set	= set_wrap_bits,
	.get	= param_get_uint,
};

module_param_cb(wrap_bits, &wrap_bits_ops, &wrap_bits, 0444);
MODULE_PARM_DESC(wrap_bits, "width of the package's energy counter, 8 to 64");

static int first_package_cpu = -1;
module_param(first_package_cpu, int, 0444);
MODULE_PARM_DESC(first_package_cpu, "CPU that the package's events are on at first, any if negative");

static int package_cpu = -1;
static atomic64_t jumped;

/* The bits above wrap_bits are not the counter's. */
static u64 raw_counter(void)
{
	return tpmu_cpus_units() + atomic64_read(&jumped);
}

static int package_init(struct perf_event *event)
{
	int cpu = READ_ONCE(package_cpu);

	if (event->attr.type != event->pmu->type)
		return -ENOENT;
	if (is_sampling_event(event) || event->cpu < 0 ||
	    event->attach_state & PERF_ATTACH_TASK || event->attr.config != ENERGY_PKG)
		return -EINVAL;
	if (cpu < 0)
		return -ENODEV;
	event->cpu = cpu;
	return 0;
}

static void package_read(struct perf_event *event)
{
	u64 now = raw_counter();
	u64 before = local64_xchg(&event->hw.prev_count, now);

	local64_add(sign_extend64(now - before, wrap_bits - 1), &event->count);
}

static void package_start(struct perf_event *event, int flags)
{
	event->hw.state = 0;
	local64_set(&event->hw.prev_count, raw_counter());
}

static void package_stop(struct perf_event *event, int flags)
{
	if (event->hw.state & PERF_HES_STOPPED)
		return;
	event->hw.state = PERF_HES_STOPPED | PERF_HES_UPTODATE;
	package_read(event);
}

static int package_add(struct perf_event *event, int flags)
{
	event->hw.state = PERF_HES_STOPPED | PERF_HES_UPTODATE;
	if (flags & PERF_EF_START)
		package_start(event, flags);
	return 0;
}

static void package_del(struct perf_event *event, int flags)
{
	package_stop(event, PERF_EF_UPDATE);
}

static ssize_t cpumask_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	int cpu = READ_ONCE(package_cpu);

	return cpumap_print_to_pagebuf(true, buf, cpu < 0 ? cpu_none_mask : cpumask_of(cpu));
}
static DEVICE_ATTR_RO(cpumask);

static struct attribute *cpumask_attrs[] = {
	&dev_attr_cpumask.attr,
	NULL
};

static const struct attribute_group cpumask_group = {
	.attrs	= cpumask_attrs,
};

#define EVENT_ATTR(_name, _value) {						\
	.attr		= {							\
		.attr	= { .name = (_name), .mode = 0444 },			\
		.show	= perf_event_sysfs_show,				\
	},									\
	.event_str	= (_value),						\
}

static struct perf_pmu_events_attr energy = EVENT_ATTR("energy-pkg", "event=0x01");
static struct perf_pmu_events_attr scale =
	EVENT_ATTR("energy-pkg.scale", "2.3283064365386962890625e-10");
static struct perf_pmu_events_attr unit = EVENT_ATTR("energy-pkg.unit", "Joules");

static struct attribute *events_attrs[] = {
	&energy.attr.attr,
	&scale.attr.attr,
	&unit.attr.attr,
	NULL
};

static const struct attribute_group events_group = {
	.name	= "events",
	.attrs	= events_attrs,
};

static const struct attribute_group *groups[] = {
	&cpumask_group,
	&tpmu_format_group,
	&events_group,
	NULL
};

static struct pmu package = {
	.module		= THIS_MODULE,
	.task_ctx_nr	= perf_invalid_context,
	.capabilities	= PERF_PMU_CAP_NO_INTERRUPT | PERF_PMU_CAP_NO_EXCLUDE,
	.attr_groups	= groups,
	.event_init	= package_init,
	.add		= package_add,
	.del		= package_del,
	.start		= package_start,
	.stop		= package_stop,
	.read		= package_read,
};

/**
 * tpmu_package_jump - make the counter jump
 * @uj: microjoules, of at most TPMU_MAX_JUMP_UJ; back if negative
 */
void tpmu_package_jump(s64 uj)
{
	atomic64_add(div_s64(uj << JUMP_SHIFT, JUMP_DIVISOR), &jumped);
}

/**
 * tpmu_package_online - let a CPU be the package CPU if there is none
 * @cpu: the CPU
 *
 * Context: a hotplug callback.
 */
void tpmu_package_online(int cpu)
{
	if (package_cpu >= 0 || (first_package_cpu >= 0 && first_package_cpu != cpu))
		return;
	tpmu_cpu_set_base(cpu, true);
	WRITE_ONCE(package_cpu, cpu);
}

/**
 * tpmu_package_offline - if a CPU is the package CPU, let another be it
 * @cpu: the CPU; still online
 *
 * Context: a hotplug callback.
 */
void tpmu_package_offline(int cpu)
{
	int target = cpumask_any_but(cpu_online_mask, cpu);

	if (cpu != package_cpu)
		return;
	tpmu_cpu_set_base(cpu, false);
	if (target >= nr_cpu_ids) {
		WRITE_ONCE(package_cpu, -1);
		return;
	}
	tpmu_cpu_set_base(target, true);
	WRITE_ONCE(package_cpu, target);
	perf_pmu_migrate_context(&package, cpu, target);
}

/**
 * tpmu_package_init - register the PMU
 *
 * Return: 0 or a negative error.
 */
int tpmu_package_init(void)
{
	return perf_pmu_register(&package, "vmenergy_test_pkg", -1);
}

/**
 * tpmu_package_exit - unregister it; it has no events
 */
void tpmu_package_exit(void)
{
	perf_pmu_unregister(&package);
}
