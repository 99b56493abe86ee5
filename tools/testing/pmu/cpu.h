/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TEST_PMU_CPU_H
#define _TEST_PMU_CPU_H

#include <linux/hrtimer.h>
#include <linux/prandom.h>
#include <linux/time64.h>
#include <linux/types.h>

#include "test_pmu.h"

/* The longest step whose energy fits. */
#define TPMU_STEP_NS	NSEC_PER_MSEC

/**
 * struct tpmu_cpu - the state of a CPU
 * @time: up to when all of it is valid, by the CPU's clock, ns
 * @slot: whom its current task is accounted to
 * @live: it is being advanced
 * @busy: it runs a task
 * @base: it is the CPU that accounts for the package's idle power
 * @counts: events since ever, and thousandths
 * @energy: used by the tasks of each slot, uJ and pJ
 * @active: energy of its tasks, pJ and fJ
 * @noise: energy that only the package's counter knows, pJ and fJ
 * @units: its part of the package's counter, 2^-32 J, and what is left over
 * @random: where the noise comes from
 * @timer: advances it
 */
struct tpmu_cpu {
	u64 time;
	int slot;
	bool live;
	bool busy;
	bool base;
	struct tpmu_amount counts[TPMU_EVENTS];
	struct tpmu_amount energy[TPMU_SLOTS];
	struct tpmu_amount active;
	struct tpmu_amount noise;
	struct tpmu_amount units;
	struct rnd_state random;
	struct hrtimer timer;
};

void tpmu_step(struct tpmu_cpu *cpu, u64 ns, int busy_cpus);

#endif /* _TEST_PMU_CPU_H */
