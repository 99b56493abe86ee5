/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of the common configuration; included at the end of common.c. */
#include <kunit/test.h>

#define TEST_FEATURES	BIT_ULL(3)
#define ALL_FEATURES	(TRANSPORT_FEATURES | TEST_FEATURES)

static const struct vmdev_device_ops test_ops = {
	.features = TEST_FEATURES,
};

/**
 * struct common_test - a transport without a VMM
 * @device: its device, which has a feature
 * @irqs: nobody receives them
 * @pci: the transport, locked
 */
struct common_test {
	struct vmdev_device device;
	struct vmdev_irqs irqs;
	struct vmdev_pci pci;
};

static struct vmdev_pci *power_on(struct kunit *test)
{
	struct common_test *fixture = kunit_kzalloc(test, sizeof(*fixture), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fixture);
	fixture->device.ops = &test_ops;
	vmdev_irqs_init(&fixture->irqs);
	vmdev_pci_init(&fixture->pci, NULL, &fixture->device, &fixture->irqs);
	vmdev_pci_power_on(&fixture->pci);
	mutex_lock(&fixture->pci.lock);
	return &fixture->pci;
}

static void power_off(struct vmdev_pci *pci)
{
	mutex_unlock(&pci->lock);
	vmdev_pci_quiesce(pci);
}

static void put(struct vmdev_pci *pci, u32 offset, u32 value, size_t len)
{
	__le32 raw = cpu_to_le32(value);

	vmdev_common_write(pci, offset, &raw, len);
}

static u32 get(struct vmdev_pci *pci, u32 offset, size_t len)
{
	__le32 raw = 0;

	vmdev_common_read(pci, offset, &raw, len);
	return le32_to_cpu(raw);
}

static u8 set_status(struct vmdev_pci *pci, u8 status)
{
	put(pci, VIRTIO_PCI_COMMON_STATUS, status, 1);
	return get(pci, VIRTIO_PCI_COMMON_STATUS, 1);
}

static void accept(struct vmdev_pci *pci, u64 features)
{
	put(pci, VIRTIO_PCI_COMMON_GFSELECT, 0, 4);
	put(pci, VIRTIO_PCI_COMMON_GF, lower_32_bits(features), 4);
	put(pci, VIRTIO_PCI_COMMON_GFSELECT, 1, 4);
	put(pci, VIRTIO_PCI_COMMON_GF, upper_32_bits(features), 4);
}

/* Up to FEATURES_OK, from where on queues can be set up */
static void negotiate(struct vmdev_pci *pci)
{
	accept(pci, ALL_FEATURES);
	set_status(pci, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
			VIRTIO_CONFIG_S_FEATURES_OK);
}

static void test_features_are_offered_in_words(struct kunit *test)
{
	struct vmdev_pci *pci = power_on(test);

	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_DF, 4), lower_32_bits(ALL_FEATURES));
	put(pci, VIRTIO_PCI_COMMON_DFSELECT, 1, 4);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_DF, 4), upper_32_bits(ALL_FEATURES));
	put(pci, VIRTIO_PCI_COMMON_DFSELECT, 2, 4);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_DF, 4), 0u);
	put(pci, VIRTIO_PCI_COMMON_DFSELECT, U32_MAX, 4);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_DF, 4), 0u);
	power_off(pci);
}

static void test_features_beyond_two_words_are_ignored(struct kunit *test)
{
	struct vmdev_pci *pci = power_on(test);

	accept(pci, ALL_FEATURES);
	put(pci, VIRTIO_PCI_COMMON_GFSELECT, 2, 4);
	put(pci, VIRTIO_PCI_COMMON_GF, U32_MAX, 4);
	KUNIT_EXPECT_EQ(test, pci->driver_features, ALL_FEATURES);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_GF, 4), 0u);
	power_off(pci);
}

