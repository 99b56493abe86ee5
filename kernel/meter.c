// SPDX-License-Identifier: GPL-2.0
/*
 * The meter: what perf's energy counters say of the machine
 *
 * The parameter "meter" names the counters, RAPL's as a rule, whose sum is the
 * energy of all processors. The sum moves when all of them have moved, so that
 * a package that is late, or broken, does not look as if the machine used less.
 *
 * If one of them has stopped or jumped, or is not there, the reading fails, and
 * the model goes on alone. Meanwhile all of them are opened anew from time to
 * time: a CPU that was down, or a PMU that was not loaded, may be back. So they
 * are when a package comes that there was not.
 *
 * Locks: meter_lock serialises changes of the parameter and reopening.
 * bank_lock protects the open counters; it nests in vmen_account_lock, as the
 * core reads the meter with that held. Perf events are made and released with
 * meter_lock alone: perf takes cpus_read_lock(), in which others take
 * vmen_account_lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/perf_event.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/topology.h>
#include <linux/vmenergy.h>
#include <linux/workqueue.h>

#include "energy.h"
#include "gauge.h"
#include "meter.h"

#define PARAM_SIZE	(VMEN_MAX_GAUGE_SPECS * 96)
#define MAX_QUOTE	80	/* of malformed input in the log */
#define REOPEN_MS	2000

/**
 * struct counter - an open energy counter
 * @event: in perf
 * @package: of the CPU that it was opened on
 * @gauge: what it has counted
 */
struct counter {
	struct perf_event *event;
	int package;
	struct vmen_gauge gauge;
};

/**
 * struct bank - all counters of the meter
 * @nr: entries of @counter
 * @counter: open ones
 */
struct bank {
	unsigned int nr;
	struct counter counter[];
};

/* Serialises changes; see above. */
static DEFINE_MUTEX(meter_lock);
static char param[PARAM_SIZE];
static bool running;

static enum cpuhp_state hotplug_state;

/* Protects what is below. */
static DEFINE_MUTEX(bank_lock);
static struct bank *bank;		/* NULL if they could not all be opened */
static int last_error;			/* of reading it */
static struct vmen_energy total;

static void reopen(struct work_struct *work);
static DECLARE_DELAYED_WORK(reopen_work, reopen);

static u64 read_count(const struct counter *counter)
{
	u64 enabled_ns, running_ns;

	return perf_event_read_value(counter->event, &enabled_ns, &running_ns);
}

/* Brings all counters up to date; true if each of them has moved. */
static int update_bank(bool *moved)
{
	u64 now_ns = ktime_get_ns();
	unsigned int i;
	int err = 0;

	*moved = true;
	for (i = 0; i < bank->nr; i++) {
		struct counter *counter = &bank->counter[i];
		int result = vmen_gauge_update(&counter->gauge, read_count(counter), now_ns);

		err = err ?: result;
		*moved = *moved && counter->gauge.moved;
	}
	return err;
}

/* Takes what the counters have counted; returns it. */
static u64 empty_bank(void)
{
	unsigned int i;
	u64 pj = 0;

	for (i = 0; i < bank->nr; i++)
		pj += vmen_gauge_take_pj(&bank->counter[i].gauge);
	return pj;
}

static int read_bank(void)
{
	bool moved;
	int err;

	if (!bank)
		return -ENODEV;
	err = update_bank(&moved);
	if (err)
		empty_bank();
	else if (moved)
		vmen_energy_add(&total, 0, empty_bank());
	return err;
}

static int meter_read(struct vmen_meter *meter, struct vmen_used used[VMEN_NR_COMPONENTS])
{
	guard(mutex)(&bank_lock);
	last_error = read_bank();
	if (last_error)
		schedule_delayed_work(&reopen_work, msecs_to_jiffies(REOPEN_MS));
	used[VMEN_CPU] = (struct vmen_used){ .active = total };
	used[VMEN_DISK] = (struct vmen_used){};
	return last_error;
}

static struct vmen_meter perf_meter = {
	.name = "perf",
	.read = meter_read,
};

static void close_bank(struct bank *old)
{
	if (!old)
		return;
	while (old->nr)
		perf_event_release_kernel(old->counter[--old->nr].event);
	kvfree(old);
}

static bool is_of(const struct counter *counter, const struct vmen_gauge_spec *spec, int cpu)
{
	return counter->gauge.spec.type == spec->type &&
	       counter->gauge.spec.config == spec->config &&
	       counter->package == topology_physical_package_id(cpu);
}

static bool has_package(const struct bank *some, const struct vmen_gauge_spec *spec, int cpu)
{
	unsigned int i;

	for (i = 0; i < some->nr; i++) {
		if (is_of(&some->counter[i], spec, cpu))
			return true;
	}
	return false;
}

static int open_counter(struct bank *new, const struct vmen_gauge_spec *spec, int cpu)
{
	struct counter *counter = &new->counter[new->nr];
	struct perf_event_attr attr = {
		.type = spec->type,
		.config = spec->config,
		.size = sizeof(attr),
	};

	counter->event = perf_event_create_kernel_counter(&attr, cpu, NULL, NULL, NULL);
	if (IS_ERR(counter->event))
		return PTR_ERR(counter->event);
	counter->gauge.spec = *spec;
	counter->package = topology_physical_package_id(cpu);
	vmen_gauge_start(&counter->gauge, read_count(counter), ktime_get_ns());
	new->nr++;
	return 0;
}

static int open_spec(struct bank *new, const struct vmen_gauge_spec *spec)
{
	int cpu, err;

	if (spec->cpu != VMEN_GAUGE_EACH_PACKAGE)
		return spec->cpu < nr_cpu_ids ? open_counter(new, spec, spec->cpu) : -ENODEV;
	for_each_online_cpu(cpu) {
		if (has_package(new, spec, cpu))
			continue;
		err = open_counter(new, spec, cpu);
		/* One that has just gone is not missing. */
		if (err && cpu_online(cpu))
			return err;
	}
	return 0;
}

