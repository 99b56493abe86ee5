// SPDX-License-Identifier: GPL-2.0
/*
 * Throttle: tasks wait while their budgets are empty
 *
 * The scheduler hook takes what a task has used from its budgets, when it is
 * switched out and at every tick. If a task that runs, or is about to, has an
 * empty budget, it gets a task work (taskwork.c), in which it waits until its
 * debts are paid, or its limits have changed.
 *
 * How long depends on what others may be waiting for:
 *
 *	within KVM_RUN		until paid, or its turn comes if there is a signal:
 *				this is how a VMM stops its vCPUs
 *	elsewhere in a VM	at a tick only, for what is owed beyond GRACE_NS, and
 *				until paid or its turn comes: the VMM's main loop
 *				has to answer, and the vCPUs pay for it
 *	of other processes	until paid, or its turn comes if there is a signal and
 *				it has waited for SIGNAL_WAIT_NS
 *
 * Turns are those of all tasks in the topmost domain that has debts. Each takes the
 * time until the next one may be had, by what a task can use before it is looked at
 * again: a tenth of a CPU at most. Some are saved.
 *
 * Who is about to stop or to freeze does so at once. Kernel threads, and threads of the
 * kernel in a user's process, do not wait.
 *
 * What a task uses is seen at the end of the tick, so that a low limit makes for
 * bursts of a tick and long waits. After a long wait, or one that a signal has
 * ended, a timer looks earlier, and again while there is little left, and much
 * earlier at vCPUs that are kicked out of their waits, lest signals be a way out.
 * As the scheduler knows what a task has used only when it stops, it makes the
 * task rest for a moment.
 *
 * Locks: none in the hook. Waiting tasks use the lock of their wait queue.
 */
#include <linux/freezer.h>
#include <linux/hash.h>
#include <linux/hrtimer.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "control.h"
#include "domain.h"
#include "taskwork.h"
#include "throttle.h"
#include "vm.h"

#include <trace/events/vmenergy.h>

#define GRACE_NS	(2 * (s64)NSEC_PER_SEC)
/* What turns take: of VMM threads, of tasks with signals, of vCPUs with signals. */
#define TURN_NS		(50 * (s64)NSEC_PER_MSEC)
#define SIGNAL_TURN_NS	(20 * (s64)NSEC_PER_MSEC)
#define KICK_TURN_NS	(2 * (s64)NSEC_PER_MSEC)
#define SIGNAL_AHEAD_NS	(100 * (s64)NSEC_PER_MSEC)
#define SAVED_TURNS_NS	(500 * (s64)NSEC_PER_MSEC)
#define SIGNAL_WAIT_NS	(100 * (s64)NSEC_PER_MSEC)
/* A task looks this often whether it still has to wait; it may have been moved. */
#define STEP_NS		((s64)NSEC_PER_SEC)
#define VMM_STEP_NS	(200 * (s64)NSEC_PER_MSEC)
#define MORE_NS		(20 * (s64)NSEC_PER_MSEC)
#define SLACK_NS	(50 * (s64)NSEC_PER_USEC)

/* After such a wait a task may run that long until its budgets are looked at. */
#define LONG_WAIT_NS	(8 * (s64)NSEC_PER_MSEC)
/* It is looked at again if it has less left: what a tick uses at a tenth of a CPU. */
#define LITTLE_NS	(10 * (s64)TICK_NSEC)
#define SHORT_RUN_NS	NSEC_PER_MSEC
#define KICK_RUN_NS	(100 * NSEC_PER_USEC)
#define REST_NS		(20 * (s64)NSEC_PER_USEC)

/**
 * struct look - an early look at a task on this CPU
 * @timer: for it
 * @task: that has waited and runs again; not followed
 */
struct look {
	struct hrtimer timer;
	struct task_struct *task;
};

static DEFINE_PER_CPU(struct look, looks);
static bool going;

/* Tasks that wait, by the domain that they are charged to. */
#define QUEUE_BITS	6
static wait_queue_head_t queues[BIT(QUEUE_BITS)];

