/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of energy counters: how they are written, and what they count
 */
#include <kunit/test.h>

#define RAPL_SCALE	"2.3283064365386962890625e-10"
#define STEP_NS		100000000ULL

static int parse_one(struct vmen_gauge_spec *spec, const char *text)
{
	struct vmen_gauge_spec specs[VMEN_MAX_GAUGE_SPECS];
	int nr = vmen_gauge_parse(specs, text);

	*spec = specs[0];
	return nr;
}

static void parse_takes_perfs_scales(struct kunit *test)
{
	struct vmen_gauge_spec spec;

	KUNIT_ASSERT_EQ(test, parse_one(&spec, "23:0x2:" RAPL_SCALE "\n"), 1);
	KUNIT_EXPECT_EQ(test, spec.type, 23U);
	KUNIT_EXPECT_EQ(test, spec.config, 2ULL);
	KUNIT_EXPECT_EQ(test, spec.cpu, VMEN_GAUGE_EACH_PACKAGE);
	KUNIT_EXPECT_EQ(test, spec.numerator, 232830643653869628ULL);
	KUNIT_EXPECT_EQ(test, spec.denominator, 1000000000000000ULL);
	KUNIT_ASSERT_EQ(test, parse_one(&spec, "1:1:6.103515625e-05@7"), 1);
	KUNIT_EXPECT_EQ(test, spec.cpu, 7);
	KUNIT_EXPECT_EQ(test, spec.numerator, 6103515625ULL);
	KUNIT_EXPECT_EQ(test, spec.denominator, 100ULL);
}

static void parse_takes_any_decimal(struct kunit *test)
{
	static const struct {
		const char *text;
		u64 pj;
	} cases[] = {
		{ "1:1:1", 1000000000000ULL },
		{ "1:1:1.0", 1000000000000ULL },
		{ "1:1:0.001", 1000000000ULL },
		{ "1:1:1e-6", 1000000ULL },
		{ "1:1:0.000000000001", 1ULL },
		{ "1:1:1000E-15", 1ULL },
		{ "1:1:0000000000000000000001e-12", 1ULL },
	};
	struct vmen_gauge_spec spec;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		KUNIT_ASSERT_EQ_MSG(test, parse_one(&spec, cases[i].text), 1, "%s", cases[i].text);
		KUNIT_EXPECT_EQ_MSG(test, spec.numerator, cases[i].pj * spec.denominator, "%s",
				    cases[i].text);
	}
}

static void parse_refuses_the_malformed(struct kunit *test)
{
	static const char * const texts[] = {
		"1", "1:1", "1:1:", ":1:1", "1::1", "1:1:1@", "1:1:1@-1", "1:1:1@x", "1:1:1@0@0",
		"1:1:1,", ",1:1:1", "1:1:-1", "1:1:.5", "1:1:5.", "1:1:1e", "1:1:1e-", "1:1:1.0.0",
		"1:1:x", "1:1:0", "1:1:0.0e5", "1:1:1.1", "1:1:2", "1:1:10", "1:1:9e-13",
		"1:1:1e-99",
		"1:1:1e99", "1:1:1e100", "1:1:1e-100", "4294967296:1:1", "1:-1:1", "1:1:1 ",
		"1:1:1\n1:1:1", "power/energy-pkg/",
	};
	struct vmen_gauge_spec spec;
	int i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		KUNIT_EXPECT_EQ_MSG(test, parse_one(&spec, texts[i]), -EINVAL, "%s", texts[i]);
}

static void parse_counts(struct kunit *test)
{
	const char *nine = "1:1:1,1:1:1,1:1:1,1:1:1,1:1:1,1:1:1,1:1:1,1:1:1,1:1:1";
	const char *eight = nine + strlen("1:1:1,");
	struct vmen_gauge_spec specs[VMEN_MAX_GAUGE_SPECS];

	KUNIT_EXPECT_EQ(test, vmen_gauge_parse(specs, ""), 0);
	KUNIT_EXPECT_EQ(test, vmen_gauge_parse(specs, "\n"), 0);
	KUNIT_EXPECT_EQ(test, vmen_gauge_parse(specs, "1:1:1,2:2:1@3,4:4:1"), 3);
	KUNIT_EXPECT_EQ(test, specs[1].cpu, 3);
	KUNIT_EXPECT_EQ(test, specs[2].type, 4U);
	KUNIT_EXPECT_EQ(test, vmen_gauge_parse(specs, eight), VMEN_MAX_GAUGE_SPECS);
	KUNIT_EXPECT_EQ(test, vmen_gauge_parse(specs, nine), -E2BIG);
}

static struct vmen_gauge rapl(struct kunit *test, u64 count)
{
	struct vmen_gauge gauge = {};

	KUNIT_ASSERT_EQ(test, parse_one(&gauge.spec, "1:1:" RAPL_SCALE), 1);
	vmen_gauge_start(&gauge, count, 0);
	return gauge;
}

