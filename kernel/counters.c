// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of the events that the model charges
 *
 * Each online CPU has a pinned counter for each event of the model, which the
 * scheduler hook reads where it switches. An event that a CPU does not have, or
 * that does not fit beside the others, is named in the log and left out there: the
 * model goes on with the rest.
 *
 * A CPU's counters change on the CPU itself with interrupts off, after all that
 * they have seen is charged, and what both the old and the new model have goes on
 * counting: a change of the model loses nothing. Perf events can't be made or
 * released while a CPU is going down or coming up; then a work item does it
 * afterwards.
 *
 * Locks: counters_lock protects the model and serialises all changes, but for
 * that by a CPU that goes down, which may come at any time: perf takes
 * cpus_read_lock() itself, so it can't be held. What is done to a CPU that has
 * just gone fails, and is done anew when it comes back.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/moduleparam.h>
#include <linux/perf_event.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "counters.h"
#include "hook-sched.h"

DEFINE_PER_CPU(struct vmen_counters, vmen_counters);

/* Protects the model, and that it is in use; see above. */
static DEFINE_MUTEX(counters_lock);
static struct vmen_model model;
static bool running;

static enum cpuhp_state hotplug_state;

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

		pj += (count - counter->count) * counter->model.weight_pj;
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

static const struct vmen_event *find_in_model(const struct vmen_counter *counter)
{
	unsigned int i;

	for (i = 0; running && i < model.nr_events; i++) {
		if (vmen_event_is(&model.event[i], &counter->model))
			return &model.event[i];
	}
	return NULL;
}

static bool is_counted(const struct vmen_counters *counters, const struct vmen_event *wanted)
{
	unsigned int i;

	for (i = 0; i < counters->nr; i++) {
		if (vmen_event_is(&counters->counter[i].model, wanted))
			return true;
	}
	return false;
}

/**
 * struct dropped - events that a CPU counts no more
 * @nr: how many
 * @event: not yet released
 */
struct dropped {
	unsigned int nr;
	struct perf_event *event[VMEN_MAX_EVENTS];
};

/* Runs on the CPU: keeps the counters that the model has, at the model's weights. */
static void keep_common(void *arg)
{
	struct vmen_counters *counters = this_cpu_ptr(&vmen_counters);
	unsigned int i, nr = counters->nr;
	struct dropped *dropped = arg;

	vmen_hook_charge_this_cpu();
	counters->nr = 0;
	for (i = 0; i < nr; i++) {
		struct vmen_counter counter = counters->counter[i];
		const struct vmen_event *event = find_in_model(&counter);

		if (!event) {
			dropped->event[dropped->nr++] = counter.event;
			continue;
		}
		counter.model = *event;
		counters->counter[counters->nr++] = counter;
	}
}

/*
 * Runs on the CPU that the counter is for: begins to charge what it counts, and
 * takes its event. Not if the CPU has been down meanwhile and left some behind.
 */
static void append(void *arg)
{
	struct vmen_counters *counters = this_cpu_ptr(&vmen_counters);
	struct vmen_counter *counter = arg;

	if (counters->nr_left)
		return;
	counter->count = read_counter(counter);
	counters->counter[counters->nr++] = *counter;
	counter->event = NULL;
}

static int add_counter(int cpu, const struct vmen_event *wanted)
{
	struct vmen_counter counter = {
		.event = create_event(wanted, cpu),
		.model = *wanted,
	};
	int err = -ENOSPC;

	if (IS_ERR(counter.event))
		return PTR_ERR(counter.event);
	if (runs(counter.event))
		err = smp_call_function_single(cpu, append, &counter, 1);
	if (!counter.event)
		return 0;
	perf_event_release_kernel(counter.event);
	return err ?: -EAGAIN;
}

static void drop_counters(int cpu)
{
	struct dropped dropped = {};

	smp_call_function_single(cpu, keep_common, &dropped, 1);
	while (dropped.nr)
		perf_event_release_kernel(dropped.event[--dropped.nr]);
}

/* A CPU that is not up counts nothing. Those left before may be being released. */
static void leave_behind(struct vmen_counters *counters)
{
	if (counters->nr)
		counters->nr_left = counters->nr;
	counters->nr = 0;
}

static void release_left(void)
{
	int cpu;

	cpus_read_lock();
	for_each_possible_cpu(cpu) {
		if (!cpu_online(cpu))
			leave_behind(per_cpu_ptr(&vmen_counters, cpu));
	}
	cpus_read_unlock();

	for_each_possible_cpu(cpu) {
		struct vmen_counters *counters = per_cpu_ptr(&vmen_counters, cpu);

		while (counters->nr_left)
			perf_event_release_kernel(counters->counter[--counters->nr_left].event);
	}
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

/* Has every CPU that is online count what the model wants, as far as it can. */
static void set_up(void)
{
	int nr_failed[VMEN_MAX_EVENTS] = {}, last_error[VMEN_MAX_EVENTS];
	unsigned int i;
	int cpu, err;

	lockdep_assert_held(&counters_lock);
	release_left();
	for_each_online_cpu(cpu) {
		drop_counters(cpu);
		for (i = 0; running && i < model.nr_events; i++) {
			if (is_counted(per_cpu_ptr(&vmen_counters, cpu), &model.event[i]))
				continue;
			err = add_counter(cpu, &model.event[i]);
			if (!err || !cpu_online(cpu))
				continue;
			nr_failed[i]++;
			last_error[i] = err;
		}
	}
	complain(nr_failed, last_error);
}

static void follow_hotplug(struct work_struct *work)
{
	guard(mutex)(&counters_lock);
	set_up();
}

static DECLARE_WORK(hotplug_work, follow_hotplug);

/* What was set up while the CPU was on its way down has gone with it. */
static int cpu_comes(unsigned int cpu)
{
	guard(irqsave)();
	leave_behind(this_cpu_ptr(&vmen_counters));
	schedule_work(&hotplug_work);
	return 0;
}

static int cpu_goes(unsigned int cpu)
{
	guard(irqsave)();
	vmen_hook_charge_this_cpu();
	leave_behind(this_cpu_ptr(&vmen_counters));
	schedule_work(&hotplug_work);
	return 0;
}

static void change_model(const struct vmen_model *new)
{
	guard(mutex)(&counters_lock);
	model = *new;
	if (running)
		set_up();
}

static void run(bool on)
{
	guard(mutex)(&counters_lock);
	running = on;
	set_up();
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
	change_model(&new);
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

	run(true);
	state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "vmenergy:online",
					  cpu_comes, cpu_goes);
	if (state < 0) {
		run(false);
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
	cpuhp_remove_state_nocalls(hotplug_state);
	cancel_work_sync(&hotplug_work);
	run(false);
}
