/* SPDX-License-Identifier: GPL-2.0 */
#include <kunit/test.h>

#define START_UJ	123456789ULL
#define START_NS	(1000 * (s64)NSEC_PER_SEC)
#define LOOK_NS		((s64)NSEC_PER_SEC / 10)

/* Adds what @watts use in @looks; returns the time. */
static s64 run(struct vmen_average *average, u64 window_ns, u64 watts, int looks, u64 *uj,
	       s64 now_ns)
{
	while (looks--) {
		now_ns += LOOK_NS;
		*uj += watts * 100000;
		if (vmen_average_is_due(average, window_ns, now_ns))
			vmen_average_add(average, *uj, now_ns);
	}
	return now_ns;
}

static void steady_power_is_the_average(struct kunit *test)
{
	struct vmen_average average;
	u64 uj = START_UJ;
	s64 now_ns;

	vmen_average_init(&average, uj, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_average_uw(&average, NSEC_PER_SEC, uj, START_NS), 0ULL);
	now_ns = run(&average, NSEC_PER_SEC, 7, 3, &uj, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_average_uw(&average, NSEC_PER_SEC, uj, now_ns), 7000000ULL);
	now_ns = run(&average, NSEC_PER_SEC, 7, 1000, &uj, now_ns);
	KUNIT_EXPECT_EQ(test, vmen_average_uw(&average, NSEC_PER_SEC, uj, now_ns), 7000000ULL);
}

static void what_is_older_than_the_window_is_forgotten(struct kunit *test)
{
	static const u64 windows_ns[] = { NSEC_PER_SEC / 10, NSEC_PER_SEC, 60 * NSEC_PER_SEC };
	int i;

	for (i = 0; i < ARRAY_SIZE(windows_ns); i++) {
		u64 window_ns = windows_ns[i], uj = START_UJ, average_uw;
		int looks = window_ns / LOOK_NS;
		struct vmen_average average;
		s64 now_ns;

		vmen_average_init(&average, uj, START_NS);
		now_ns = run(&average, window_ns, 100, 3 * looks, &uj, START_NS);
		now_ns = run(&average, window_ns, 10, looks / 2, &uj, now_ns);
		average_uw = vmen_average_uw(&average, window_ns, uj, now_ns);
		KUNIT_EXPECT_GT(test, average_uw, 10000000ULL);
		now_ns = run(&average, window_ns, 10, looks - looks / 2 + looks / 4 + 1, &uj,
			     now_ns);
		average_uw = vmen_average_uw(&average, window_ns, uj, now_ns);
		KUNIT_EXPECT_EQ(test, average_uw, 10000000ULL);
	}
}

static void counter_that_falls_is_no_power(struct kunit *test)
{
	struct vmen_average average;

	vmen_average_init(&average, START_UJ, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_average_uw(&average, NSEC_PER_SEC, 0, START_NS + 1000), 0ULL);
}

static void leaps_are_no_overflow(struct kunit *test)
{
	struct vmen_average average;

	vmen_average_init(&average, 0, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_average_uw(&average, NSEC_PER_SEC, U64_MAX, START_NS + 1),
			(u64)S64_MAX);
}

static struct kunit_case vmen_average_cases[] = {
	KUNIT_CASE(steady_power_is_the_average),
	KUNIT_CASE(what_is_older_than_the_window_is_forgotten),
	KUNIT_CASE(counter_that_falls_is_no_power),
	KUNIT_CASE(leaps_are_no_overflow),
	{}
};

static struct kunit_suite vmen_average_suite = {
	.name = "vmenergy-average",
	.test_cases = vmen_average_cases,
};

kunit_test_suite(vmen_average_suite);
