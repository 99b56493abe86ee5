/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of the energy arithmetic, of meters and of counters that wrap
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

static void energies_sum_up(struct kunit *test)
{
	const struct vmen_energy a = { .uj = 1, .pj = 600000 }, b = { .uj = 2, .pj = 500000 };
	struct vmen_energy sum = vmen_energy_sum(a, b);

	KUNIT_EXPECT_EQ(test, sum.uj, 4ULL);
	KUNIT_EXPECT_EQ(test, sum.pj, 100000U);
}

static void share_is_exact_for_the_whole(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, vmen_scale_pj(U64_MAX, 1, 1), U64_MAX);
	KUNIT_EXPECT_EQ(test, vmen_scale_pj(U64_MAX, U64_MAX, U64_MAX), U64_MAX);
	KUNIT_EXPECT_EQ(test, vmen_scale_pj(0, 5, 5), 0ULL);
	KUNIT_EXPECT_EQ(test, vmen_scale_pj(5, 0, 0), 5ULL);
	KUNIT_EXPECT_EQ(test, vmen_scale_pj(5, 7, 5), 7ULL);
}

static void share_rounds_down(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, vmen_scale_pj(10, 1, 3), 3ULL);
	KUNIT_EXPECT_EQ(test, vmen_scale_pj(10, 2, 3), 6ULL);
	KUNIT_EXPECT_EQ(test, vmen_scale_pj(1, U64_MAX - 1, U64_MAX), 0ULL);
	KUNIT_EXPECT_EQ(test, vmen_scale_pj(U64_MAX, 0, 3), 0ULL);
}

static void share_does_not_overflow(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, vmen_scale_pj(U64_MAX, U64_MAX / 2, U64_MAX), U64_MAX / 2);
	KUNIT_EXPECT_EQ(test, vmen_scale_pj(1ULL << 62, 1ULL << 61, 1ULL << 62), 1ULL << 61);
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
			rest -= vmen_scale_pj(amounts[a], parts[p], whole);
		KUNIT_EXPECT_LT(test, rest, (u64)ARRAY_SIZE(parts));
	}
}

static void charge_is_time_times_power(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, vmen_charge_pj(0, 1000000), 0ULL);
	KUNIT_EXPECT_EQ(test, vmen_charge_pj(1, 1), 1ULL);
	/* A tick at 10 W is 40 mJ, an hour at 1 kW is 3.6 MJ. */
	KUNIT_EXPECT_EQ(test, vmen_charge_pj(4000000, 10000), 40000ULL * VMEN_PJ_PER_UJ);
	KUNIT_EXPECT_EQ(test, vmen_charge_pj(3600ULL * NSEC_PER_SEC, 1000000),
			3600000000000ULL * VMEN_PJ_PER_UJ);
	/* Counters wrap, and so does what is added to them. */
	KUNIT_EXPECT_EQ(test, vmen_charge_pj(-1ULL, 10), -10ULL);
}

static struct vmen_domain *machine_create(struct kunit *test)
{
	struct vmen_domain *machine = kunit_kzalloc(test, sizeof(*machine), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, machine);
	INIT_LIST_HEAD(&machine->children);
	return machine;
}

static void increase_borrows(struct kunit *test)
{
	const struct vmen_energy last = { .uj = 3, .pj = 999999 };
	const struct vmen_energy now = { .uj = 5, .pj = 1 };
	const struct vmen_energy less = { .uj = 5 };

	KUNIT_EXPECT_EQ(test, vmen_energy_pj(vmen_energy_increase(last, now)),
			VMEN_PJ_PER_UJ + 2ULL);
	KUNIT_EXPECT_EQ(test, vmen_energy_pj(vmen_energy_increase(now, last)), 0ULL);
	KUNIT_EXPECT_EQ(test, vmen_energy_pj(vmen_energy_increase(now, less)), 0ULL);
}

static void meter_counts_by_cause(struct kunit *test)
{
	const struct vmen_used last = { .active.uj = 10, .base.uj = 20 };
	const struct vmen_used now = { .active.uj = 11, .base.uj = 23 };
	struct vmen_domain *machine = machine_create(test);
	struct vmen_step step = {};

	measure(&step, machine, VMEN_CPU, &last, &now);
	KUNIT_EXPECT_EQ(test, step.metered_pj, 1ULL * VMEN_PJ_PER_UJ);
	KUNIT_EXPECT_EQ(test, step.base_pj, 3ULL * VMEN_PJ_PER_UJ);
}

