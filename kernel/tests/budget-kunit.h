/* SPDX-License-Identifier: GPL-2.0 */
#include <kunit/test.h>

#define WATT		1000000ULL	/* microwatts */
#define START_NS	(1000 * (s64)NSEC_PER_SEC)
#define STEP_NS		(4 * (s64)NSEC_PER_MSEC)

/* What @watts use in @ns, in picojoules: 1 W is 1000 pJ/ns. */
static s64 use_pj(u64 watts, s64 ns)
{
	return watts * 1000 * ns;
}

static struct vmen_bucket limited(u64 limit_uw, u64 window_us)
{
	struct vmen_bucket bucket;

	vmen_bucket_init(&bucket, window_us);
	vmen_bucket_set_limit(&bucket, limit_uw, START_NS);
	return bucket;
}

/* Runs at @watts in steps whenever it may; returns the energy of @seconds. */
static s64 spin_pj(struct vmen_bucket *bucket, u64 watts, s64 *now_ns, int seconds)
{
	s64 end_ns = *now_ns + seconds * (s64)NSEC_PER_SEC, sum_pj = 0;

	while (*now_ns < end_ns) {
		s64 due_ns = vmen_bucket_due_ns(bucket, *now_ns);

		if (due_ns) {
			*now_ns = due_ns;
			continue;
		}
		*now_ns += STEP_NS;
		vmen_bucket_spend(bucket, use_pj(watts, STEP_NS), *now_ns);
		sum_pj += use_pj(watts, STEP_NS);
	}
	return sum_pj;
}

static void expect_within(struct kunit *test, s64 value, s64 wanted, s64 tolerance)
{
	KUNIT_EXPECT_LE(test, value, wanted + tolerance);
	KUNIT_EXPECT_GE(test, value, wanted - tolerance);
}

static void spinner_gets_the_limit(struct kunit *test)
{
	static const u64 limits_uw[] = {
		90 * WATT / 10, 5 * WATT, WATT, WATT / 100, 12345678, 7 * WATT / 3,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(limits_uw); i++) {
		struct vmen_bucket bucket = limited(limits_uw[i], 1000000);
		s64 now_ns = START_NS;
		s64 spent_pj = spin_pj(&bucket, 20, &now_ns, 100);
		s64 wanted_pj = mul_u64_u64_div_u64(now_ns - START_NS, limits_uw[i], 1000);

		expect_within(test, spent_pj, wanted_pj, use_pj(20, STEP_NS) + wanted_pj / 100000);
	}
}

static void nothing_is_owed_without_a_limit(struct kunit *test)
{
	struct vmen_bucket bucket = limited(VMEN_NO_LIMIT_UW, 1000000);

	vmen_bucket_spend(&bucket, S64_MAX, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_bucket_due_ns(&bucket, START_NS), 0);
}

static void credit_is_a_window_deep(struct kunit *test)
{
	struct vmen_bucket bucket = limited(WATT, 500000);
	s64 now_ns = START_NS + 3600 * (s64)NSEC_PER_SEC;

	vmen_bucket_spend(&bucket, use_pj(1, NSEC_PER_SEC / 2), now_ns);
	KUNIT_EXPECT_EQ(test, vmen_bucket_due_ns(&bucket, now_ns), 0);
	vmen_bucket_spend(&bucket, use_pj(1, 1000), now_ns);
	expect_within(test, vmen_bucket_due_ns(&bucket, now_ns), now_ns + 1000, 2);
}

static void debt_is_bounded(struct kunit *test)
{
	struct vmen_bucket bucket = limited(VMEN_MIN_LIMIT_UW, 1000000);

	vmen_bucket_spend(&bucket, use_pj(100, NSEC_PER_SEC), START_NS);
	KUNIT_EXPECT_EQ(test, vmen_bucket_due_ns(&bucket, START_NS), START_NS + VMEN_MAX_DEBT_NS);
}

static void what_is_given_back_is_credit(struct kunit *test)
{
	struct vmen_bucket bucket = limited(WATT, 1000000);

	vmen_bucket_spend(&bucket, use_pj(1, 1000000), START_NS);
	vmen_bucket_spend(&bucket, -use_pj(1, 1000000), START_NS);
	expect_within(test, atomic64_read(&bucket.paid_ns), START_NS, 2);
	vmen_bucket_spend(&bucket, -use_pj(100, NSEC_PER_SEC), START_NS);
	KUNIT_EXPECT_EQ(test, atomic64_read(&bucket.paid_ns), START_NS - (s64)NSEC_PER_SEC);
}

