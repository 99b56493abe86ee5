// SPDX-License-Identifier: GPL-2.0
/*
 * A PMU whose truth is known, to test vmenergy on machines that have none
 *
 * Two PMUs make up a machine of which everything is known:
 *
 * - vmenergy_test counts events on each CPU. Tasks make them happen at rates
 *   that tests set, by process: counts per microsecond of time on a CPU.
 * - vmenergy_test_pkg has an energy counter like RAPL's for the package:
 *
 *	idle_mw * time + sum over CPUs (busy_mw * time that a task runs
 *	+ sum over events (count * energy_pj[event]))
 *
 *   where the sum over CPUs, the active energy, is reduced by nonlinear_ppm
 *   while several CPUs are busy. It can be noisy, stop, jump and wrap.
 *
 * How much of the energy each process has used can be read in debugfs, to the
 * picojoule, to be compared with what vmenergy charges. Hence this shares no
 * code with vmenergy and no way of measuring: time is the CPU's clock from
 * switch to switch, with what interrupts take from a task.
 *
 * Everything happens on each CPU by itself: in a probe of sched_switch, in a
 * timer, and where counters are read, always with interrupts off. The probe
 * runs under the run queue's lock; it takes none, and allocates nothing.
 * tpmu_lock serialises changes to rates and model, which are read without it.
 * It is taken before cpus_read_lock().
 *
 * perf keeps the module while there are events. Without any and without CPUs
 * that are live it can be taken down in any order.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpuhotplug.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <trace/events/sched.h>

#include "test_pmu.h"

static unsigned int default_rate;

static int set_default_rate(const char *value, const struct kernel_param *param)
{
	return param_set_uint_minmax(value, param, 0, TPMU_MAX_RATE);
}

static const struct kernel_param_ops default_rate_ops = {
	.set	= set_default_rate,
	.get	= param_get_uint,
};

module_param_cb(default_rate, &default_rate_ops, &default_rate, 0444);
MODULE_PARM_DESC(default_rate, "counts per microsecond of each event for any task, 0 to 10000");

static struct tracepoint *sched_switch;
static int hotplug_state;

static void probe_sched_switch(void *data, bool preempt, struct task_struct *prev,
			       struct task_struct *next, unsigned int prev_state)
{
	tpmu_cpu_switch(next);
}

static void match_sched_switch(struct tracepoint *tracepoint, void *unused)
{
	if (!strcmp(tracepoint->name, "sched_switch"))
		sched_switch = tracepoint;
}

static int probe_init(void)
{
	check_trace_callback_type_sched_switch(probe_sched_switch);

	for_each_kernel_tracepoint(match_sched_switch, NULL);
	if (!sched_switch)
		return -EOPNOTSUPP;
	return tracepoint_probe_register(sched_switch, probe_sched_switch, NULL);
}

static void probe_exit(void)
{
	tracepoint_probe_unregister(sched_switch, probe_sched_switch, NULL);
	tracepoint_synchronize_unregister();
}

static int go_online(unsigned int cpu)
{
	tpmu_cpu_online();
	tpmu_package_online(cpu);
	return 0;
}

static int go_offline(unsigned int cpu)
{
	tpmu_package_offline(cpu);
	tpmu_cpu_offline();
	return 0;
}

static int hotplug_init(void)
{
	hotplug_state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "vmenergy/test-pmu:online",
					  go_online, go_offline);
	return hotplug_state < 0 ? hotplug_state : 0;
}

static int __init tpmu_init(void)
{
	int err;

	tpmu_rates_init(default_rate);
	err = tpmu_cpus_init();
	if (err)
		return err;
	err = probe_init();
	if (err)
		goto err_probe;
	err = tpmu_counters_init();
	if (err)
		goto err_counters;
	err = tpmu_package_init();
	if (err)
		goto err_package;
	err = hotplug_init();
	if (err)
		goto err_hotplug;
	tpmu_files_init();
	return 0;

err_hotplug:
	tpmu_package_exit();
err_package:
	tpmu_counters_exit();
err_counters:
	probe_exit();
err_probe:
	tpmu_cpus_free();
	return err;
}

static void __exit tpmu_exit(void)
{
	tpmu_files_exit();
	cpuhp_remove_state(hotplug_state);
	tpmu_package_exit();
	tpmu_counters_exit();
	probe_exit();
	tpmu_cpus_free();
}

module_init(tpmu_init);
module_exit(tpmu_exit);

MODULE_DESCRIPTION("PMU whose truth is known, to test vmenergy");
MODULE_LICENSE("GPL");
