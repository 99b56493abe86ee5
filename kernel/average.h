/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_AVERAGE_H
#define _VMEN_AVERAGE_H

#include <linux/types.h>

#define VMEN_AVERAGE_PARTS	4

/**
 * struct vmen_average - an energy counter's past
 * @sample: what it was, and when; all the same at first
 * @newest: the youngest of them
 */
struct vmen_average {
	struct {
		u64 uj;
		s64 ns;
	} sample[VMEN_AVERAGE_PARTS + 1];
	unsigned int newest;
};

void vmen_average_init(struct vmen_average *average, u64 uj, s64 now_ns);
bool vmen_average_is_due(const struct vmen_average *average, u64 window_ns, s64 now_ns);
void vmen_average_add(struct vmen_average *average, u64 uj, s64 now_ns);
u64 vmen_average_uw(const struct vmen_average *average, u64 window_ns, u64 uj, s64 now_ns);

#endif /* _VMEN_AVERAGE_H */
