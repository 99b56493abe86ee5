// SPDX-License-Identifier: GPL-2.0
/*
 * The rates at which tasks make events happen
 *
 * A hash by tgid with linear probing. It is read under a run queue's lock:
 * without locks, and nothing in it is ever freed. Entries are added one by one
 * and removed all at once, so that a chain has no holes; a reader in the midst
 * of either finds no entry, and tpmu_cpus_refresh() makes it look again.
 *
 * Written under tpmu_lock.
 */
#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/lockdep.h>
#include <linux/sched.h>

#include "test_pmu.h"

/**
 * struct rates - what the tasks of a slot do
 * @tgid: whose threads they are; 0 if the entry is free
 * @rate: counts per microsecond of time that a task runs, by event
 */
struct rates {
	pid_t tgid;
	u32 rate[TPMU_EVENTS];
};

static struct rates table[TPMU_SLOTS];
static unsigned int used;

static int next_slot(int slot)
{
	return (slot + 1) % TPMU_TABLE;
}

/* The entry of @tgid, or the free one where it belongs. */
static int probe(pid_t tgid)
{
	int slot = hash_32(tgid, TPMU_TABLE_BITS);
	pid_t found;

	/* Pairs with claim(): its rates are there. */
	while ((found = smp_load_acquire(&table[slot].tgid)) && found != tgid)
		slot = next_slot(slot);
	return slot;
}

/**
 * tpmu_rates_find - find whom a task's energy is accounted to
 * @task: the task
 *
 * Context: any.
 * Return: a slot.
 */
int tpmu_rates_find(const struct task_struct *task)
{
	int slot;

	if (is_idle_task(task))
		return TPMU_IDLE;
	slot = probe(task->tgid);
	return tpmu_rates_tgid(slot) ? slot : TPMU_OTHER;
}

/**
 * tpmu_rates_get - the rate of an event while a task of a slot runs
 * @slot: of the task
 * @event: which
 *
 * Return: counts per microsecond.
 */
u32 tpmu_rates_get(int slot, int event)
{
	return READ_ONCE(table[slot].rate[event]);
}

/**
 * tpmu_rates_tgid - whose entry this is
 * @slot: of the table
 *
 * Return: a tgid, or 0 if it is nobody's.
 */
pid_t tpmu_rates_tgid(int slot)
{
	return READ_ONCE(table[slot].tgid);
}

static int claim(int slot, pid_t tgid)
{
	int event;

	if (used == TPMU_MAX_TGIDS)
		return -ENOSPC;
	used++;
	for (event = 0; event < TPMU_EVENTS; event++)
		WRITE_ONCE(table[slot].rate[event], tpmu_rates_get(TPMU_OTHER, event));
	/* Pairs with probe(): the rates first. */
	smp_store_release(&table[slot].tgid, tgid);
	return 0;
}

/**
 * tpmu_rates_set - set a rate of all threads of a process
 * @tgid: the process, which need not exist
 * @event: which
 * @rate: counts per microsecond
 *
 * Context: process context, tpmu_lock is held.
 * Return: 0, or -ENOSPC if there are too many processes.
 */
int tpmu_rates_set(pid_t tgid, int event, u32 rate)
{
	int slot = probe(tgid);
	int err;

	lockdep_assert_held(&tpmu_lock);

	if (!table[slot].tgid) {
		err = claim(slot, tgid);
		if (err)
			return err;
	}
	tpmu_cpus_refresh();
	WRITE_ONCE(table[slot].rate[event], rate);
	return 0;
}

/**
 * tpmu_rates_clear - forget all processes
 *
 * The energy that they have used becomes that of other tasks.
 *
 * Context: process context, tpmu_lock is held.
 */
void tpmu_rates_clear(void)
{
	int slot;

	lockdep_assert_held(&tpmu_lock);

	for (slot = 0; slot < TPMU_TABLE; slot++)
		WRITE_ONCE(table[slot].tgid, 0);
	tpmu_cpus_forget();
	used = 0;
}

/**
 * tpmu_rates_init - set the rate of tasks that no test has set
 * @default_rate: counts per microsecond, of every event
 */
void tpmu_rates_init(u32 default_rate)
{
	int event;

	for (event = 0; event < TPMU_EVENTS; event++)
		table[TPMU_OTHER].rate[event] = default_rate;
}
