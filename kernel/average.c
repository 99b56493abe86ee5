// SPDX-License-Identifier: GPL-2.0
/*
 * Averages: power over a time window, from an energy counter
 *
 * Samples of the counter are kept for the window, a quarter of it apart. The
 * average is taken from the youngest that is not younger than the window to
 * now, or from the oldest if none is that old.
 *
 * Pure functions; a clock is an argument.
 */
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/time64.h>

#include "average.h"

#define NR_SAMPLES	(VMEN_AVERAGE_PARTS + 1)

/**
 * vmen_average_init - begin
 * @average: what to set up
 * @uj: what the counter is now, microjoules
 * @now_ns: the time
 */
void vmen_average_init(struct vmen_average *average, u64 uj, s64 now_ns)
{
	int i;

	for (i = 0; i < NR_SAMPLES; i++) {
		average->sample[i].uj = uj;
		average->sample[i].ns = now_ns;
	}
	average->newest = 0;
}

/**
 * vmen_average_is_due - is it time for another sample?
 * @average: the counter's past
 * @window_ns: the window
 * @now_ns: the time
 *
 * Return: whether it is.
 */
bool vmen_average_is_due(const struct vmen_average *average, u64 window_ns, s64 now_ns)
{
	s64 age_ns = now_ns - average->sample[average->newest].ns;

	return age_ns >= (s64)(window_ns / VMEN_AVERAGE_PARTS);
}

/**
 * vmen_average_add - keep a sample
 * @average: where to
 * @uj: what the counter is now
 * @now_ns: the time
 */
void vmen_average_add(struct vmen_average *average, u64 uj, s64 now_ns)
{
	average->newest = (average->newest + 1) % NR_SAMPLES;
	average->sample[average->newest].uj = uj;
	average->sample[average->newest].ns = now_ns;
}

/**
 * vmen_average_uw - the average power over the window
 * @average: the counter's past
 * @window_ns: the window
 * @uj: what the counter is now
 * @now_ns: the time
 *
 * Return: microwatts, up to S64_MAX; 0 if there is no past yet.
 */
u64 vmen_average_uw(const struct vmen_average *average, u64 window_ns, u64 uj, s64 now_ns)
{
	unsigned int back, i = average->newest;
	s64 ns;

	for (back = 0; back < VMEN_AVERAGE_PARTS; back++) {
		if (now_ns - average->sample[i].ns >= (s64)window_ns)
			break;
		i = (i + NR_SAMPLES - 1) % NR_SAMPLES;
	}
	ns = now_ns - average->sample[i].ns;
	if (ns <= 0 || uj < average->sample[i].uj)
		return 0;
	uj -= average->sample[i].uj;
	if (div64_u64(uj, ns) >= S64_MAX / NSEC_PER_SEC)
		return S64_MAX;
	return mul_u64_u64_div_u64(uj, NSEC_PER_SEC, ns);
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/average-kunit.h"
#endif
