/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of the energy arithmetic and of settlements
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

/**
 * struct tree - a machine with a cgroup, a process in it and a VM
 * @machine: the root
 * @cgroup: below it
 * @process: below @cgroup
 * @vm: below @machine
 */
struct tree {
	struct vmen_domain machine, cgroup, process, vm;
};

static void tree_add(struct vmen_domain *domain, struct vmen_domain *parent)
{
	INIT_LIST_HEAD(&domain->children);
	domain->parent = parent;
	if (parent)
		list_add_tail(&domain->sibling, &parent->children);
}

static struct tree *tree_create(struct kunit *test)
{
	struct tree *tree = kunit_kzalloc(test, sizeof(*tree), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, tree);
	tree_add(&tree->machine, NULL);
	tree_add(&tree->cgroup, &tree->machine);
	tree_add(&tree->process, &tree->cgroup);
	tree_add(&tree->vm, &tree->machine);
	return tree;
}

static u64 pj(const struct vmen_energy *energy)
{
	return energy->uj * VMEN_PJ_PER_UJ + energy->pj;
}

static u64 own_pj(const struct vmen_domain *domain)
{
	return pj(&domain->account.own[VMEN_CPU]);
}

static u64 total_pj(const struct vmen_domain *domain)
{
	return pj(&domain->account.total[VMEN_CPU]);
}

static void walk_visits_parents_first(struct kunit *test)
{
	struct tree *tree = tree_create(test);
	struct vmen_domain *whole[] = { &tree->machine, &tree->cgroup, &tree->process, &tree->vm };
	struct vmen_domain *part[] = { &tree->cgroup, &tree->process };
	struct vmen_domain *domain;
	int n = 0;

	vmen_for_each_domain(domain, &tree->machine) {
		KUNIT_ASSERT_LT(test, n, (int)ARRAY_SIZE(whole));
		KUNIT_EXPECT_PTR_EQ(test, domain, whole[n++]);
	}
	KUNIT_EXPECT_EQ(test, n, (int)ARRAY_SIZE(whole));
	n = 0;
	vmen_for_each_domain(domain, &tree->cgroup) {
		KUNIT_ASSERT_LT(test, n, (int)ARRAY_SIZE(part));
		KUNIT_EXPECT_PTR_EQ(test, domain, part[n++]);
	}
	KUNIT_EXPECT_EQ(test, n, (int)ARRAY_SIZE(part));
	n = 0;
	vmen_for_each_domain(domain, &tree->vm)
		n++;
	KUNIT_EXPECT_EQ(test, n, 1);
}

static void settlement_adds_up_the_tree(struct kunit *test)
{
	struct tree *tree = tree_create(test);

	tree->process.account.pending_pj[VMEN_CPU] = 3;
	tree->vm.account.pending_pj[VMEN_CPU] = 4;
	settle(&tree->machine, VMEN_CPU, 7, 7);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->process), 3ULL);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->vm), 4ULL);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->cgroup), 0ULL);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->machine), 0ULL);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->cgroup), 3ULL);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->machine), 7ULL);
	KUNIT_EXPECT_EQ(test, tree->vm.account.pending_pj[VMEN_CPU], 0ULL);
	/* Nothing is pending now, so all of what comes is the machine's own. */
	settle(&tree->machine, VMEN_CPU, 0, 5);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->machine), 5ULL);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->machine), 12ULL);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->cgroup), 3ULL);
}

static void rounding_is_the_machines(struct kunit *test)
{
	struct tree *tree = tree_create(test);

	tree->process.account.pending_pj[VMEN_CPU] = 1;
	tree->cgroup.account.pending_pj[VMEN_CPU] = 1;
	tree->vm.account.pending_pj[VMEN_CPU] = 1;
	settle(&tree->machine, VMEN_CPU, 3, 100);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->process), 33ULL);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->vm), 33ULL);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->cgroup), 66ULL);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->machine), 1ULL);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->machine), 100ULL);
}

static void meter_scales_what_is_pending(struct kunit *test)
{
	struct tree *tree = tree_create(test);

	tree->process.account.pending_pj[VMEN_CPU] = 1000;
	tree->vm.account.pending_pj[VMEN_CPU] = 3000;
	settle_by_meter(&tree->machine, VMEN_CPU, 4000, 10, 18);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->process), 2ULL * VMEN_PJ_PER_UJ);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->vm), 6ULL * VMEN_PJ_PER_UJ);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->machine), 8ULL * VMEN_PJ_PER_UJ);
}

