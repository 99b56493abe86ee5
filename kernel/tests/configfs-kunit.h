/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of the names that people may give to domains
 */
#include <kunit/test.h>

static void good_names(struct kunit *test)
{
	static const char * const names[] = {
		"a", "web", "web-1", "9", "x.y_z", "vm", "vm-", "vm-1a", "cpuset", "disk-x",
		"abcdefghijklmnopqrstuvwxyz01234",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		KUNIT_EXPECT_TRUE_MSG(test, name_is_valid(names[i]), "%s", names[i]);
}

static void bad_names(struct kunit *test)
{
	static const char * const names[] = {
		"", "-", ".", "..", "_a", "a b", "a/b", "a\n", "\xc3\xa4", "a\xff",
		"abcdefghijklmnopqrstuvwxyz012345",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		KUNIT_EXPECT_FALSE_MSG(test, name_is_valid(names[i]), "%s", names[i]);
}

static void reserved_names(struct kunit *test)
{
	static const char * const names[] = { "machine", "vm-1", "cpu-0", "disk-4711" };
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		KUNIT_EXPECT_FALSE_MSG(test, name_is_valid(names[i]), "%s", names[i]);
}

static struct kunit_case vmen_configfs_cases[] = {
	KUNIT_CASE(good_names),
	KUNIT_CASE(bad_names),
	KUNIT_CASE(reserved_names),
	{}
};

static struct kunit_suite vmen_configfs_suite = {
	.name = "vmenergy-configfs",
	.test_cases = vmen_configfs_cases,
};

kunit_test_suite(vmen_configfs_suite);