static void test_features_must_be_offered(struct kunit *test)
{
	static const u64 wrong[] = {
		0,
		TEST_FEATURES,
		ALL_FEATURES | BIT_ULL(0),
		ALL_FEATURES | BIT_ULL(63),
	};
	struct vmdev_pci *pci = power_on(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		accept(pci, wrong[i]);
		KUNIT_EXPECT_FALSE(test, set_status(pci, VIRTIO_CONFIG_S_FEATURES_OK) &
					 VIRTIO_CONFIG_S_FEATURES_OK);
	}
	accept(pci, BIT_ULL(VIRTIO_F_VERSION_1));
	KUNIT_EXPECT_TRUE(test, set_status(pci, VIRTIO_CONFIG_S_FEATURES_OK) &
				VIRTIO_CONFIG_S_FEATURES_OK);
	power_off(pci);
}

static void test_features_are_fixed_once_agreed(struct kunit *test)
{
	struct vmdev_pci *pci = power_on(test);

	negotiate(pci);
	accept(pci, 0);
	KUNIT_EXPECT_EQ(test, pci->driver_features, ALL_FEATURES);
	power_off(pci);
}

static void test_status_bits_come_in_order(struct kunit *test)
{
	struct vmdev_pci *pci = power_on(test);

	KUNIT_EXPECT_EQ(test, set_status(pci, VIRTIO_CONFIG_S_DRIVER_OK), 0);
	/* These are the device's to set. */
	KUNIT_EXPECT_EQ(test, set_status(pci, VIRTIO_CONFIG_S_NEEDS_RESET), 0);
	negotiate(pci);
	KUNIT_EXPECT_TRUE(test, set_status(pci, VIRTIO_CONFIG_S_DRIVER_OK) &
				VIRTIO_CONFIG_S_DRIVER_OK);
	/* Bits stay until a reset. */
	KUNIT_EXPECT_TRUE(test, set_status(pci, VIRTIO_CONFIG_S_ACKNOWLEDGE) &
				VIRTIO_CONFIG_S_DRIVER_OK);
	KUNIT_EXPECT_EQ(test, set_status(pci, 0), 0);
	KUNIT_EXPECT_EQ(test, pci->driver_features, 0ULL);
	power_off(pci);
}

static void test_queue_sizes(struct kunit *test)
{
	static const u32 wrong[] = { 0, 3, VMDEV_RING_MAX + 1, 2 * VMDEV_RING_MAX, U16_MAX };
	struct vmdev_pci *pci = power_on(test);
	int i;

	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_Q_SIZE, 2), (u32)VMDEV_RING_MAX);
	put(pci, VIRTIO_PCI_COMMON_Q_SIZE, 8, 2);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		put(pci, VIRTIO_PCI_COMMON_Q_SIZE, wrong[i], 2);
		KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_Q_SIZE, 2), 8u);
	}
	power_off(pci);
}

static void test_queues_wait_for_features(struct kunit *test)
{
	struct vmdev_pci *pci = power_on(test);

	put(pci, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0u);
	negotiate(pci);
	put(pci, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 2);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0u);
	put(pci, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1u);
	power_off(pci);
}

static void test_enabled_queue_is_fixed(struct kunit *test)
{
	struct vmdev_pci *pci = power_on(test);

	negotiate(pci);
	put(pci, VIRTIO_PCI_COMMON_Q_DESCLO, 0x1000, 4);
	put(pci, VIRTIO_PCI_COMMON_Q_DESCHI, 0x1, 4);
	put(pci, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	put(pci, VIRTIO_PCI_COMMON_Q_ENABLE, 0, 2);
	put(pci, VIRTIO_PCI_COMMON_Q_SIZE, 8, 2);
	put(pci, VIRTIO_PCI_COMMON_Q_DESCLO, 0x2000, 4);
	put(pci, VIRTIO_PCI_COMMON_Q_DESCHI, 0x2, 4);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1u);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_Q_SIZE, 2), (u32)VMDEV_RING_MAX);
	KUNIT_EXPECT_EQ(test, pci->queue[0].ring.desc_addr, 0x100001000ULL);
	power_off(pci);
}