static void debt_outlives_a_change(struct kunit *test)
{
	struct vmen_bucket bucket = limited(WATT, 1000000);

	vmen_bucket_spend(&bucket, use_pj(1, NSEC_PER_SEC), START_NS);
	vmen_bucket_set_limit(&bucket, 4 * WATT, START_NS);
	expect_within(test, vmen_bucket_due_ns(&bucket, START_NS), START_NS + NSEC_PER_SEC / 4,
		      1000);
	vmen_bucket_set_limit(&bucket, WATT / 2, START_NS);
	expect_within(test, vmen_bucket_due_ns(&bucket, START_NS), START_NS + 2 * NSEC_PER_SEC,
		      10000);
	vmen_bucket_set_limit(&bucket, VMEN_MIN_LIMIT_UW, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_bucket_due_ns(&bucket, START_NS), START_NS + VMEN_MAX_DEBT_NS);
	vmen_bucket_set_limit(&bucket, VMEN_NO_LIMIT_UW, START_NS);
	vmen_bucket_set_limit(&bucket, WATT, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_bucket_due_ns(&bucket, START_NS), 0);

	bucket = limited(VMEN_NO_LIMIT_UW - 1, 1000000);
	while (vmen_bucket_due_ns(&bucket, START_NS) < START_NS + VMEN_MAX_DEBT_NS)
		vmen_bucket_spend(&bucket, S64_MAX, START_NS);
	vmen_bucket_set_limit(&bucket, VMEN_MIN_LIMIT_UW, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_bucket_due_ns(&bucket, START_NS), START_NS + VMEN_MAX_DEBT_NS);
	vmen_bucket_set_limit(&bucket, VMEN_NO_LIMIT_UW - 1, START_NS);
	expect_within(test, vmen_bucket_due_ns(&bucket, START_NS), START_NS, 1000);
}

static void average_outlives_changes(struct kunit *test)
{
	struct vmen_bucket bucket = limited(WATT, 1000000);
	s64 now_ns = START_NS, wanted_pj = 0, spent_pj = 0;
	int i;

	for (i = 1; i <= 50; i++) {
		u64 limit_uw = (i % 7 + 1) * WATT;
		s64 begin_ns = now_ns;

		vmen_bucket_set_limit(&bucket, limit_uw, now_ns);
		spent_pj += spin_pj(&bucket, 10, &now_ns, 1);
		wanted_pj += mul_u64_u64_div_u64(now_ns - begin_ns, limit_uw, 1000);
	}
	expect_within(test, spent_pj, wanted_pj, use_pj(10, 2 * STEP_NS));
}

static void both_limits_hold(struct kunit *test)
{
	struct vmen_budget budget;

	vmen_budget_init(&budget);
	KUNIT_EXPECT_EQ(test, vmen_budget_limit_uw(&budget), VMEN_NO_LIMIT_UW);
	vmen_budget_set_limit(&budget, VMEN_LONG_TERM, 2 * WATT, START_NS);
	vmen_budget_set_limit(&budget, VMEN_SHORT_TERM, 3 * WATT, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_budget_limit_uw(&budget), 2 * WATT);
	vmen_budget_spend(&budget, use_pj(6, NSEC_PER_SEC), START_NS);
	expect_within(test, vmen_budget_due_ns(&budget, START_NS), START_NS + 3 * NSEC_PER_SEC,
		      10000);
	vmen_budget_set_limit(&budget, VMEN_LONG_TERM, VMEN_NO_LIMIT_UW, START_NS);
	expect_within(test, vmen_budget_due_ns(&budget, START_NS), START_NS + 2 * NSEC_PER_SEC,
		      10000);
}

static void disabled_limits_are_kept(struct kunit *test)
{
	struct vmen_budget budget;

	vmen_budget_init(&budget);
	vmen_budget_set_limit(&budget, VMEN_LONG_TERM, WATT, START_NS);
	vmen_budget_set_limit(&budget, VMEN_SHARE, 5 * WATT, START_NS);
	vmen_budget_enable(&budget, false, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_budget_limit_uw(&budget), 5 * WATT);
	KUNIT_EXPECT_EQ(test, budget.set_uw[VMEN_LONG_TERM], WATT);
	vmen_budget_enable(&budget, true, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_budget_limit_uw(&budget), WATT);
}