static void meter_that_has_not_moved_settles_nothing(struct kunit *test)
{
	struct tree *tree = tree_create(test);

	tree->vm.account.pending_pj[VMEN_CPU] = 3000;
	settle_by_meter(&tree->machine, VMEN_CPU, 3000, 10, 10);
	settle_by_meter(&tree->machine, VMEN_CPU, 3000, 10, 9);
	settle_by_meter(&tree->machine, VMEN_CPU, 3000, U64_MAX, 0);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->machine), 0ULL);
	KUNIT_EXPECT_EQ(test, tree->vm.account.pending_pj[VMEN_CPU], 3000ULL);
	settle_by_meter(&tree->machine, VMEN_CPU, 3000, 10, 11);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->vm), 1ULL * VMEN_PJ_PER_UJ);
}

static void meter_that_jumps_is_nobodys_work(struct kunit *test)
{
	struct tree *tree = tree_create(test);
	const u64 jump_uj = METER_STEP_MAX_UJ + 1;

	tree->vm.account.pending_pj[VMEN_CPU] = 3000;
	settle_by_meter(&tree->machine, VMEN_CPU, 3000, 0, METER_STEP_MAX_UJ);
	KUNIT_EXPECT_EQ(test, tree->vm.account.own[VMEN_CPU].uj, METER_STEP_MAX_UJ);
	settle_by_meter(&tree->machine, VMEN_CPU, 0, 0, jump_uj);
	KUNIT_EXPECT_EQ(test, tree->vm.account.own[VMEN_CPU].uj, METER_STEP_MAX_UJ);
	KUNIT_EXPECT_EQ(test, tree->machine.account.own[VMEN_CPU].uj, jump_uj);
}

static void halving_keeps_proportions(struct kunit *test)
{
	struct tree *tree = tree_create(test);

	tree->process.account.pending_pj[VMEN_CPU] = 1ULL << 62;
	tree->vm.account.pending_pj[VMEN_CPU] = 3ULL << 61;
	tree->vm.account.pending_pj[VMEN_DISK] = 7;
	KUNIT_EXPECT_EQ(test, halve_pending(&tree->machine, VMEN_CPU), 5ULL << 60);
	KUNIT_EXPECT_EQ(test, tree->process.account.pending_pj[VMEN_CPU], 1ULL << 61);
	KUNIT_EXPECT_EQ(test, tree->vm.account.pending_pj[VMEN_CPU], 3ULL << 60);
	KUNIT_EXPECT_EQ(test, tree->vm.account.pending_pj[VMEN_DISK], 7ULL);
}

static void adoption_never_takes_energy_away(struct kunit *test)
{
	struct tree *tree = tree_create(test);

	adopt(&tree->machine, (u64[]){ [VMEN_CPU] = 100, [VMEN_DISK] = 5 });
	KUNIT_EXPECT_EQ(test, total_pj(&tree->machine), 100ULL * VMEN_PJ_PER_UJ);
	KUNIT_EXPECT_EQ(test, tree->machine.account.own[VMEN_DISK].uj, 5ULL);
	adopt(&tree->machine, (u64[]){ [VMEN_CPU] = 40, [VMEN_DISK] = 6 });
	KUNIT_EXPECT_EQ(test, total_pj(&tree->machine), 100ULL * VMEN_PJ_PER_UJ);
	KUNIT_EXPECT_EQ(test, tree->machine.account.own[VMEN_DISK].uj, 6ULL);
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
	KUNIT_CASE(charge_is_time_times_power),
	KUNIT_CASE(walk_visits_parents_first),
	KUNIT_CASE(settlement_adds_up_the_tree),
	KUNIT_CASE(rounding_is_the_machines),
	KUNIT_CASE(meter_scales_what_is_pending),
	KUNIT_CASE(meter_that_has_not_moved_settles_nothing),
	KUNIT_CASE(meter_that_jumps_is_nobodys_work),
	KUNIT_CASE(halving_keeps_proportions),
	KUNIT_CASE(adoption_never_takes_energy_away),
	{}
};

static struct kunit_suite vmen_account_suite = {
	.name = "vmenergy-account",
	.test_cases = vmen_account_cases,
};

kunit_test_suite(vmen_account_suite);