/**
 * vmen_throttle_spend - take what this CPU has charged from budgets
 * @domain: what it was charged to
 * @now_ns: the time
 *
 * Context: interrupts are off; the run queue may be locked.
 */
void vmen_throttle_spend(struct vmen_domain *domain, s64 now_ns)
{
	struct vmen_cpu_account *account = this_cpu_ptr(domain->account.cpu);
	u64 pj = account->cpu_pj - account->told_pj;

	if (!pj)
		return;
	account->told_pj = account->cpu_pj;
	pj = vmen_account_as_metered(pj);
	account->spent_pj += pj;
	vmen_control_spend(domain, VMEN_CPU, pj, now_ns);
}

/*
 * One that ends is past the signals that would end its wait: do_exit() does task works
 * well before it sets PF_EXITING.
 */
static bool can_wait(const struct task_struct *task)
{
	unsigned int never = PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER | PF_EXITING |
			     PF_POSTCOREDUMP;

	return task->mm && !(task->flags & never);
}

static bool is_vmm(const struct vmen_domain *domain, struct task_struct *task)
{
	return READ_ONCE(domain->is_vm) && !vmen_vm_is_in_run(task);
}

static void look_at(struct vmen_domain *domain, struct task_struct *task, s64 now_ns, s64 grace_ns)
{
	if (vmen_control_due_ns(domain, now_ns, grace_ns) && can_wait(task))
		vmen_taskwork_add(task, false);
}

/**
 * vmen_throttle_start - make a task wait, if its budgets are empty, before it goes on
 * @domain: what it is charged to
 * @task: about to run
 * @now_ns: the time
 *
 * Context: interrupts are off, and the run queue is locked.
 */
void vmen_throttle_start(struct vmen_domain *domain, struct task_struct *task, s64 now_ns)
{
	/* To answer, a VMM's main loop starts often, and runs shortly. */
	if (!is_vmm(domain, task))
		look_at(domain, task, now_ns, 0);
}

/**
 * vmen_throttle_tick - make a task wait, if its budgets are empty
 * @domain: what it is charged to
 * @now_ns: the time
 *
 * Context: interrupts are off; the task is current.
 */
void vmen_throttle_tick(struct vmen_domain *domain, s64 now_ns)
{
	look_at(domain, current, now_ns, is_vmm(domain, current) ? GRACE_NS : 0);
}

static enum hrtimer_restart look_early(struct hrtimer *timer)
{
	struct look *look = container_of(timer, struct look, timer);

	if (look->task == current && can_wait(current) && !READ_ONCE(going))
		vmen_taskwork_add(current, true);
	return HRTIMER_NORESTART;
}

static void look_soon(u64 ns)
{
	struct look *look;

	guard(irqsave)();
	if (READ_ONCE(going))
		return;
	look = this_cpu_ptr(&looks);
	look->task = current;
	hrtimer_start(&look->timer, ns_to_ktime(ns), HRTIMER_MODE_REL_PINNED_HARD);
}

/**
 * struct patience - how long the current task may wait
 * @grace_ns: what may be owed all the same
 * @signal_ns: until when at least, if there is a signal
 * @signal_turn_ns: what its turn takes, if there is a signal
 * @step_ns: when to look again whether its turn has come
 * @turns: that may come without a signal
 */
struct patience {
	s64 grace_ns;
	s64 signal_ns;
	s64 signal_turn_ns;
	s64 step_ns;
	bool turns;
};

static struct patience patience_of_current(s64 now_ns)
{
	struct patience patience = {
		.signal_ns = now_ns + SIGNAL_WAIT_NS,
		.signal_turn_ns = SIGNAL_TURN_NS,
		.step_ns = SIGNAL_TURN_NS,
	};

