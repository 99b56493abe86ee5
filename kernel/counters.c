// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of the events that the model charges
 *
 * Each online CPU has a pinned counter for each event of the model, which the
 * scheduler hook reads where it switches. An event that a CPU does not have, or
 * that does not fit beside the others, is told of once and left out there: the
 * model goes on with the rest.
 *
 * The hook follows a per-CPU pointer. It is exchanged on the CPU itself with
 * interrupts off, after all that the old counters have seen is charged, so that
 * a change of the model loses nothing. Perf events can't be made or released
 * while a CPU is going down or coming up; then a work item does it afterwards.
 *
 * Locks: counters_lock protects the model and which CPU has which counters. It
 * is taken inside cpus_read_lock(), and held over perf's own.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/moduleparam.h>
#include <linux/perf_event.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "counters.h"
#include "hook-sched.h"

DEFINE_PER_CPU(struct vmen_counters *, vmen_counters);

/* Protects what follows; see above. */
static DEFINE_MUTEX(counters_lock);
static struct vmen_model model;
static DEFINE_PER_CPU(struct vmen_counters *, owned);
static enum cpuhp_state hotplug_state;
static bool running;

static u64 read_counter(struct vmen_counter *counter)
{
	struct perf_event *event = counter->event;

	if (event->state == PERF_EVENT_STATE_ACTIVE && event->oncpu == smp_processor_id())
		event->pmu->read(event);
	return local64_read(&event->count);
}

/**
 * vmen_counters_step_pj - the energy since this was last called
 * @counters: this CPU's
 *
 * Context: interrupts are off; the run queue may be locked.
 * Return: picojoules by the model.
 */
u64 vmen_counters_step_pj(struct vmen_counters *counters)
{
	struct vmen_counter *counter = counters->counter;
	struct vmen_counter *end = counter + counters->nr;
	u64 pj = 0;

	for (; counter < end; counter++) {
		u64 count = read_counter(counter);

		pj += (count - counter->count) * counter->weight_pj;
		counter->count = count;
	}
	return pj;
}

static struct perf_event *create_event(const struct vmen_event *event, int cpu)
{
	struct perf_event_attr attr = {
		.type = event->type,
		.config = event->config,
		.size = sizeof(attr),
		.pinned = 1,
	};

	return perf_event_create_kernel_counter(&attr, cpu, NULL, NULL, NULL);
}

/* A pinned event that does not fit beside the others is given up by perf at once. */
static bool runs(struct perf_event *event)
{
	u64 enabled_ns, running_ns;

	perf_event_read_value(event, &enabled_ns, &running_ns);
	return running_ns;
}

static void release(struct vmen_counters *counters)
{
	while (counters->nr)
		perf_event_release_kernel(counters->counter[--counters->nr].event);
	kfree(counters);
}

/* Adds those events of the model that the CPU has; errors by event, 0 for the others. */
static struct vmen_counters *create(int cpu, int errors[VMEN_MAX_EVENTS])
{
	struct vmen_counters *counters = kzalloc(sizeof(*counters), GFP_KERNEL);
	unsigned int i;

	for (i = 0; i < model.nr_events; i++) {
		struct perf_event *event = counters ? create_event(&model.event[i], cpu) :
						      ERR_PTR(-ENOMEM);

		if (IS_ERR(event)) {
			errors[i] = PTR_ERR(event);
			continue;
		}
		if (!runs(event)) {
			perf_event_release_kernel(event);
			errors[i] = -ENOSPC;
			continue;
		}
		counters->counter[counters->nr++] = (struct vmen_counter) {
			.event = event,
			.weight_pj = model.event[i].weight_pj,
		};
	}
	return counters;
}

/* Runs on the CPU whose counters these are. What the old ones have seen is charged. */
static void use(void *counters)
{
	vmen_hook_charge_this_cpu();
	this_cpu_write(vmen_counters, counters);
	if (counters)
		vmen_counters_step_pj(counters);
}

/* Exchanges an online CPU's counters for new ones, or none. */
static void replace(int cpu, struct vmen_counters *counters)
{
	struct vmen_counters *old = per_cpu(owned, cpu);

	smp_call_function_single(cpu, use, counters, 1);
	per_cpu(owned, cpu) = counters;
	if (old)
		release(old);
}

