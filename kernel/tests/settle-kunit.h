/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of settlements, on clocks and meters of their own
 */
#include <kunit/test.h>

#define TEST_STEP_NS	(100 * NSEC_PER_MSEC)
#define TEST_FILTER_NS	(5ULL * NSEC_PER_SEC)
#define TEST_UJ		VMEN_PJ_PER_UJ

/**
 * struct tree - a machine with a cgroup, a process in it and a VM
 * @machine: the root
 * @cgroup: below it
 * @process: below @cgroup
 * @vm: below @machine
 * @pool: of the component that is tested
 */
struct tree {
	struct vmen_domain machine, cgroup, process, vm;
	struct vmen_pool pool;
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

static u64 to_pj(struct vmen_energy energy)
{
	return energy.uj * VMEN_PJ_PER_UJ + energy.pj;
}

static u64 own_pj(const struct vmen_domain *domain)
{
	return to_pj(domain->account.own[VMEN_CPU].active);
}

static u64 base_pj(const struct vmen_domain *domain)
{
	return to_pj(domain->account.own[VMEN_CPU].base);
}

static u64 total_pj(const struct vmen_domain *domain)
{
	const struct vmen_used *used = &domain->account.total[VMEN_CPU];

	return to_pj(used->active) + to_pj(used->base);
}

static void use(struct vmen_domain *domain, struct vmen_step *step, u64 pj)
{
	domain->account.pending_pj[VMEN_CPU] += pj;
	step->estimate_pj += pj;
}

static void settle(struct tree *tree, const struct vmen_step *step)
{
	vmen_settle(&tree->machine, VMEN_CPU, &tree->pool, step);
}

/* Without a meter. */
static void settle_by_model(struct tree *tree, struct vmen_step *step)
{
	step->ns = TEST_STEP_NS;
	step->filter_ns = TEST_FILTER_NS;
	step->metered_pj = step->estimate_pj;
	settle(tree, step);
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

static void model_alone_adds_up_the_tree(struct kunit *test)
{
	struct tree *tree = tree_create(test);
	struct vmen_step step = { .estimate_pj = 510 };

	use(&tree->process, &step, 3);
	use(&tree->vm, &step, 4);
	settle_by_model(tree, &step);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->process), 3ULL);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->vm), 4ULL);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->cgroup), 0ULL);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->machine), 0ULL);
	/* A step is 1/51 of a step and the filter's time. */
	KUNIT_EXPECT_EQ(test, base_pj(&tree->machine), 10ULL);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->cgroup), 3ULL);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->machine), 17ULL);
	KUNIT_EXPECT_EQ(test, tree->vm.account.pending_pj[VMEN_CPU], 0ULL);
	KUNIT_EXPECT_EQ(test, tree->pool.unshared_pj, 500ULL);
}

static void meter_scales_the_model(struct kunit *test)
{
	struct tree *tree = tree_create(test);
	struct vmen_step step = {
		.ns = TEST_STEP_NS, .filter_ns = TEST_FILTER_NS, .metered_pj = 8 * TEST_UJ,
	};

	use(&tree->process, &step, 1000);
	use(&tree->vm, &step, 3000);
	settle(tree, &step);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->process), 2ULL * TEST_UJ);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->vm), 6ULL * TEST_UJ);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->machine), 8ULL * TEST_UJ);
}

static void rounding_stays_in_the_pool(struct kunit *test)
{
	struct tree *tree = tree_create(test);
	struct vmen_step step = {
		.ns = TEST_STEP_NS, .filter_ns = TEST_FILTER_NS, .metered_pj = 100,
	};

	use(&tree->process, &step, 1);
	use(&tree->cgroup, &step, 1);
	use(&tree->vm, &step, 1);
	settle(tree, &step);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->process), 33ULL);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->vm), 33ULL);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->cgroup), 66ULL);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->machine), 99ULL + base_pj(&tree->machine));
	KUNIT_EXPECT_EQ(test, total_pj(&tree->machine) + tree->pool.unshared_pj, 100ULL);
}