static void test_queue_at_a_bad_address_breaks_the_device(struct kunit *test)
{
	struct vmdev_pci *pci = power_on(test);

	negotiate(pci);
	put(pci, VIRTIO_PCI_COMMON_Q_AVAILLO, 0x1001, 4);
	put(pci, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0u);
	KUNIT_EXPECT_TRUE(test, get(pci, VIRTIO_PCI_COMMON_STATUS, 1) &
				VIRTIO_CONFIG_S_NEEDS_RESET);
	power_off(pci);
}

static void test_queue_that_is_not_there(struct kunit *test)
{
	struct vmdev_pci *pci = power_on(test);
	u32 offset;

	negotiate(pci);
	put(pci, VIRTIO_PCI_COMMON_Q_SELECT, VIRTIO_ENERGY_NR_VQS, 2);
	for (offset = VIRTIO_PCI_COMMON_Q_SIZE; offset <= VIRTIO_PCI_COMMON_Q_USEDHI; offset += 2) {
		put(pci, offset, 1, 2);
		put(pci, offset, 1, 4);
		KUNIT_EXPECT_EQ(test, get(pci, offset, 2), 0u);
	}
	put(pci, VIRTIO_PCI_COMMON_Q_SELECT, U16_MAX, 2);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_Q_SIZE, 2), 0u);
	KUNIT_EXPECT_FALSE(test, pci->queue[0].ring.enabled || pci->queue[1].ring.enabled);
	power_off(pci);
}

static void test_vectors(struct kunit *test)
{
	struct vmdev_pci *pci = power_on(test);

	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	put(pci, VIRTIO_PCI_COMMON_MSIX, VMDEV_NR_VECTORS - 1, 2);
	put(pci, VIRTIO_PCI_COMMON_Q_MSIX, VMDEV_NR_VECTORS, 2);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_MSIX, 2), VMDEV_NR_VECTORS - 1u);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_Q_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	power_off(pci);
}

static void test_writes_must_fit_a_field(struct kunit *test)
{
	struct vmdev_pci *pci = power_on(test);

	put(pci, VIRTIO_PCI_COMMON_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE, 4);
	put(pci, VIRTIO_PCI_COMMON_DFSELECT, 1, 2);
	put(pci, VIRTIO_PCI_COMMON_DFSELECT + 2, 1, 2);
	put(pci, VIRTIO_PCI_COMMON_NUMQ, 9, 2);
	KUNIT_EXPECT_EQ(test, pci->status, 0);
	KUNIT_EXPECT_EQ(test, pci->device_select, 0u);
	KUNIT_EXPECT_EQ(test, get(pci, VIRTIO_PCI_COMMON_NUMQ, 2), (u32)VIRTIO_ENERGY_NR_VQS);
	KUNIT_EXPECT_EQ(test, get(pci, sizeof(struct virtio_pci_common_cfg), 4), 0u);
	power_off(pci);
}

static struct kunit_case common_cases[] = {
	KUNIT_CASE(test_features_are_offered_in_words),
	KUNIT_CASE(test_features_beyond_two_words_are_ignored),
	KUNIT_CASE(test_features_must_be_offered),
	KUNIT_CASE(test_features_are_fixed_once_agreed),
	KUNIT_CASE(test_status_bits_come_in_order),
	KUNIT_CASE(test_queue_sizes),
	KUNIT_CASE(test_queues_wait_for_features),
	KUNIT_CASE(test_enabled_queue_is_fixed),
	KUNIT_CASE(test_queue_at_a_bad_address_breaks_the_device),
	KUNIT_CASE(test_queue_that_is_not_there),
	KUNIT_CASE(test_vectors),
	KUNIT_CASE(test_writes_must_fit_a_field),
	{}
};

static struct kunit_suite common_suite = {
	.name = "vmdev-common",
	.test_cases = common_cases,
};

kunit_test_suite(common_suite);
