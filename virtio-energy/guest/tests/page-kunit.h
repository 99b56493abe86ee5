/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of the sequence-count reader, included by page.c
 */

#include <kunit/test.h>

/* A page as a device leaves it: 3 + 4 uJ of cpu, 10 + 20 uJ of disk. */
static void fill_page(struct virtio_energy_page *page)
{
	struct virtio_energy_reading *reading = &page->reading;

	*page = (struct virtio_energy_page) {
		.magic = cpu_to_le32(VIRTIO_ENERGY_PAGE_MAGIC),
		.version = cpu_to_le32(VIRTIO_ENERGY_PAGE_VERSION),
		.sequence = cpu_to_le32(6),
	};
	reading->generation = cpu_to_le32(9);
	reading->nr_components = cpu_to_le32(2);
	reading->energy_uj = cpu_to_le64(37);
	reading->component[VIRTIO_ENERGY_CPU] =
		(struct virtio_energy_component) {
			.energy_uj = cpu_to_le64(7),
			.active_uj = cpu_to_le64(3),
			.base_uj = cpu_to_le64(4),
		};
	reading->component[VIRTIO_ENERGY_DISK] =
		(struct virtio_energy_component) {
			.energy_uj = cpu_to_le64(30),
			.active_uj = cpu_to_le64(10),
			.base_uj = cpu_to_le64(20),
		};
}

static void page_reads_in_cpu_order(struct kunit *test)
{
	struct virtio_energy_page page;
	struct vioen_reading reading;
	const struct vioen_energy *disk =
		&reading.component[VIRTIO_ENERGY_DISK];

	fill_page(&page);

	KUNIT_ASSERT_EQ(test, vioen_page_read(&page, &reading), 0);
	KUNIT_EXPECT_EQ(test, reading.generation, 9u);
	KUNIT_EXPECT_EQ(test, reading.nr_components, 2u);
	KUNIT_EXPECT_EQ(test, reading.total.energy_uj, 37ull);
	KUNIT_EXPECT_EQ(test, reading.total.active_uj, 13ull);
	KUNIT_EXPECT_EQ(test, reading.total.base_uj, 24ull);
	KUNIT_EXPECT_EQ(test, disk->energy_uj, 30ull);
	KUNIT_EXPECT_EQ(test, disk->active_uj, 10ull);
	KUNIT_EXPECT_EQ(test, disk->base_uj, 20ull);
}

static void page_ignores_unused_components(struct kunit *test)
{
	struct virtio_energy_page page;
	struct vioen_reading reading;

	fill_page(&page);
	page.reading.nr_components = cpu_to_le32(1);
	page.reading.energy_uj = cpu_to_le64(7);

	KUNIT_ASSERT_EQ(test, vioen_page_read(&page, &reading), 0);
	KUNIT_EXPECT_EQ(test, reading.total.energy_uj, 7ull);
	KUNIT_EXPECT_EQ(test,
			reading.component[VIRTIO_ENERGY_DISK].energy_uj, 0ull);
}

static void page_with_odd_sequence_gives_up(struct kunit *test)
{
	struct virtio_energy_page page;
	struct vioen_reading reading;

	fill_page(&page);
	page.sequence = cpu_to_le32(7);

	KUNIT_EXPECT_EQ(test, vioen_page_read(&page, &reading), -EAGAIN);
}

static void page_with_changed_sequence_is_read_again(struct kunit *test)
{
	struct virtio_energy_page page;
	u32 sequence;

	fill_page(&page);
	KUNIT_EXPECT_TRUE(test, read_begin(&page, &sequence));
	KUNIT_EXPECT_FALSE(test, read_retry(&page, sequence));

	page.sequence = cpu_to_le32(7);
	KUNIT_EXPECT_TRUE(test, read_retry(&page, sequence));

	page.sequence = cpu_to_le32(8);
	KUNIT_EXPECT_TRUE(test, read_retry(&page, sequence));
}

static void page_sequence_wraps(struct kunit *test)
{
	struct virtio_energy_page page;
	u32 sequence;

	fill_page(&page);
	page.sequence = cpu_to_le32(U32_MAX - 1);
	KUNIT_EXPECT_TRUE(test, read_begin(&page, &sequence));

	page.sequence = cpu_to_le32(0);
	KUNIT_EXPECT_TRUE(test, read_retry(&page, sequence));
	KUNIT_EXPECT_TRUE(test, read_begin(&page, &sequence));
}

static void page_with_bad_magic_is_refused(struct kunit *test)
{
	struct virtio_energy_page page;
	struct vioen_reading reading;

	fill_page(&page);
	page.magic = 0;

	KUNIT_EXPECT_EQ(test, vioen_page_read(&page, &reading), -EIO);
}

static void page_with_bad_version_is_refused(struct kunit *test)
{
	struct virtio_energy_page page;
	struct vioen_reading reading;

	fill_page(&page);
	page.version = cpu_to_le32(VIRTIO_ENERGY_PAGE_VERSION + 1);

	KUNIT_EXPECT_EQ(test, vioen_page_read(&page, &reading), -EIO);
}

static void page_with_bad_nr_components_is_refused(struct kunit *test)
{
	static const u32 bad[] = {
		0, VIRTIO_ENERGY_MAX_COMPONENTS + 1, U32_MAX,
	};
	struct virtio_energy_page page;
	struct vioen_reading reading;
	int i;

	fill_page(&page);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		page.reading.nr_components = cpu_to_le32(bad[i]);
		KUNIT_EXPECT_EQ(test, vioen_page_read(&page, &reading), -EIO);
	}
}

static void page_with_bad_sum_is_refused(struct kunit *test)
{
	struct virtio_energy_page page;
	struct vioen_reading reading;

	fill_page(&page);
	page.reading.energy_uj = cpu_to_le64(38);

	KUNIT_EXPECT_EQ(test, vioen_page_read(&page, &reading), -EIO);
}

static struct kunit_case page_cases[] = {
	KUNIT_CASE(page_reads_in_cpu_order),
	KUNIT_CASE(page_ignores_unused_components),
	KUNIT_CASE(page_with_odd_sequence_gives_up),
	KUNIT_CASE(page_with_changed_sequence_is_read_again),
	KUNIT_CASE(page_sequence_wraps),
	KUNIT_CASE(page_with_bad_magic_is_refused),
	KUNIT_CASE(page_with_bad_version_is_refused),
	KUNIT_CASE(page_with_bad_nr_components_is_refused),
	KUNIT_CASE(page_with_bad_sum_is_refused),
	{}
};

static struct kunit_suite page_suite = {
	.name = "virtio_energy_page",
	.test_cases = page_cases,
};

kunit_test_suite(page_suite);