/* Ten hours at 300 W, in steps of any size, to the picojoule. */
static void counts_lose_nothing(struct kunit *test)
{
	struct vmen_gauge gauge = rapl(test, 17);
	const u64 counts = 128849018880ULL + 12345;
	u64 state = 1, count = 17, now_ns = 0, uj = 0, pj = 0, all;
	int i;

	for (i = 0; i < 360000; i++) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		now_ns += STEP_NS;
		count += counts + (state >> 40);
		KUNIT_ASSERT_EQ(test, vmen_gauge_update(&gauge, count, now_ns), 0);
		pj += vmen_gauge_take_pj(&gauge);
		uj += pj / VMEN_PJ_PER_UJ;
		pj %= VMEN_PJ_PER_UJ;
	}
	/* 2^32 counts are 1 J, but for the last digits of the scale: 4 * 10^-18 of it. */
	all = mul_u64_u64_div_u64(count - 17, 1000000, 1ULL << 32);
	KUNIT_EXPECT_EQ(test, uj, all);
}

static void counter_may_wrap(struct kunit *test)
{
	struct vmen_gauge gauge = rapl(test, U64_MAX - 4294967295);

	KUNIT_EXPECT_EQ(test, vmen_gauge_update(&gauge, 4294967296, STEP_NS), 0);
	/* 2 J less the last digits of the scale */
	KUNIT_EXPECT_EQ(test, vmen_gauge_take_pj(&gauge), 1999999999999ULL);
	KUNIT_EXPECT_EQ(test, vmen_gauge_update(&gauge, 4294967297, 2 * STEP_NS), 0);
	KUNIT_EXPECT_EQ(test, vmen_gauge_take_pj(&gauge), 233ULL);
}

static void jumps_are_no_energy(struct kunit *test)
{
	struct vmen_gauge gauge = rapl(test, 1ULL << 40);

	KUNIT_EXPECT_EQ(test, vmen_gauge_update(&gauge, (1ULL << 40) - 1, STEP_NS), -ERANGE);
	KUNIT_EXPECT_FALSE(test, gauge.moved);
	KUNIT_EXPECT_EQ(test, vmen_gauge_update(&gauge, 1ULL << 40, 2 * STEP_NS), 0);
	KUNIT_EXPECT_EQ(test, vmen_gauge_take_pj(&gauge), 232ULL);
	/* 16 kJ in 0.1 s */
	KUNIT_EXPECT_EQ(test, vmen_gauge_update(&gauge, 1ULL << 46, 3 * STEP_NS), -ERANGE);
	KUNIT_EXPECT_EQ(test, vmen_gauge_take_pj(&gauge), 0ULL);
	KUNIT_EXPECT_EQ(test, vmen_gauge_update(&gauge, (1ULL << 46) + 1000, 4 * STEP_NS), 0);
	KUNIT_EXPECT_EQ(test, vmen_gauge_take_pj(&gauge), 232830ULL);
}

static void standing_still_is_noticed(struct kunit *test)
{
	struct vmen_gauge gauge = rapl(test, 5);
	u64 now_ns;

	for (now_ns = STEP_NS; now_ns <= VMEN_GAUGE_STILL_NS; now_ns += STEP_NS)
		KUNIT_EXPECT_EQ(test, vmen_gauge_update(&gauge, 5, now_ns), 0);
	KUNIT_EXPECT_EQ(test, vmen_gauge_update(&gauge, 5, now_ns), -ESTALE);
	/* The model has made up for what it says now. */
	now_ns += STEP_NS;
	KUNIT_EXPECT_EQ(test, vmen_gauge_update(&gauge, 5000, now_ns), -ESTALE);
	KUNIT_EXPECT_EQ(test, vmen_gauge_take_pj(&gauge), 0ULL);
	now_ns += STEP_NS;
	KUNIT_EXPECT_EQ(test, vmen_gauge_update(&gauge, 6000, now_ns), 0);
	KUNIT_EXPECT_EQ(test, vmen_gauge_take_pj(&gauge), 232830ULL);
}

static void nobody_looking_is_not_standing_still(struct kunit *test)
{
	struct vmen_gauge gauge = rapl(test, 5);

	KUNIT_EXPECT_EQ(test, vmen_gauge_update(&gauge, 1005, 9 * VMEN_GAUGE_STILL_NS), 0);
	KUNIT_EXPECT_EQ(test, vmen_gauge_take_pj(&gauge), 232830ULL);
}

static struct kunit_case vmen_gauge_cases[] = {
	KUNIT_CASE(parse_takes_perfs_scales),
	KUNIT_CASE(parse_takes_any_decimal),
	KUNIT_CASE(parse_refuses_the_malformed),
	KUNIT_CASE(parse_counts),
	KUNIT_CASE(counts_lose_nothing),
	KUNIT_CASE(counter_may_wrap),
	KUNIT_CASE(jumps_are_no_energy),
	KUNIT_CASE(standing_still_is_noticed),
	KUNIT_CASE(nobody_looking_is_not_standing_still),
	{}
};

static struct kunit_suite vmen_gauge_suite = {
	.name = "vmenergy-gauge",
	.test_cases = vmen_gauge_cases,
};

kunit_test_suite(vmen_gauge_suite);