static void limits_are_clamped(struct kunit *test)
{
	struct vmen_budget budget;

	vmen_budget_init(&budget);
	vmen_budget_set_limit(&budget, VMEN_LONG_TERM, 0, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_budget_limit_uw(&budget), VMEN_MIN_LIMIT_UW);
	vmen_budget_set_limit(&budget, VMEN_LONG_TERM, U64_MAX, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_budget_limit_uw(&budget), VMEN_NO_LIMIT_UW);
}

static void allowance_is_used_up(struct kunit *test)
{
	struct vmen_budget budget;

	vmen_budget_init(&budget);
	vmen_budget_spend(&budget, S64_MAX, START_NS);
	KUNIT_EXPECT_FALSE(test, vmen_budget_is_bounded(&budget));
	vmen_budget_set_allowance(&budget, 1000);
	vmen_budget_spend(&budget, 999000, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_budget_due_ns(&budget, START_NS), 0);
	vmen_budget_spend(&budget, 1000, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_budget_due_ns(&budget, START_NS), VMEN_NEVER_NS);
}

static void share_is_not_due(struct kunit *test)
{
	struct vmen_budget budget;

	vmen_budget_init(&budget);
	vmen_budget_set_limit(&budget, VMEN_SHARE, WATT, START_NS);
	vmen_budget_spend(&budget, use_pj(1, NSEC_PER_SEC), START_NS);
	KUNIT_EXPECT_EQ(test, vmen_budget_due_ns(&budget, START_NS), 0);
	KUNIT_EXPECT_GT(test, vmen_bucket_due_ns(&budget.bucket[VMEN_SHARE], START_NS), START_NS);
}

static void credit_is_that_of_the_tightest(struct kunit *test)
{
	struct vmen_budget budget;
	s64 now_ns = START_NS;

	vmen_budget_init(&budget);
	KUNIT_EXPECT_EQ(test, vmen_budget_credit_ns(&budget, now_ns), S64_MAX);
	vmen_budget_set_limit(&budget, VMEN_LONG_TERM, WATT, now_ns);
	vmen_budget_set_limit(&budget, VMEN_SHORT_TERM, 2 * WATT, now_ns);
	now_ns += 50 * NSEC_PER_MSEC;
	KUNIT_EXPECT_EQ(test, vmen_budget_credit_ns(&budget, now_ns), 50 * NSEC_PER_MSEC);
	now_ns += NSEC_PER_SEC;
	/* Its window, 0.1 s, is all that the short one keeps. */
	KUNIT_EXPECT_EQ(test, vmen_budget_credit_ns(&budget, now_ns), 100 * NSEC_PER_MSEC);
	vmen_budget_spend(&budget, use_pj(2, NSEC_PER_SEC), now_ns);
	KUNIT_EXPECT_LT(test, vmen_budget_credit_ns(&budget, now_ns), 0);
}

static void forgiven_debts_are_no_credit(struct kunit *test)
{
	struct vmen_bucket bucket = limited(WATT, 1000000);

	vmen_bucket_spend(&bucket, use_pj(1, NSEC_PER_SEC), START_NS);
	vmen_bucket_forgive(&bucket, START_NS);
	KUNIT_EXPECT_EQ(test, vmen_bucket_credit_ns(&bucket, START_NS), 0);
	vmen_bucket_forgive(&bucket, START_NS + 1000);
	KUNIT_EXPECT_EQ(test, vmen_bucket_credit_ns(&bucket, START_NS + 1000), 1000);
}

static struct kunit_case vmen_budget_cases[] = {
	KUNIT_CASE(spinner_gets_the_limit),
	KUNIT_CASE(nothing_is_owed_without_a_limit),
	KUNIT_CASE(credit_is_a_window_deep),
	KUNIT_CASE(debt_is_bounded),
	KUNIT_CASE(what_is_given_back_is_credit),
	KUNIT_CASE(debt_outlives_a_change),
	KUNIT_CASE(average_outlives_changes),
	KUNIT_CASE(both_limits_hold),
	KUNIT_CASE(disabled_limits_are_kept),
	KUNIT_CASE(limits_are_clamped),
	KUNIT_CASE(allowance_is_used_up),
	KUNIT_CASE(share_is_not_due),
	KUNIT_CASE(credit_is_that_of_the_tightest),
	KUNIT_CASE(forgiven_debts_are_no_credit),
	{}
};

static struct kunit_suite vmen_budget_suite = {
	.name = "vmenergy-budget",
	.test_cases = vmen_budget_cases,
};

kunit_test_suite(vmen_budget_suite);