	if (vmen_vm_is_in_run(current)) {
		patience.signal_ns = now_ns;
		patience.signal_turn_ns = KICK_TURN_NS;
		patience.step_ns = KICK_TURN_NS;
	}
	guard(preempt)();
	if (is_vmm(vmen_domain_of(current), current)) {
		patience.grace_ns = GRACE_NS;
		patience.signal_ns = now_ns;
		patience.step_ns = TURN_NS;
		patience.turns = true;
	}
	return patience;
}

/* Who may come @ahead_ns early is not kept waiting by those who take every turn they can get. */
static bool take_turn(s64 now_ns, s64 turn_ns, s64 ahead_ns)
{
	guard(preempt)();
	return vmen_control_take_turn(vmen_domain_of(current), now_ns + ahead_ns, turn_ns,
				      SAVED_TURNS_NS + ahead_ns);
}

/* It ends, stops or freezes before it is in user mode, and is looked at when it goes on. */
static bool is_to_stop(void)
{
	return fatal_signal_pending(current) || freezing(current) ||
	       READ_ONCE(current->jobctl) & (JOBCTL_PENDING_MASK | JOBCTL_TRAP_FREEZE) ||
	       sigismember(&current->pending.signal, SIGSTOP) ||
	       sigismember(&current->signal->shared_pending.signal, SIGSTOP);
}

static bool is_over(const struct patience *patience, s64 now_ns)
{
	if (is_to_stop())
		return true;
	if (signal_pending(current) && now_ns >= patience->signal_ns)
		return take_turn(now_ns, patience->signal_turn_ns, SIGNAL_AHEAD_NS);
	return patience->turns && take_turn(now_ns, TURN_NS, 0);
}

/* Until when the current task has to wait, 0 if it may run. */
static s64 due_of_current_ns(const struct patience *patience, s64 now_ns)
{
	s64 due_ns;

	if (READ_ONCE(going))
		return 0;
	guard(preempt)();
	due_ns = vmen_control_due_ns(vmen_domain_of(current), now_ns, patience->grace_ns);
	return due_ns ? due_ns - patience->grace_ns : 0;
}

/* A signal that does not end the wait yet would not let the task sleep. */
static unsigned int waiting_state(void)
{
	return signal_pending(current) ? TASK_KILLABLE | TASK_NOLOAD : TASK_INTERRUPTIBLE;
}

/* Many may be waiting for turns: who does looks less and less often. */
static s64 next_look_ns(struct patience *patience, s64 now_ns)
{
	s64 look_ns;

	if (signal_pending(current) && now_ns < patience->signal_ns)
		return patience->signal_ns;
	if (!signal_pending(current) && !patience->turns)
		return now_ns + STEP_NS;
	look_ns = now_ns + patience->step_ns;
	patience->step_ns = min(2 * patience->step_ns, patience->turns ? VMM_STEP_NS : STEP_NS);
	return look_ns;
}

static void sleep_until(s64 due_ns, s64 now_ns, struct patience *patience)
{
	ktime_t expires = min(due_ns, next_look_ns(patience, now_ns));

	schedule_hrtimeout_range(&expires, SLACK_NS, HRTIMER_MODE_ABS);
}

static wait_queue_head_t *queue_of(const struct vmen_domain *domain)
{
	return &queues[hash_ptr(domain, QUEUE_BITS)];
}

static wait_queue_head_t *queue_of_current(void)
{
	guard(preempt)();
	return queue_of(vmen_domain_of(current));
}

/*
 * Sleeps once. Returns whether the current task had to.
 *
 * To sleep and to wake up costs energy, too, which is seen only afterwards. At a low
 * limit, that may be as much as is saved meanwhile: if it has slept before, the task
 * saves some more.
 */
static bool wait_once(struct patience *patience, bool again)
{
	wait_queue_head_t *queue = queue_of_current();
	s64 now_ns, due_ns;
	DEFINE_WAIT(wait);
	bool must;

	prepare_to_wait(queue, &wait, waiting_state());
	now_ns = vmen_now_ns();
	due_ns = due_of_current_ns(patience, now_ns);
	must = due_ns && !is_over(patience, now_ns);
	if (must && again && due_ns != VMEN_NEVER_NS)
		due_ns += min(due_ns - now_ns, MORE_NS);
	if (must)
		sleep_until(due_ns, now_ns, patience);
	finish_wait(queue, &wait);
	return must;
}

