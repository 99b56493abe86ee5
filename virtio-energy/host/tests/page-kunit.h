/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of what a page shows; included at the end of page.c. */
#include <kunit/test.h>

static void test_round_down(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, round_down_uj(0, 1000), 0ull);
	KUNIT_EXPECT_EQ(test, round_down_uj(999, 1000), 0ull);
	KUNIT_EXPECT_EQ(test, round_down_uj(1000, 1000), 1000ull);
	KUNIT_EXPECT_EQ(test, round_down_uj(1999, 1000), 1000ull);
	KUNIT_EXPECT_EQ(test, round_down_uj(12345, 1), 12345ull);
	KUNIT_EXPECT_EQ(test, round_down_uj(U64_MAX, 1), U64_MAX);
	KUNIT_EXPECT_EQ(test, round_down_uj(U64_MAX, 1000000),
			U64_MAX - U64_MAX % 1000000);
}

/* The parts are rounded, so that sums are multiples of the quantum, too. */
static void test_fill(struct kunit *test)
{
	static const struct vmen_reading account[VMEN_NR_COMPONENTS] = {
		[VMEN_CPU].used = { .active = { .uj = 5999 }, .base = { .uj = 2999 } },
		[VMEN_DISK].used = { .active = { .uj = 1000 }, .base = { .uj = 999 } },
	};
	struct virtio_energy_component *cpu, *disk;
	struct virtio_energy_reading reading;

	fill_reading(&reading, account, 1000);
	cpu = &reading.component[VIRTIO_ENERGY_CPU];
	disk = &reading.component[VIRTIO_ENERGY_DISK];
	KUNIT_EXPECT_EQ(test, le32_to_cpu(reading.generation), 0u);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(reading.nr_components), 2u);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(reading.energy_uj), 8000ull);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(cpu->energy_uj), 7000ull);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(cpu->active_uj), 5000ull);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(cpu->base_uj), 2000ull);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(disk->energy_uj), 1000ull);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(disk->active_uj), 1000ull);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(disk->base_uj), 0ull);
}

static void test_fill_clears_the_rest(struct kunit *test)
{
	static const struct vmen_reading account[VMEN_NR_COMPONENTS] = { };
	struct virtio_energy_reading reading;

	memset(&reading, 0xff, sizeof(reading));
	fill_reading(&reading, account, 1000);
	reading.nr_components = 0;
	KUNIT_EXPECT_NULL(test, memchr_inv(&reading, 0, sizeof(reading)));
}

static void test_show_undoes_scribbles(struct kunit *test)
{
	static const struct virtio_energy_page image = {
		.magic = cpu_to_le32(VIRTIO_ENERGY_PAGE_MAGIC),
		.version = cpu_to_le32(VIRTIO_ENERGY_PAGE_VERSION),
		.sequence = cpu_to_le32(42),
		.reading = { .energy_uj = cpu_to_le64(7000) },
	};
	struct virtio_energy_page shared;

	memset(&shared, 0xff, sizeof(shared));
	show_image(&shared, &image);
	KUNIT_EXPECT_EQ(test, memcmp(&shared, &image, sizeof(shared)), 0);
}

static void test_slice(struct kunit *test)
{
	static const u8 from[6] = { 1, 2, 3, 4, 5, 6 };
	static const u8 tail[4] = { 5, 6, 0, 0 };
	u8 data[4];

	vmdev_slice(data, 4, 0, from, sizeof(from));
	KUNIT_EXPECT_EQ(test, memcmp(data, from, 4), 0);
	vmdev_slice(data, 4, 4, from, sizeof(from));
	KUNIT_EXPECT_EQ(test, memcmp(data, tail, 4), 0);
	vmdev_slice(data, 4, 6, from, sizeof(from));
	KUNIT_EXPECT_NULL(test, memchr_inv(data, 0, 4));
	vmdev_slice(data, 4, U64_MAX, from, sizeof(from));
	KUNIT_EXPECT_NULL(test, memchr_inv(data, 0, 4));
}

static struct kunit_case page_tests[] = {
	KUNIT_CASE(test_round_down),
	KUNIT_CASE(test_fill),
	KUNIT_CASE(test_fill_clears_the_rest),
	KUNIT_CASE(test_show_undoes_scribbles),
	KUNIT_CASE(test_slice),
	{ }
};

static struct kunit_suite page_suite = {
	.name = "vmdev-page",
	.test_cases = page_tests,
};

kunit_test_suite(page_suite);