static void complain(const int nr_failed[VMEN_MAX_EVENTS], const int errors[VMEN_MAX_EVENTS])
{
	unsigned int i;

	for (i = 0; i < model.nr_events; i++) {
		if (nr_failed[i])
			pr_warn("event %u:%#llx is not counted on %d CPUs (%pe), the model goes on without it there\n",
				model.event[i].type, model.event[i].config, nr_failed[i],
				ERR_PTR(errors[i]));
	}
}

/* Gives every online CPU of those that want some the model's counters. */
static void set_up(bool (*wants)(int cpu))
{
	int nr_failed[VMEN_MAX_EVENTS] = {}, last_error[VMEN_MAX_EVENTS] = {};
	int cpu, i;

	lockdep_assert_held(&counters_lock);
	for_each_online_cpu(cpu) {
		int errors[VMEN_MAX_EVENTS] = {};

		if (!wants(cpu))
			continue;
		/* The old ones would take the place of the new. */
		replace(cpu, NULL);
		if (model.nr_events)
			replace(cpu, create(cpu, errors));
		for (i = 0; i < VMEN_MAX_EVENTS; i++) {
			nr_failed[i] += !!errors[i];
			last_error[i] = errors[i] ?: last_error[i];
		}
	}
	complain(nr_failed, last_error);
}

static bool every_cpu(int cpu)
{
	return true;
}

static bool cpu_has_none(int cpu)
{
	return !per_cpu(owned, cpu);
}

/* What CPUs that are down have left behind */
static void release_offline(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		if (cpu_online(cpu) || !per_cpu(owned, cpu))
			continue;
		release(per_cpu(owned, cpu));
		per_cpu(owned, cpu) = NULL;
	}
}

static void follow_hotplug(struct work_struct *work)
{
	cpus_read_lock();
	mutex_lock(&counters_lock);
	release_offline();
	if (running)
		set_up(cpu_has_none);
	mutex_unlock(&counters_lock);
	cpus_read_unlock();
}

static DECLARE_WORK(hotplug_work, follow_hotplug);

static int cpu_comes(unsigned int cpu)
{
	schedule_work(&hotplug_work);
	return 0;
}

static int cpu_goes(unsigned int cpu)
{
	guard(irqsave)();
	use(NULL);
	schedule_work(&hotplug_work);
	return 0;
}

static int events_set(const char *text, const struct kernel_param *kp)
{
	struct vmen_model new;
	int err;

	err = vmen_model_parse(&new, text);
	if (err) {
		pr_err("events=%.*s: must be up to %d different events type:config:picojoules, separated by commas\n",
		       (int)strcspn(text, "\n"), text, VMEN_MAX_EVENTS);
		return err;
	}
	cpus_read_lock();
	mutex_lock(&counters_lock);
	model = new;
	if (running)
		set_up(every_cpu);
	mutex_unlock(&counters_lock);
	cpus_read_unlock();
	return 0;
}

static int events_get(char *buffer, const struct kernel_param *kp)
{
	guard(mutex)(&counters_lock);
	return vmen_model_print(buffer, PAGE_SIZE, &model);
}

static const struct kernel_param_ops events_ops = {
	.set = events_set,
	.get = events_get,
};
module_param_cb(events, &events_ops, NULL, 0644);
MODULE_PARM_DESC(events, "events that cost energy, as type:config:picojoules,...");

/**
 * vmen_counters_init - start to count
 *
 * Context: the hook runs already.
 * Return: 0 or a negative error.
 */
int vmen_counters_init(void)
{
	int state;

	cpus_read_lock();
	mutex_lock(&counters_lock);
	running = true;
	set_up(every_cpu);
	mutex_unlock(&counters_lock);
	cpus_read_unlock();

	state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "vmenergy:online",
					  cpu_comes, cpu_goes);
	if (state < 0) {
		vmen_counters_exit();
		return state;
	}
	hotplug_state = state;
	/* CPUs that came in between */
	schedule_work(&hotplug_work);
	return 0;
}

/**
 * vmen_counters_exit - stop counting
 *
 * Context: the hook still runs.
 */
void vmen_counters_exit(void)
{
	int cpu;

	if (hotplug_state)
		cpuhp_remove_state_nocalls(hotplug_state);
	cpus_read_lock();
	mutex_lock(&counters_lock);
	running = false;
	for_each_online_cpu(cpu)
		replace(cpu, NULL);
	release_offline();
	mutex_unlock(&counters_lock);
	cpus_read_unlock();
	cancel_work_sync(&hotplug_work);
}