static void note_wait(s64 due_ns, s64 now_ns)
{
	struct vmen_domain *domain;

	guard(preempt)();
	domain = vmen_domain_of(current);
	vmen_control_note_wait(domain, now_ns);
	trace_vmenergy_throttle(domain->name, due_ns - now_ns);
}

static void note_waited(s64 waited_ns)
{
	guard(preempt)();
	vmen_control_note_waited(vmen_domain_of(current), waited_ns);
}

static void note_release(s64 waited_ns)
{
	guard(preempt)();
	trace_vmenergy_release(vmen_domain_of(current)->name, waited_ns);
}

static bool has_little_left(s64 now_ns)
{
	guard(preempt)();
	return vmen_control_due_ns(vmen_domain_of(current), now_ns, -LITTLE_NS);
}

/* Returns whether the current task is to be looked at early; @early: as it was now. */
static bool wait_for_energy(bool early)
{
	s64 start_ns = vmen_now_ns(), now_ns = start_ns, step_ns;
	struct patience patience = patience_of_current(start_ns);
	s64 due_ns = due_of_current_ns(&patience, now_ns);
	bool again = false;

	if (!due_ns)
		return early && !patience.turns && has_little_left(now_ns);
	if (is_over(&patience, now_ns))
		return signal_pending(current);
	note_wait(due_ns, now_ns);
	while (wait_once(&patience, again)) {
		again = true;
		step_ns = vmen_now_ns() - now_ns;
		now_ns += step_ns;
		note_waited(step_ns);
	}
	note_release(now_ns - start_ns);
	return signal_pending(current) ||
	       (!patience.turns && now_ns - start_ns >= LONG_WAIT_NS);
}

/* When the current task stops, the scheduler tells the hook what it has used. */
static void rest(void)
{
	ktime_t time = REST_NS;

	set_current_state(waiting_state());
	schedule_hrtimeout_range(&time, 0, HRTIMER_MODE_REL);
}

/* Done by tasks; see taskwork.c. */
static void throttle(bool early)
{
	/* Within exec(), a debugger may have it do works under a lock. */
	if (!can_wait(current) || current->in_execve)
		return;
	if (early)
		rest();
	if (!wait_for_energy(early))
		return;
	if (signal_pending(current) && vmen_vm_is_in_run(current))
		look_soon(KICK_RUN_NS);
	else
		look_soon(SHORT_RUN_NS);
}

/**
 * vmen_throttle_wake - let tasks of a domain that wait look at their budgets
 * @domain: what they are charged to
 *
 * Context: any.
 */
void vmen_throttle_wake(const struct vmen_domain *domain)
{
	wake_up_all(queue_of(domain));
}

/**
 * vmen_throttle_init - get ready to make tasks wait
 */
void vmen_throttle_init(void)
{
	int cpu, i;

	for_each_possible_cpu(cpu)
		hrtimer_setup(&per_cpu(looks, cpu).timer, look_early, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_HARD);
	for (i = 0; i < ARRAY_SIZE(queues); i++)
		init_waitqueue_head(&queues[i]);
	vmen_taskwork_start(throttle);
}

/**
 * vmen_throttle_exit - let all tasks go
 *
 * Context: the scheduler hook does not run any more. Waits for tasks in the
 * kernel that can't be disturbed.
 */
void vmen_throttle_exit(void)
{
	int cpu, i;

	WRITE_ONCE(going, true);
	/* From then on no timer is started, nor adds work. */
	synchronize_rcu();
	for (i = 0; i < ARRAY_SIZE(queues); i++)
		wake_up_all(&queues[i]);
	for_each_possible_cpu(cpu)
		hrtimer_cancel(&per_cpu(looks, cpu).timer);
	vmen_taskwork_stop();
}
