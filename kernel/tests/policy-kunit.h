/* SPDX-License-Identifier: GPL-2.0 */
#include <kunit/test.h>
#include <linux/random.h>

#define MAX_CLAIMS	64

static u64 sum_shares(const struct vmen_claim *claims, unsigned int nr)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < nr; i++)
		sum += claims[i].share_uw;
	return sum;
}

static void unmet_demands_share_by_weight(struct kunit *test)
{
	struct vmen_claim claims[] = {
		{ .weight = 1, .demand_uw = U64_MAX },
		{ .weight = 3, .demand_uw = U64_MAX },
	};

	share_max_min(20000000, claims, 2);
	KUNIT_EXPECT_EQ(test, claims[0].share_uw, 5000000ULL);
	KUNIT_EXPECT_EQ(test, claims[1].share_uw, 15000000ULL);
}

static void what_one_leaves_others_get(struct kunit *test)
{
	struct vmen_claim claims[] = {
		{ .weight = 100, .demand_uw = 1000 },
		{ .weight = 100, .demand_uw = U64_MAX },
		{ .weight = 200, .demand_uw = U64_MAX },
		{ .weight = 100, .demand_uw = 100000 },
	};

	/* 1000 and then 100000 are below the fair part of what is left. */
	share_max_min(701000, claims, 4);
	KUNIT_EXPECT_EQ(test, claims[0].share_uw, 1000ULL);
	KUNIT_EXPECT_EQ(test, claims[1].share_uw, 200000ULL);
	KUNIT_EXPECT_EQ(test, claims[2].share_uw, 400000ULL);
	KUNIT_EXPECT_EQ(test, claims[3].share_uw, 100000ULL);
}

static void what_all_leave_is_headroom(struct kunit *test)
{
	struct vmen_claim claims[] = {
		{ .weight = 100, .demand_uw = 1000 },
		{ .weight = 300, .demand_uw = 0 },
	};

	share_max_min(401000, claims, 2);
	KUNIT_EXPECT_EQ(test, claims[0].share_uw, 101000ULL);
	KUNIT_EXPECT_EQ(test, claims[1].share_uw, 300000ULL);
}

static void static_shares_ignore_demands(struct kunit *test)
{
	struct vmen_claim claims[] = {
		{ .weight = 100, .demand_uw = 0 },
		{ .weight = 300, .demand_uw = U64_MAX },
	};

	add_by_weight(400, claims, 2);
	KUNIT_EXPECT_EQ(test, claims[0].share_uw, 100ULL);
	KUNIT_EXPECT_EQ(test, claims[1].share_uw, 300ULL);
}

static void shares_are_cut_to_the_limit(struct kunit *test)
{
	struct vmen_claim claims[] = {
		{ .share_uw = 300 }, { .share_uw = U64_MAX }, { .share_uw = 5 },
	};

	cut(1000, claims, 3);
	KUNIT_EXPECT_EQ(test, sum_shares(claims, 3), 1000ULL);
	KUNIT_EXPECT_EQ(test, claims[0].share_uw, 300ULL);
}

static u64 draw(struct rnd_state *random, u64 bound)
{
	u64 number = (u64)prandom_u32_state(random) << 32 | prandom_u32_state(random);

	return mul_u64_u64_shr(number, bound, 64);
}

/* Of two whose demands are not met, none has more for its weight than the other. */
static void expect_fair(struct kunit *test, const struct vmen_claim *claims, unsigned int nr)
{
	u64 least = U64_MAX, most = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		u64 level = div64_u64(claims[i].share_uw, claims[i].weight);

		if (claims[i].share_uw < claims[i].demand_uw)
			least = min(least, level);
		else if (claims[i].share_uw > claims[i].demand_uw)
			continue;
		most = max(most, level);
	}
	/* Rounding down leaves the last one up to a microwatt of each before it. */
	if (least != U64_MAX)
		KUNIT_EXPECT_LE(test, most, least + nr + 1);
}

static void random_shares_are_fair_and_whole(struct kunit *test)
{
	struct vmen_claim claims[MAX_CLAIMS];
	struct rnd_state random;
	int round;

	prandom_seed_state(&random, 1);
	for (round = 0; round < 2000; round++) {
		unsigned int i, nr = 1 + draw(&random, MAX_CLAIMS);
		u64 limit_uw = draw(&random, round % 2 ? 1000000000000ULL : 1000);

		for (i = 0; i < nr; i++)
			claims[i] = (struct vmen_claim){
				.weight = 1 + draw(&random, 10000),
				.demand_uw = draw(&random, 4) ? draw(&random, limit_uw / nr * 4 + 1)
							      : U64_MAX,
			};
		share_max_min(limit_uw, claims, nr);
		KUNIT_ASSERT_EQ(test, sum_shares(claims, nr), limit_uw);
		expect_fair(test, claims, nr);
	}
}

static void extremes_are_shared(struct kunit *test)
{
	struct vmen_claim claims[MAX_CLAIMS];
	unsigned int i;

	for (i = 0; i < MAX_CLAIMS; i++)
		claims[i] = (struct vmen_claim){ .weight = i ? 1 : U32_MAX, .demand_uw = U64_MAX };
	share_max_min(0, claims, MAX_CLAIMS);
	KUNIT_EXPECT_EQ(test, sum_shares(claims, MAX_CLAIMS), 0ULL);
	share_max_min(U64_MAX - 1, claims, MAX_CLAIMS);
	KUNIT_EXPECT_EQ(test, sum_shares(claims, MAX_CLAIMS), U64_MAX - 1);
	share_max_min(1, claims, 1);
	KUNIT_EXPECT_EQ(test, claims[0].share_uw, 1ULL);
}

static struct kunit_case vmen_policy_cases[] = {
	KUNIT_CASE(unmet_demands_share_by_weight),
	KUNIT_CASE(what_one_leaves_others_get),
	KUNIT_CASE(what_all_leave_is_headroom),
	KUNIT_CASE(static_shares_ignore_demands),
	KUNIT_CASE(shares_are_cut_to_the_limit),
	KUNIT_CASE(random_shares_are_fair_and_whole),
	KUNIT_CASE(extremes_are_shared),
	{}
};

static struct kunit_suite vmen_policy_suite = {
	.name = "vmenergy-policy",
	.test_cases = vmen_policy_cases,
};

kunit_test_suite(vmen_policy_suite);
