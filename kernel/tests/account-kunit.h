/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of the energy arithmetic
 */
#include <kunit/test.h>

static void energy_add_carries(struct kunit *test)
{
	struct vmen_energy energy = {};

	vmen_energy_add(&energy, 0, VMEN_PJ_PER_UJ - 1);
	KUNIT_EXPECT_EQ(test, energy.uj, 0ULL);
	KUNIT_EXPECT_EQ(test, energy.pj, VMEN_PJ_PER_UJ - 1);
	vmen_energy_add(&energy, 0, 1);
	KUNIT_EXPECT_EQ(test, energy.uj, 1ULL);
	KUNIT_EXPECT_EQ(test, energy.pj, 0U);
	vmen_energy_add(&energy, 7, 2 * VMEN_PJ_PER_UJ - 1);
	KUNIT_EXPECT_EQ(test, energy.uj, 9ULL);
	KUNIT_EXPECT_EQ(test, energy.pj, VMEN_PJ_PER_UJ - 1);
}

static void energy_add_takes_any_charge(struct kunit *test)
{
	struct vmen_energy energy = { .pj = VMEN_PJ_PER_UJ - 1 };

	/* 2^64 - 1 pJ and 999999 pJ are 18446744073710551614 pJ + 0 */
	vmen_energy_add(&energy, 0, U64_MAX);
	KUNIT_EXPECT_EQ(test, energy.uj, 18446744073710ULL);
	KUNIT_EXPECT_EQ(test, energy.pj, 551614U);
	vmen_energy_add(&energy, 0, 0);
	KUNIT_EXPECT_EQ(test, energy.uj, 18446744073710ULL);
	KUNIT_EXPECT_EQ(test, energy.pj, 551614U);
}

/* A year at 500 W in charges of an odd size is exactly what it is at once. */
static void energy_add_rounds_nothing(struct kunit *test)
{
	const u64 charge_pj = 15768000000000001ULL;
	struct vmen_energy energy = {};
	int i;

	for (i = 0; i < 1000000; i++)
		vmen_energy_add(&energy, 0, charge_pj);
	KUNIT_EXPECT_EQ(test, energy.uj, charge_pj);
	KUNIT_EXPECT_EQ(test, energy.pj, 0U);
}

static void energy_sums_up_components(struct kunit *test)
{
	const struct vmen_energy energy[VMEN_NR_COMPONENTS] = {
		[VMEN_CPU] = { .uj = 1, .pj = 600000 },
		[VMEN_DISK] = { .uj = 2, .pj = 500000 },
	};
	struct vmen_energy sum = vmen_energy_sum(energy);

	KUNIT_EXPECT_EQ(test, sum.uj, 4ULL);
	KUNIT_EXPECT_EQ(test, sum.pj, 100000U);
}

static void share_is_exact_for_the_whole(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, vmen_share_pj(U64_MAX, 1, 1), U64_MAX);
	KUNIT_EXPECT_EQ(test, vmen_share_pj(U64_MAX, U64_MAX, U64_MAX), U64_MAX);
	KUNIT_EXPECT_EQ(test, vmen_share_pj(0, 5, 5), 0ULL);
	KUNIT_EXPECT_EQ(test, vmen_share_pj(5, 0, 0), 5ULL);
}

static void share_rounds_down(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, vmen_share_pj(10, 1, 3), 3ULL);
	KUNIT_EXPECT_EQ(test, vmen_share_pj(10, 2, 3), 6ULL);
	KUNIT_EXPECT_EQ(test, vmen_share_pj(1, U64_MAX - 1, U64_MAX), 0ULL);
	KUNIT_EXPECT_EQ(test, vmen_share_pj(U64_MAX, 0, 3), 0ULL);
}

static void share_does_not_overflow(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, vmen_share_pj(U64_MAX, U64_MAX / 2, U64_MAX), U64_MAX / 2);
	KUNIT_EXPECT_EQ(test, vmen_share_pj(1ULL << 62, 1ULL << 61, 1ULL << 62), 1ULL << 61);
}

/* Shares of any amount among any parts leave a rest of less than a pJ each. */
static void shares_never_exceed_the_amount(struct kunit *test)
{
	static const u64 parts[] = { 1, 7, 1000003, 1ULL << 40, 12345678901234567ULL };
	static const u64 amounts[] = { 0, 1, 99, 1ULL << 33, 9ULL << 60 };
	u64 whole = 0;
	int a, p;

	for (p = 0; p < ARRAY_SIZE(parts); p++)
		whole += parts[p];
	for (a = 0; a < ARRAY_SIZE(amounts); a++) {
		u64 rest = amounts[a];

		for (p = 0; p < ARRAY_SIZE(parts); p++)
			rest -= vmen_share_pj(amounts[a], parts[p], whole);
		KUNIT_EXPECT_LT(test, rest, (u64)ARRAY_SIZE(parts));
	}
}

static struct kunit_case vmen_account_cases[] = {
	KUNIT_CASE(energy_add_carries),
	KUNIT_CASE(energy_add_takes_any_charge),
	KUNIT_CASE(energy_add_rounds_nothing),
	KUNIT_CASE(energy_sums_up_components),
	KUNIT_CASE(share_is_exact_for_the_whole),
	KUNIT_CASE(share_rounds_down),
	KUNIT_CASE(share_does_not_overflow),
	KUNIT_CASE(shares_never_exceed_the_amount),
	{}
};

static struct kunit_suite vmen_account_suite = {
	.name = "vmenergy-account",
	.test_cases = vmen_account_cases,
};

kunit_test_suite(vmen_account_suite);
