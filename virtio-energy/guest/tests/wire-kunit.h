/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of what the device may say and of the clamp, included by wire.c
 */

#include <kunit/test.h>

static struct virtio_energy_component wire_energy(u64 energy_uj, u64 active_uj,
						  u64 base_uj)
{
	return (struct virtio_energy_component) {
		.energy_uj = cpu_to_le64(energy_uj),
		.active_uj = cpu_to_le64(active_uj),
		.base_uj = cpu_to_le64(base_uj),
	};
}

static int decode_cpu(u64 energy_uj, u64 active_uj, u64 base_uj,
		      struct vioen_reading *reading)
{
	struct virtio_energy_reading wire = {
		.nr_components = cpu_to_le32(1),
		.energy_uj = cpu_to_le64(energy_uj),
	};

	wire.component[0] = wire_energy(energy_uj, active_uj, base_uj);
	return vioen_reading_decode(&wire, reading);
}

static void energy_is_active_and_base(struct kunit *test)
{
	struct vioen_reading reading;

	KUNIT_EXPECT_EQ(test, decode_cpu(5, 2, 3, &reading), 0);
	KUNIT_EXPECT_EQ(test, decode_cpu(5, 2, 2, &reading), -EIO);
	KUNIT_EXPECT_EQ(test, decode_cpu(5, 6, U64_MAX, &reading), -EIO);
}

static void energy_is_bounded(struct kunit *test)
{
	struct virtio_energy_reading wire = {
		.nr_components = cpu_to_le32(VIRTIO_ENERGY_MAX_COMPONENTS),
		.energy_uj = cpu_to_le64(VIRTIO_ENERGY_MAX_COMPONENTS *
					 VIOEN_MAX_ENERGY_UJ),
	};
	struct vioen_reading reading;
	int i;

	for (i = 0; i < VIRTIO_ENERGY_MAX_COMPONENTS; i++)
		wire.component[i] = wire_energy(VIOEN_MAX_ENERGY_UJ,
						VIOEN_MAX_ENERGY_UJ, 0);
	KUNIT_ASSERT_EQ(test, vioen_reading_decode(&wire, &reading), 0);
	KUNIT_EXPECT_LE(test, reading.total.energy_uj, (u64)S64_MAX);

	KUNIT_EXPECT_EQ(test, decode_cpu(VIOEN_MAX_ENERGY_UJ + 1, 0,
					 VIOEN_MAX_ENERGY_UJ + 1, &reading),
			-EIO);
}

static void clamp_takes_over_what_grows(struct kunit *test)
{
	struct vioen_reading last = {}, reading;

	KUNIT_ASSERT_EQ(test, decode_cpu(5, 2, 3, &reading), 0);
	vioen_reading_clamp(&reading, &last);
	KUNIT_ASSERT_EQ(test, decode_cpu(7, 3, 4, &reading), 0);
	vioen_reading_clamp(&reading, &last);

	KUNIT_EXPECT_EQ(test, reading.total.energy_uj, 7ull);
	KUNIT_EXPECT_EQ(test, last.total.energy_uj, 7ull);
}

static void clamp_holds_what_falls(struct kunit *test)
{
	struct vioen_reading last = {}, reading;

	KUNIT_ASSERT_EQ(test, decode_cpu(5, 2, 3, &reading), 0);
	vioen_reading_clamp(&reading, &last);

	/* The sum grows here, its base part doesn't. */
	KUNIT_ASSERT_EQ(test, decode_cpu(6, 4, 2, &reading), 0);
	vioen_reading_clamp(&reading, &last);
	KUNIT_EXPECT_EQ(test, reading.total.energy_uj, 5ull);
	KUNIT_EXPECT_EQ(test, reading.total.active_uj, 2ull);
	KUNIT_EXPECT_EQ(test, reading.total.base_uj, 3ull);

	KUNIT_ASSERT_EQ(test, decode_cpu(7, 4, 3, &reading), 0);
	vioen_reading_clamp(&reading, &last);
	KUNIT_EXPECT_EQ(test, reading.total.energy_uj, 7ull);
}

static void clamp_keeps_a_component_that_vanished(struct kunit *test)
{
	struct vioen_reading last = {
		.nr_components = 2,
		.component[1] = { .energy_uj = 4, .active_uj = 4 },
	};
	struct vioen_reading reading;

	KUNIT_ASSERT_EQ(test, decode_cpu(5, 2, 3, &reading), 0);
	vioen_reading_clamp(&reading, &last);

	KUNIT_EXPECT_EQ(test, reading.nr_components, 2u);
	KUNIT_EXPECT_EQ(test, reading.total.energy_uj, 9ull);
}

static void info_is_checked(struct kunit *test)
{
	struct virtio_energy_info wire = {
		.version = cpu_to_le32(VIRTIO_ENERGY_PAGE_VERSION),
		.nr_components = cpu_to_le32(2),
		.update_period_us = cpu_to_le32(10000),
		.quantum_uj = cpu_to_le32(100),
	};
	struct vioen_info info;

	KUNIT_ASSERT_EQ(test, vioen_info_decode(&wire, &info), 0);
	KUNIT_EXPECT_EQ(test, info.update_period_us, 10000u);
	KUNIT_EXPECT_EQ(test, info.quantum_uj, 100u);

	wire.nr_components = 0;
	KUNIT_EXPECT_EQ(test, vioen_info_decode(&wire, &info), -EIO);

	wire.version = cpu_to_le32(VIRTIO_ENERGY_PAGE_VERSION + 1);
	KUNIT_EXPECT_EQ(test, vioen_info_decode(&wire, &info),
			-EPROTONOSUPPORT);
}

static struct kunit_case wire_cases[] = {
	KUNIT_CASE(energy_is_active_and_base),
	KUNIT_CASE(energy_is_bounded),
	KUNIT_CASE(clamp_takes_over_what_grows),
	KUNIT_CASE(clamp_holds_what_falls),
	KUNIT_CASE(clamp_keeps_a_component_that_vanished),
	KUNIT_CASE(info_is_checked),
	{}
};

static struct kunit_suite wire_suite = {
	.name = "virtio_energy_wire",
	.test_cases = wire_cases,
};

kunit_test_suite(wire_suite);