static void meter_that_has_not_moved_settles_nothing(struct kunit *test)
{
	struct tree *tree = tree_create(test);
	struct vmen_step step = { .ns = TEST_STEP_NS, .filter_ns = TEST_FILTER_NS };

	use(&tree->vm, &step, 3000);
	settle(tree, &step);
	step.estimate_pj = 0;
	settle(tree, &step);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->machine), 0ULL);
	KUNIT_EXPECT_EQ(test, tree->vm.account.pending_pj[VMEN_CPU], 3000ULL);
	step.metered_pj = TEST_UJ;
	settle(tree, &step);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->vm), 1ULL * TEST_UJ);
	KUNIT_EXPECT_EQ(test, tree->vm.account.pending_pj[VMEN_CPU], 0ULL);
}

/* Bursts of one and the other, a tenth told a step later: each is charged its own. */
static void late_meter_mixes_up_nobody(struct kunit *test)
{
	struct tree *tree = tree_create(test);
	u64 last_pj = 0;
	int i;

	for (i = 0; i < 1000; i++) {
		struct vmen_step step = {
			.ns = TEST_STEP_NS, .filter_ns = TEST_FILTER_NS,
		};

		if (i % 10 < 3)
			use(&tree->vm, &step, 2 * TEST_UJ);
		else if (i % 10 < 5)
			use(&tree->process, &step, TEST_UJ);
		step.metered_pj = (9 * step.estimate_pj + last_pj) * 3 / 10;
		last_pj = step.estimate_pj;
		settle(tree, &step);
	}
	/* 100 rounds of 3 steps at 6 uJ, and of 2 at 3 uJ */
	KUNIT_EXPECT_GE(test, own_pj(&tree->vm), 1790ULL * TEST_UJ);
	KUNIT_EXPECT_LE(test, own_pj(&tree->vm), 1810ULL * TEST_UJ);
	KUNIT_EXPECT_GE(test, own_pj(&tree->process), 590ULL * TEST_UJ);
	KUNIT_EXPECT_LE(test, own_pj(&tree->process), 610ULL * TEST_UJ);
}

/* What the model does not know of the VM's surge does not show in the process's account. */
static void surges_of_others_do_not_show(struct kunit *test)
{
	struct tree *tree = tree_create(test);
	u64 before_pj, quiet_pj, surge_pj;
	int i;

	for (i = 0; i < 201; i++) {
		struct vmen_step step = {
			.ns = TEST_STEP_NS, .filter_ns = TEST_FILTER_NS,
			.estimate_pj = 10 * TEST_UJ, .rule = VMEN_BASE_EQUAL,
		};

		use(&tree->process, &step, 10 * TEST_UJ);
		use(&tree->vm, &step, 10 * TEST_UJ);
		step.metered_pj = 30 * TEST_UJ + (i == 200 ? 10 * TEST_UJ : 0);
		before_pj = total_pj(&tree->process);
		settle(tree, &step);
		if (i == 199)
			quiet_pj = total_pj(&tree->process) - before_pj;
	}
	surge_pj = total_pj(&tree->process) - before_pj;
	KUNIT_EXPECT_GE(test, surge_pj, quiet_pj);
	KUNIT_EXPECT_LE(test, surge_pj, quiet_pj + quiet_pj / 50);
}

/* Ten seconds in which the process uses 10 uJ a step, the VM 30, and idling 20. */
static void idle_and_two_domains(struct tree *tree, enum vmen_base_rule rule)
{
	int i;

	for (i = 0; i < 1000; i++) {
		struct vmen_step step = {
			.ns = TEST_STEP_NS, .filter_ns = TEST_FILTER_NS,
			.estimate_pj = 20 * TEST_UJ, .metered_pj = 60 * TEST_UJ, .rule = rule,
		};

		use(&tree->process, &step, 10 * TEST_UJ);
		use(&tree->vm, &step, 30 * TEST_UJ);
		settle(tree, &step);
	}
}

