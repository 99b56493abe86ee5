/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Gauges: energy counters that perf reads, such as RAPL's
 *
 * Pure functions; see gauge.c.
 */
#ifndef _VMEN_GAUGE_H
#define _VMEN_GAUGE_H

#include <linux/types.h>

#define VMEN_MAX_GAUGE_SPECS	8
#define VMEN_GAUGE_EACH_PACKAGE	(-1)

/* More than 100 kW is not energy, but a counter that has jumped. */
#define VMEN_GAUGE_MAX_MW	100000000ULL
/* A counter that has not moved for so long is broken. */
#define VMEN_GAUGE_STILL_NS	1000000000ULL

/**
 * struct vmen_gauge_spec - what to read, and what it means
 * @type: PERF_TYPE_*, or the number of a dynamic PMU
 * @config: as in struct perf_event_attr
 * @numerator: of the energy that a count stands for, picojoules
 * @denominator: of it, a power of ten; the quotient is 1 pJ to 1 J
 * @cpu: to open it on, or VMEN_GAUGE_EACH_PACKAGE for one CPU in each
 */
struct vmen_gauge_spec {
	u32 type;
	u64 config;
	u64 numerator;
	u64 denominator;
	int cpu;
};

/**
 * struct vmen_gauge - a counter
 * @spec: what it counts
 * @count: what it said last
 * @rest: of the energy so far, below 1 pJ, in units of 1 / @spec.denominator
 * @moved_ns: when its count was last seen to have changed
 * @stands_still: it has not for VMEN_GAUGE_STILL_NS
 * @held_pj: what it has counted and vmen_gauge_take_pj() has not taken yet
 * @moved: it has counted something since then
 */
struct vmen_gauge {
	struct vmen_gauge_spec spec;
	u64 count;
	u64 rest;
	u64 moved_ns;
	bool stands_still;
	u64 held_pj;
	bool moved;
};

int vmen_gauge_parse(struct vmen_gauge_spec specs[VMEN_MAX_GAUGE_SPECS], const char *text);
void vmen_gauge_start(struct vmen_gauge *gauge, u64 count, u64 now_ns);
int vmen_gauge_update(struct vmen_gauge *gauge, u64 count, u64 now_ns);
u64 vmen_gauge_take_pj(struct vmen_gauge *gauge);

#endif /* _VMEN_GAUGE_H */