static void meter_that_jumps_is_nobodys_work(struct kunit *test)
{
	const u64 jump_uj = VMEN_STEP_MAX_PJ / VMEN_PJ_PER_UJ;
	const struct vmen_used last = {};
	struct vmen_domain *machine = machine_create(test);
	struct vmen_step step = {};

	measure(&step, machine, VMEN_CPU, &last, &(struct vmen_used){ .active.uj = jump_uj });
	KUNIT_EXPECT_EQ(test, step.metered_pj, 0ULL);
	KUNIT_EXPECT_EQ(test, machine->account.own[VMEN_CPU].active.uj, jump_uj);
	measure(&step, machine, VMEN_CPU, &last, &(struct vmen_used){ .active.uj = jump_uj - 1 });
	KUNIT_EXPECT_EQ(test, step.metered_pj, (jump_uj - 1) * VMEN_PJ_PER_UJ);
	KUNIT_EXPECT_EQ(test, machine->account.own[VMEN_CPU].active.uj, jump_uj);
}

static void adoption_never_takes_energy_away(struct kunit *test)
{
	struct vmen_domain *machine = machine_create(test);
	struct vmen_used *total = machine->account.total;

	adopt(machine, (struct vmen_used[]){ [VMEN_CPU].active.uj = 100, [VMEN_DISK].base.uj = 5 });
	KUNIT_EXPECT_EQ(test, total[VMEN_CPU].active.uj, 100ULL);
	KUNIT_EXPECT_EQ(test, total[VMEN_DISK].base.uj, 5ULL);
	adopt(machine, (struct vmen_used[]){ [VMEN_CPU].active.uj = 40, [VMEN_DISK].base.uj = 6 });
	KUNIT_EXPECT_EQ(test, total[VMEN_CPU].active.uj, 100ULL);
	KUNIT_EXPECT_EQ(test, total[VMEN_DISK].base.uj, 6ULL);
}

#define MANY_CPUS	500
#define MANY_CPUS_MW	20000
#define HOURS		10

/* The work of 500 CPUs on the counters of those that there are: they wrap often. */
static void counters_wrap_unnoticed(struct kunit *test)
{
	const u64 interval_pj = vmen_charge_pj(NSEC_PER_SEC, MANY_CPUS_MW) * MANY_CPUS + 7;
	const unsigned int intervals = HOURS * 3600;
	struct vmen_domain *machine = machine_create(test);
	struct vmen_account *account = &machine->account;
	struct vmen_pool pool = {};
	struct vmen_energy expected = {};
	unsigned int i;

	KUNIT_ASSERT_EQ(test, vmen_account_init(account), 0);
	for (i = 0; i < intervals; i++) {
		int cpu = cpumask_nth(i % num_possible_cpus(), cpu_possible_mask);
		struct vmen_step step = { .ns = NSEC_PER_SEC, .filter_ns = NSEC_PER_SEC };

		per_cpu_ptr(account->cpu, cpu)->cpu_pj += interval_pj;
		step.estimate_pj = vmen_account_fold(account, step.ns, step.filter_ns);
		step.metered_pj = step.estimate_pj;
		vmen_settle(machine, VMEN_CPU, &pool, &step);
		vmen_energy_add(&expected, 0, interval_pj);
	}
	vmen_account_free(account);
	/* 10 kW for ten hours are 360 MJ. */
	KUNIT_EXPECT_EQ(test, expected.uj, 360000000000000ULL);
	KUNIT_EXPECT_EQ(test, expected.pj, 252000U);
	KUNIT_EXPECT_EQ(test, account->own[VMEN_CPU].active.uj, expected.uj);
	KUNIT_EXPECT_EQ(test, account->own[VMEN_CPU].active.pj, expected.pj);
	KUNIT_EXPECT_EQ(test, pool.unshared_pj, 0ULL);
}

static struct kunit_case vmen_account_cases[] = {
	KUNIT_CASE(energy_add_carries),
	KUNIT_CASE(energy_add_takes_any_charge),
	KUNIT_CASE(energy_add_rounds_nothing),
	KUNIT_CASE(energies_sum_up),
	KUNIT_CASE(share_is_exact_for_the_whole),
	KUNIT_CASE(share_rounds_down),
	KUNIT_CASE(share_does_not_overflow),
	KUNIT_CASE(shares_never_exceed_the_amount),
	KUNIT_CASE(charge_is_time_times_power),
	KUNIT_CASE(increase_borrows),
	KUNIT_CASE(meter_counts_by_cause),
	KUNIT_CASE(meter_that_jumps_is_nobodys_work),
	KUNIT_CASE(adoption_never_takes_energy_away),
	KUNIT_CASE(counters_wrap_unnoticed),
	{}
};

static struct kunit_suite vmen_account_suite = {
	.name = "vmenergy-account",
	.test_cases = vmen_account_cases,
};

kunit_test_suite(vmen_account_suite);
