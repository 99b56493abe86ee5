// SPDX-License-Identifier: GPL-2.0
/*
 * Task works: have tasks do something on their way to user mode or to a guest
 *
 * There they hold no lock of the kernel, so they may sleep. Who gives a task its
 * work holds the lock of its run queue and can't allocate: works are taken from
 * tables, in which they are found by the address of their task. A task has one at
 * most, until it has done it.
 *
 * A task that blocks in the kernel keeps its work meanwhile, so there may be as
 * many as there are tasks. If no place is left for one, it gets none for now, and
 * another table, twice as big, is added a moment later. Tables stay until the
 * module goes; they are small beside the tasks that they were needed for.
 *
 * Works are code of this module: it can go when all are done. Tasks that sleep in
 * the kernel are woken up for that, as by a signal.
 *
 * Locks: none. A place is taken by cmpxchg() of its task. Tables are added by one
 * caller at a time.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hash.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait.h>

#include "taskwork.h"

/* 1024 works at first, and a quarter of a million in the end */
#define FIRST_BITS	10
#define NR_TABLES	8
#define NR_PROBED	8

/**
 * struct work - of a task
 * @task: whose it is, or NULL; not followed where it is given
 * @early: passed on to the function
 * @head: does it
 * @flush: makes the task do it soon, when the module goes
 */
struct work {
	struct task_struct *task;
	bool early;
	struct callback_head head;
	struct callback_head flush;
};

/* Table n has room for 2^(FIRST_BITS + n); the first nr_tables are there. */
static struct work first_table[BIT(FIRST_BITS)];
static struct work *tables[NR_TABLES] = { first_table };
static unsigned int nr_tables = 1;
static bool is_full;

static void (*function)(bool early);

/* How many works are being done; those that are yet to be done have a place. */
static atomic_t nr_inside;
static DECLARE_WAIT_QUEUE_HEAD(outside);

static unsigned int size_of(unsigned int table)
{
	return BIT(FIRST_BITS + table);
}

static struct work *find(unsigned int table, struct task_struct *task, unsigned int probe)
{
	unsigned int first = hash_ptr(task, FIRST_BITS + table);

	return &tables[table][(first + probe) % size_of(table)];
}

static bool has_work(unsigned int table, struct task_struct *task)
{
	unsigned int probe;

	for (probe = 0; probe < NR_PROBED; probe++) {
		if (READ_ONCE(find(table, task, probe)->task) == task)
			return true;
	}
	return false;
}

static struct work *take(unsigned int table, struct task_struct *task)
{
	unsigned int probe;

	for (probe = 0; probe < NR_PROBED; probe++) {
		struct work *work = find(table, task, probe);

		if (!READ_ONCE(work->task) && !cmpxchg(&work->task, NULL, task))
			return work;
	}
	return NULL;
}

static void put(struct work *work)
{
	/* Who finds it free is to find its heads unused, too. */
	smp_store_release(&work->task, NULL);
}

static struct work *take_any(struct task_struct *task)
{
	/* With vmen_taskwork_grow(): a table that counts is there as a whole. */
	unsigned int table, nr = smp_load_acquire(&nr_tables);

	for (table = 0; table < nr; table++) {
		if (has_work(table, task))
			return NULL;
	}
	for (table = 0; table < nr; table++) {
		struct work *work = take(table, task);

		if (work)
			return work;
	}
	WRITE_ONCE(is_full, true);
	return NULL;
}

/**
 * vmen_taskwork_add - have a task do its work, if it does not have to anyway
 * @task: current or about to run on this CPU
 * @early: passed on
 *
 * Context: interrupts are off; the run queue may be locked.
 */
void vmen_taskwork_add(struct task_struct *task, bool early)
{
	struct work *work = take_any(task);

	if (!work)
		return;
	work->early = early;
	if (task_work_add(task, &work->head, VMEN_TWA_RESUME))
		put(work);
}

static void done_inside(void)
{
	if (atomic_dec_and_test(&nr_inside))
		wake_up_all(&outside);
}

/*
 * Files that the task has closed are released by works, too. Those behind this one in
 * the list were added before it, and must not wait.
 */
static bool others_first(struct work *work)
{
	if (!work->head.next)
		return false;
	if (task_work_add(current, &work->head, VMEN_TWA_RESUME))
		put(work);
	return true;
}

static void do_work(struct callback_head *head)
{
	struct work *work = container_of(head, struct work, head);

	if (others_first(work))
		return;
	atomic_inc(&nr_inside);
	function(work->early);
	put(work);
	done_inside();
}

static void do_flush(struct callback_head *head)
{
	done_inside();
}

static void init_table(unsigned int table)
{
	unsigned int i;

	for (i = 0; i < size_of(table); i++) {
		init_task_work(&tables[table][i].head, do_work);
		init_task_work(&tables[table][i].flush, do_flush);
	}
}

/**
 * vmen_taskwork_grow - make room, if there was not enough
 *
 * Context: process context, one caller at a time.
 */
void vmen_taskwork_grow(void)
{
	unsigned int table = nr_tables;

	if (!READ_ONCE(is_full) || table == NR_TABLES)
		return;
	tables[table] = kvcalloc(size_of(table), sizeof(struct work), GFP_KERNEL);
	if (!tables[table])
		return;
	init_table(table);
	/* With take_any(): the table is ready before it counts. */
	smp_store_release(&nr_tables, table + 1);
	WRITE_ONCE(is_full, false);
}

/**
 * vmen_taskwork_start - get ready
 * @work: what tasks are to do; it may sleep
 */
void vmen_taskwork_start(void (*work)(bool early))
{
	function = work;
	init_table(0);
}

/* A task that has a work to do has not ended, nor is it freed under RCU. */
static struct task_struct *get_task(struct work *work)
{
	struct task_struct *task;

	guard(rcu)();
	task = READ_ONCE(work->task);
	return task ? get_task_struct(task) : NULL;
}

/* The task may be waiting for something else, for ever, with its work to be done. */
static void flush(struct work *work)
{
	struct task_struct *task = get_task(work);

	if (!task)
		return;
	atomic_inc(&nr_inside);
	if (task_work_add(task, &work->flush, TWA_SIGNAL))
		done_inside();
	put_task_struct(task);
}

static void flush_table(unsigned int table)
{
	unsigned int i;

	for (i = 0; i < size_of(table); i++)
		flush(&tables[table][i]);
}

static bool is_unused(unsigned int table)
{
	unsigned int i;

	for (i = 0; i < size_of(table); i++) {
		if (READ_ONCE(tables[table][i].task))
			return false;
	}
	return true;
}

static bool all_done(void)
{
	unsigned int table;

	for (table = 0; table < nr_tables; table++) {
		if (!is_unused(table))
			return false;
	}
	/* Who has put its work has counted itself before. */
	smp_rmb();
	return !atomic_read(&nr_inside);
}

/**
 * vmen_taskwork_stop - have all works done
 *
 * Context: none is added any more, nor takes long. Waits for tasks in the kernel
 * that can't be disturbed, as are those that are stopped or traced.
 */
void vmen_taskwork_stop(void)
{
	unsigned int table;

	for (table = 0; table < nr_tables; table++)
		flush_table(table);
	wait_event(outside, all_done());
	/* Those that have said so are about to return from here. */
	synchronize_rcu_tasks();
	for (table = 1; table < nr_tables; table++)
		kvfree(tables[table]);
}
