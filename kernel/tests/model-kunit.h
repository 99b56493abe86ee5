/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of how a model is read and written
 */
#include <kunit/test.h>

static void model_is_read(struct kunit *test)
{
	struct vmen_model model;

	KUNIT_ASSERT_EQ(test, vmen_model_parse(&model, "0:1:350,4:0x1b1:20,6:0:4294967295\n"), 0);
	KUNIT_ASSERT_EQ(test, model.nr_events, 3U);
	KUNIT_EXPECT_EQ(test, model.event[0].type, 0U);
	KUNIT_EXPECT_EQ(test, model.event[0].config, 1ULL);
	KUNIT_EXPECT_EQ(test, model.event[0].weight_pj, 350U);
	KUNIT_EXPECT_EQ(test, model.event[1].config, 0x1b1ULL);
	KUNIT_EXPECT_EQ(test, model.event[2].type, 6U);
	KUNIT_EXPECT_EQ(test, model.event[2].weight_pj, U32_MAX);
}

static void model_may_be_empty(struct kunit *test)
{
	struct vmen_model model = { .nr_events = 1 };

	KUNIT_EXPECT_EQ(test, vmen_model_parse(&model, ""), 0);
	KUNIT_EXPECT_EQ(test, model.nr_events, 0U);
	KUNIT_EXPECT_EQ(test, vmen_model_parse(&model, "\n"), 0);
	KUNIT_EXPECT_EQ(test, model.nr_events, 0U);
}

static void malformed_events_are_refused(struct kunit *test)
{
	static const char * const texts[] = {
		"0", "0:1", "0:1:", ":1:2", "0::2", "0:1:2:3", "0:1:2,", ",0:1:2", "0:1:2,,0:2:3",
		"0:1:2 0:2:3", "0:1:2\n0:2:3", "a:1:2", "0:b:2", "0:1:c", "-1:1:2", "0:1:-2",
		"4294967296:1:2", "0:18446744073709551616:2", "0:1:4294967296", "0:1:2.5",
		"0000000000000000000000000000000000000000000000000:1:2",
	};
	struct vmen_model model;
	int i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		KUNIT_EXPECT_EQ_MSG(test, vmen_model_parse(&model, texts[i]), -EINVAL, "%s",
				    texts[i]);
}

static void events_differ(struct kunit *test)
{
	struct vmen_model model;

	KUNIT_EXPECT_EQ(test, vmen_model_parse(&model, "0:1:2,0:1:3"), -EEXIST);
	KUNIT_EXPECT_EQ(test, vmen_model_parse(&model, "0:1:2,0:0x1:2"), -EEXIST);
	KUNIT_EXPECT_EQ(test, vmen_model_parse(&model, "0:1:2,1:1:2,0:2:2"), 0);
}

/* As many as there can be, each as long as can be, and written as they were read */
static void full_model_comes_back(struct kunit *test)
{
	char *text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	char *again = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	struct vmen_model model;
	int len = 0, i;

	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_NOT_NULL(test, again);
	for (i = 0; i < VMEN_MAX_EVENTS; i++)
		len += scnprintf(text + len, PAGE_SIZE - len, "%s%u:%#llx:%u", i ? "," : "",
				 U32_MAX - i, U64_MAX - i, U32_MAX - i);
	KUNIT_EXPECT_EQ(test, vmen_model_parse(&model, text), 0);
	KUNIT_EXPECT_EQ(test, vmen_model_print(again, PAGE_SIZE, &model), len + 1);
	text[len] = '\n';
	KUNIT_EXPECT_STREQ(test, again, text);

	strscpy(text + len, ",1:1:1", PAGE_SIZE - len);
	KUNIT_EXPECT_EQ(test, vmen_model_parse(&model, text), -E2BIG);
}

static struct kunit_case vmen_model_cases[] = {
	KUNIT_CASE(model_is_read),
	KUNIT_CASE(model_may_be_empty),
	KUNIT_CASE(malformed_events_are_refused),
	KUNIT_CASE(events_differ),
	KUNIT_CASE(full_model_comes_back),
	{}
};

static struct kunit_suite vmen_model_suite = {
	.name = "vmenergy-model",
	.test_cases = vmen_model_cases,
};

kunit_test_suite(vmen_model_suite);