static void expect_base(struct kunit *test, enum vmen_base_rule rule, u64 machine, u64 process,
			u64 vm)
{
	struct tree *tree = tree_create(test);
	u64 shared_pj;

	idle_and_two_domains(tree, rule);
	shared_pj = 20000ULL * TEST_UJ - tree->pool.unshared_pj;
	KUNIT_EXPECT_EQ(test, own_pj(&tree->process), 10000ULL * TEST_UJ);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->vm), 30000ULL * TEST_UJ);
	/* Each step rounds by up to 1 pJ. */
	KUNIT_EXPECT_LE(test, abs_diff(base_pj(&tree->machine), shared_pj * machine / 4), 1000ULL);
	KUNIT_EXPECT_LE(test, abs_diff(base_pj(&tree->process), shared_pj * process / 4), 1000ULL);
	KUNIT_EXPECT_LE(test, abs_diff(base_pj(&tree->vm), shared_pj * vm / 4), 1000ULL);
	KUNIT_EXPECT_EQ(test, base_pj(&tree->cgroup), 0ULL);
	/* The pool holds what five seconds of idling take. */
	KUNIT_EXPECT_LE(test, tree->pool.unshared_pj, 1001ULL * TEST_UJ);
}

static void base_goes_by_the_rule(struct kunit *test)
{
	expect_base(test, VMEN_BASE_NONE, 4, 0, 0);
	expect_base(test, VMEN_BASE_EQUAL, 0, 2, 2);
	expect_base(test, VMEN_BASE_PROPORTIONAL, 0, 1, 3);
}

static void base_waits_for_the_active(struct kunit *test)
{
	struct tree *tree = tree_create(test);
	struct vmen_step step = {
		.ns = TEST_STEP_NS, .filter_ns = TEST_FILTER_NS, .estimate_pj = TEST_UJ,
		.metered_pj = VMEN_STEP_MAX_PJ, .rule = VMEN_BASE_PROPORTIONAL,
	};

	settle(tree, &step);
	KUNIT_EXPECT_EQ(test, total_pj(&tree->machine), 0ULL);
	KUNIT_EXPECT_EQ(test, tree->pool.unshared_pj, VMEN_STEP_MAX_PJ);
	/* But not without end. */
	settle(tree, &step);
	KUNIT_EXPECT_EQ(test, tree->pool.unshared_pj, VMEN_STEP_MAX_PJ);
	KUNIT_EXPECT_EQ(test, base_pj(&tree->machine), VMEN_STEP_MAX_PJ);
}

static void base_that_is_metered_as_such(struct kunit *test)
{
	struct tree *tree = tree_create(test);
	struct vmen_step step = {
		.ns = TEST_STEP_NS, .filter_ns = TEST_FILTER_NS, .metered_pj = 4 * TEST_UJ,
		.base_pj = 51 * TEST_UJ, .rule = VMEN_BASE_EQUAL,
	};

	use(&tree->vm, &step, TEST_UJ);
	settle(tree, &step);
	KUNIT_EXPECT_EQ(test, own_pj(&tree->vm), 4ULL * TEST_UJ);
	KUNIT_EXPECT_EQ(test, base_pj(&tree->vm), TEST_UJ / 2ULL);
	KUNIT_EXPECT_EQ(test, base_pj(&tree->process), TEST_UJ / 2ULL);
}

static void extrapolation_goes_on_as_before(struct kunit *test)
{
	struct vmen_pool pool = {};

	KUNIT_EXPECT_EQ(test, vmen_pool_extrapolate_pj(&pool, 5), 5ULL);
	pool.metered_pj = 30;
	pool.estimate_pj = 10;
	pool.waiting_pj = 2;
	KUNIT_EXPECT_EQ(test, vmen_pool_extrapolate_pj(&pool, 5), 21ULL);
	pool.metered_pj = 5;
	KUNIT_EXPECT_EQ(test, vmen_pool_extrapolate_pj(&pool, 5), 3ULL);
	pool.metered_pj = VMEN_STEP_MAX_PJ - 1;
	pool.estimate_pj = 1;
	KUNIT_EXPECT_LE(test, vmen_pool_extrapolate_pj(&pool, VMEN_STEP_MAX_PJ), VMEN_STEP_MAX_PJ);
}

