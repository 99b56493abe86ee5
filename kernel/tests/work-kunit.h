/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of how the kernel's work is shared among domains
 */
#include <kunit/test.h>

#define TEST_NS		(100 * NSEC_PER_MSEC)
#define TEST_FILTER_NS	(300 * NSEC_PER_MSEC)

/**
 * struct workplace - a machine with two domains
 * @machine: the root
 * @domain: below it
 */
struct workplace {
	struct vmen_domain machine, domain[2];
};

static int workplace_init(struct kunit *test)
{
	struct workplace *place = kunit_kzalloc(test, sizeof(*place), GFP_KERNEL);
	int i;

	if (!place || vmen_account_init(&place->machine.account))
		return -ENOMEM;
	test->priv = place;
	INIT_LIST_HEAD(&place->machine.children);
	for (i = 0; i < ARRAY_SIZE(place->domain); i++) {
		struct vmen_domain *domain = &place->domain[i];

		INIT_LIST_HEAD(&domain->children);
		domain->parent = &place->machine;
		list_add_tail(&domain->sibling, &place->machine.children);
		if (vmen_account_init(&domain->account))
			return -ENOMEM;
	}
	return 0;
}

static void workplace_exit(struct kunit *test)
{
	struct workplace *place = test->priv;
	int i;

	if (!place)
		return;
	for (i = 0; i < ARRAY_SIZE(place->domain); i++)
		vmen_account_free(&place->domain[i].account);
	vmen_account_free(&place->machine.account);
}

static void order(struct vmen_domain *domain, u64 requests)
{
	per_cpu_ptr(domain->account.cpu, cpumask_first(cpu_possible_mask))->requests += requests;
}

static u64 pending_pj(const struct vmen_domain *domain)
{
	return domain->account.pending_pj[VMEN_CPU];
}

static void work(struct workplace *place, u64 amount_pj)
{
	struct vmen_domain *domain;

	vmen_for_each_domain(domain, &place->machine)
		vmen_account_fold(&domain->account, TEST_NS, TEST_FILTER_NS);
	share_by_requests(&place->machine, amount_pj);
}

static void work_goes_by_requests(struct kunit *test)
{
	struct workplace *place = test->priv;

	order(&place->domain[0], 1);
	order(&place->domain[1], 3);
	work(place, 403);
	KUNIT_EXPECT_EQ(test, pending_pj(&place->domain[0]), 100ULL);
	KUNIT_EXPECT_EQ(test, pending_pj(&place->domain[1]), 302ULL);
	KUNIT_EXPECT_EQ(test, pending_pj(&place->machine), 1ULL);
}

static void work_that_nobody_ordered_is_the_machines(struct kunit *test)
{
	struct workplace *place = test->priv;

	work(place, 7);
	KUNIT_EXPECT_EQ(test, pending_pj(&place->machine), 7ULL);
	KUNIT_EXPECT_EQ(test, pending_pj(&place->domain[0]), 0ULL);
}

static void requests_of_late_count(struct kunit *test)
{
	struct workplace *place = test->priv;
	int i;

	order(&place->domain[0], 4);
	work(place, 0);
	/* Of the 4, 3 are left. */
	order(&place->domain[1], 1);
	work(place, 400);
	KUNIT_EXPECT_EQ(test, pending_pj(&place->domain[0]), 300ULL);
	KUNIT_EXPECT_EQ(test, pending_pj(&place->domain[1]), 100ULL);
	for (i = 0; i < 100; i++)
		work(place, 0);
	work(place, 5);
	KUNIT_EXPECT_EQ(test, pending_pj(&place->machine), 5ULL);
}

static void counters_of_requests_may_wrap(struct kunit *test)
{
	struct workplace *place = test->priv;

	order(&place->domain[0], U64_MAX);
	place->domain[0].account.folded.requests = U64_MAX;
	order(&place->domain[0], 2);
	order(&place->domain[1], 2);
	work(place, 10);
	KUNIT_EXPECT_EQ(test, pending_pj(&place->domain[0]), 5ULL);
	KUNIT_EXPECT_EQ(test, pending_pj(&place->domain[1]), 5ULL);
}

static struct kunit_case vmen_work_cases[] = {
	KUNIT_CASE(work_goes_by_requests),
	KUNIT_CASE(work_that_nobody_ordered_is_the_machines),
	KUNIT_CASE(requests_of_late_count),
	KUNIT_CASE(counters_of_requests_may_wrap),
	{}
};

static struct kunit_suite vmen_work_suite = {
	.name = "vmenergy-work",
	.init = workplace_init,
	.exit = workplace_exit,
	.test_cases = vmen_work_cases,
};

kunit_test_suite(vmen_work_suite);
