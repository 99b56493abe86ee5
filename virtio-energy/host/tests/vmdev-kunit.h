/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of how an access is split into steps; included at the end of vmdev.c. */
#include <kunit/test.h>

static u64 position(u64 region, u64 offset)
{
	return region << VMDEV_REGION_SHIFT | offset;
}

static void test_steps_are_aligned(struct kunit *test)
{
	static const struct {
		u64 offset;
		size_t len;
		size_t step;
	} cases[] = {
		{ 0, 1, 1 }, { 0, 2, 2 }, { 0, 3, 2 }, { 0, 4, 4 }, { 0, 8, 4 },
		{ 0, PAGE_SIZE, 4 }, { 1, 4, 1 }, { 2, 4, 2 }, { 3, 2, 1 }, { 6, 8, 2 },
		{ PCI_CFG_SPACE_SIZE - 1, 4, 1 }, { PCI_CFG_SPACE_SIZE - 4, 8, 4 },
	};
	struct step step;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 pos = position(VFIO_PCI_CONFIG_REGION_INDEX, cases[i].offset);

		KUNIT_ASSERT_TRUE(test, first_step(&step, pos, cases[i].len));
		KUNIT_EXPECT_EQ(test, step.region, (unsigned int)VFIO_PCI_CONFIG_REGION_INDEX);
		KUNIT_EXPECT_EQ(test, step.offset, cases[i].offset);
		KUNIT_EXPECT_EQ(test, step.len, cases[i].step);
	}
}

static void test_steps_stay_inside_of_regions(struct kunit *test)
{
	struct step step;
	u64 region;

	for (region = 0; region < VFIO_PCI_NUM_REGIONS; region++) {
		u64 size = vmdev_pci_region_size(region);

		KUNIT_EXPECT_EQ(test, first_step(&step, position(region, 0), 1), size > 0);
		if (size)
			KUNIT_EXPECT_TRUE(test, first_step(&step, position(region, size - 1), 1));
		KUNIT_EXPECT_FALSE(test, first_step(&step, position(region, size), 1));
		KUNIT_EXPECT_FALSE(test, first_step(&step, position(region, size + 1), 4));
	}
	KUNIT_EXPECT_FALSE(test, first_step(&step, position(VFIO_PCI_NUM_REGIONS, 0), 1));
	KUNIT_EXPECT_FALSE(test, first_step(&step, U64_MAX, 1));
	KUNIT_EXPECT_FALSE(test, first_step(&step, S64_MAX, 4));
}

static struct kunit_case vmdev_cases[] = {
	KUNIT_CASE(test_steps_are_aligned),
	KUNIT_CASE(test_steps_stay_inside_of_regions),
	{}
};

static struct kunit_suite vmdev_suite = {
	.name = "vmdev-vfio",
	.test_cases = vmdev_cases,
};

kunit_test_suite(vmdev_suite);