/* A linear congruential generator (Knuth's MMIX): the same numbers each time. */
static u64 random(u64 *state, unsigned int bits)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> (64 - bits);
}

/* Hours of anything that a model and a meter may say: nothing is lost, nothing taken back. */
static void everything_adds_up(struct kunit *test)
{
	struct tree *tree = tree_create(test);
	struct vmen_domain *domain;
	struct vmen_energy metered = {}, charged;
	u64 state = 1;
	int i;

	for (i = 0; i < 36000; i++) {
		struct vmen_step step = {
			.ns = random(&state, 32), .filter_ns = random(&state, 36),
			.estimate_pj = random(&state, 1 + i % 60),
			.metered_pj = random(&state, 2) ? random(&state, 1 + i % 60) : 0,
			.base_pj = random(&state, 4) ? 0 : random(&state, 40),
			.rule = random(&state, 16) % 3,
		};
		u64 before_uj = tree->process.account.total[VMEN_CPU].base.uj;

		vmen_for_each_domain(domain, &tree->machine) {
			if (random(&state, 1))
				use(domain, &step, random(&state, 1 + i % 59));
		}
		settle(tree, &step);
		vmen_energy_add(&metered, 0, step.metered_pj);
		vmen_energy_add(&metered, 0, step.base_pj);
		charged = vmen_energy_sum(tree->machine.account.total[VMEN_CPU].active,
					  tree->machine.account.total[VMEN_CPU].base);
		vmen_energy_add(&charged, 0, tree->pool.unshared_pj);
		KUNIT_ASSERT_EQ(test, charged.uj, metered.uj);
		KUNIT_ASSERT_EQ(test, charged.pj, metered.pj);
		KUNIT_ASSERT_LE(test, tree->pool.unshared_pj, VMEN_STEP_MAX_PJ);
		KUNIT_ASSERT_GE(test, tree->process.account.total[VMEN_CPU].base.uj, before_uj);
	}
	charged = (struct vmen_energy){};
	vmen_for_each_domain(domain, &tree->machine) {
		charged = vmen_energy_sum(charged, domain->account.own[VMEN_CPU].active);
		charged = vmen_energy_sum(charged, domain->account.own[VMEN_CPU].base);
	}
	vmen_energy_add(&charged, 0, tree->pool.unshared_pj);
	KUNIT_EXPECT_EQ(test, charged.uj, metered.uj);
	KUNIT_EXPECT_EQ(test, charged.pj, metered.pj);
}

static struct kunit_case vmen_settle_cases[] = {
	KUNIT_CASE(walk_visits_parents_first),
	KUNIT_CASE(model_alone_adds_up_the_tree),
	KUNIT_CASE(meter_scales_the_model),
	KUNIT_CASE(rounding_stays_in_the_pool),
	KUNIT_CASE(meter_that_has_not_moved_settles_nothing),
	KUNIT_CASE(late_meter_mixes_up_nobody),
	KUNIT_CASE(surges_of_others_do_not_show),
	KUNIT_CASE(base_goes_by_the_rule),
	KUNIT_CASE(base_waits_for_the_active),
	KUNIT_CASE(base_that_is_metered_as_such),
	KUNIT_CASE(extrapolation_goes_on_as_before),
	KUNIT_CASE(everything_adds_up),
	{}
};

static struct kunit_suite vmen_settle_suite = {
	.name = "vmenergy-settle",
	.test_cases = vmen_settle_cases,
};

kunit_test_suite(vmen_settle_suite);
