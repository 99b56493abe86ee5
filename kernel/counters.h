/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of the events that the model charges
 */
#ifndef _VMEN_COUNTERS_H
#define _VMEN_COUNTERS_H

#include <linux/percpu.h>
#include <linux/types.h>

#include "model.h"

struct perf_event;

/**
 * struct vmen_counter - a counter on a CPU
 * @event: counts all that runs on this CPU
 * @count: what it said when last read
 * @model: what it counts, and at which weight; perf changes what it was asked for
 */
struct vmen_counter {
	struct perf_event *event;
	u64 count;
	struct vmen_event model;
};

/**
 * struct vmen_counters - all counters on a CPU
 * @nr: entries of @counter in use
 * @nr_left: entries that were in use when the CPU went down
 * @counter: those that could be had
 *
 * Changes on the CPU itself with interrupts off, or while the CPU is down.
 */
struct vmen_counters {
	unsigned int nr;
	unsigned int nr_left;
	struct vmen_counter counter[VMEN_MAX_EVENTS];
};

DECLARE_PER_CPU(struct vmen_counters, vmen_counters);

u64 vmen_counters_step_pj(struct vmen_counters *counters);

int vmen_counters_init(void);
void vmen_counters_exit(void);

#endif /* _VMEN_COUNTERS_H */