/* Opens all, or none and returns an error, after a message if that is wanted. */
static struct bank *open_bank(const struct vmen_gauge_spec *specs, unsigned int nr, bool complain)
{
	struct bank *new = kvzalloc(struct_size(new, counter, nr * nr_cpu_ids), GFP_KERNEL);
	unsigned int i;
	int err;

	if (!new)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < nr; i++) {
		err = open_spec(new, &specs[i]);
		if (!err)
			continue;
		if (complain)
			pr_err("meter: event %u:%#llx can't be counted (%pe)\n", specs[i].type,
			       specs[i].config, ERR_PTR(err));
		close_bank(new);
		return ERR_PTR(err);
	}
	return new;
}

static void replace_bank(struct bank *new)
{
	struct bank *old;

	lockdep_assert_held(&meter_lock);
	mutex_lock(&bank_lock);
	old = bank;
	bank = new;
	last_error = 0;
	mutex_unlock(&bank_lock);
	close_bank(old);
}

/* Is there a package that nothing is counted in, as it was not there before? */
static bool lacks_package(const struct vmen_gauge_spec *specs, unsigned int nr)
{
	unsigned int i;
	int cpu;

	guard(mutex)(&bank_lock);
	for (i = 0; bank && i < nr; i++) {
		if (specs[i].cpu != VMEN_GAUGE_EACH_PACKAGE)
			continue;
		for_each_online_cpu(cpu) {
			if (!has_package(bank, &specs[i], cpu))
				return true;
		}
	}
	return false;
}

/* What is back has to move before it is believed. */
static void distrust(struct bank *new)
{
	unsigned int i;

	for (i = 0; i < new->nr; i++)
		new->counter[i].gauge.stands_still = true;
}

static bool is_broken(void)
{
	guard(mutex)(&bank_lock);
	return last_error;
}

static void reopen(struct work_struct *work)
{
	struct vmen_gauge_spec specs[VMEN_MAX_GAUGE_SPECS];
	struct bank *new;
	int nr;

	guard(mutex)(&meter_lock);
	nr = vmen_gauge_parse(specs, param);
	if (!running || nr <= 0 || !(is_broken() || lacks_package(specs, nr)))
		return;
	new = open_bank(specs, nr, false);
	if (IS_ERR(new))
		return;
	distrust(new);
	replace_bank(new);
}

static int cpu_comes(unsigned int cpu)
{
	schedule_delayed_work(&reopen_work, 0);
	return 0;
}

/* From now on the meter is what is specified, or none. Upon an error it is as before. */
static int change_meter(const struct vmen_gauge_spec *specs, unsigned int nr)
{
	struct bank *new;
	int err;

	if (!nr) {
		vmen_meter_unregister(&perf_meter);
		replace_bank(NULL);
		return 0;
	}
	new = open_bank(specs, nr, true);
	if (IS_ERR(new))
		return PTR_ERR(new);
	vmen_meter_unregister(&perf_meter);
	replace_bank(new);
	err = vmen_meter_register(&perf_meter);
	if (err) {
		pr_err("meter: there is another meter already\n");
		replace_bank(NULL);
	}
	return err;
}

static int meter_set(const char *text, const struct kernel_param *kp)
{
	struct vmen_gauge_spec specs[VMEN_MAX_GAUGE_SPECS];
	size_t len = strcspn(text, "\n");
	int nr, err = 0;

	guard(mutex)(&meter_lock);
	nr = len < PARAM_SIZE ? vmen_gauge_parse(specs, text) : -E2BIG;
	if (nr < 0) {
		pr_err("meter=%.*s: must be up to %d counters type:config:joules[@cpu], of 1e-12 to 1 J each, separated by commas\n",
		       (int)min(len, (size_t)MAX_QUOTE), text, VMEN_MAX_GAUGE_SPECS);
		return nr;
	}
	if (running)
		err = change_meter(specs, nr);
	if (!err)
		strscpy(param, text, len + 1);
	return err;
}

static int meter_get(char *buffer, const struct kernel_param *kp)
{
	guard(mutex)(&meter_lock);
	return sysfs_emit(buffer, "%s\n", param);
}

static const struct kernel_param_ops meter_ops = {
	.set = meter_set,
	.get = meter_get,
};
module_param_cb(meter, &meter_ops, NULL, 0644);
MODULE_PARM_DESC(meter, "perf events that count energy, as type:config:joules[@cpu],...");

/**
 * vmen_meter_start - begin to measure, if the parameter says so
 *
 * A meter that can't be had yet is tried again later.
 *
 * Return: 0 or a negative error.
 */
int vmen_meter_start(void)
{
	struct vmen_gauge_spec specs[VMEN_MAX_GAUGE_SPECS];
	int nr, state;

	state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "vmenergy/meter:online",
					  cpu_comes, NULL);
	if (state < 0)
		return state;
	hotplug_state = state;
	guard(mutex)(&meter_lock);
	running = true;
	nr = vmen_gauge_parse(specs, param);
	if (nr > 0 && change_meter(specs, nr))
		vmen_meter_register(&perf_meter);
	return 0;
}

/**
 * vmen_meter_stop - end what vmen_meter_start() began
 */
void vmen_meter_stop(void)
{
	cpuhp_remove_state_nocalls(hotplug_state);
	mutex_lock(&meter_lock);
	running = false;
	change_meter(NULL, 0);
	mutex_unlock(&meter_lock);
	cancel_delayed_work_sync(&reopen_work);
}
