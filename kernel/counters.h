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
 * @weight_pj: energy each time the event happens
 */
struct vmen_counter {
	struct perf_event *event;
	u64 count;
	u32 weight_pj;
};

/**
 * struct vmen_counters - all counters on a CPU
 * @nr: entries of @counter in use
 * @counter: those that could be had
 */
struct vmen_counters {
	unsigned int nr;
	struct vmen_counter counter[VMEN_MAX_EVENTS];
};

/* The counters that this CPU reads, or NULL; changes on the CPU itself, interrupts off. */
DECLARE_PER_CPU(struct vmen_counters *, vmen_counters);

u64 vmen_counters_step_pj(struct vmen_counters *counters);

int vmen_counters_init(void);
void vmen_counters_exit(void);

#endif /* _VMEN_COUNTERS_H */
