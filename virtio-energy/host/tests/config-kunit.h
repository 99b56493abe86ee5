/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of PCI configuration space; included at the end of config.c. */
#include <kunit/test.h>

static void write_dword(struct vmdev_config *config, u32 offset, u32 value)
{
	__le32 raw = cpu_to_le32(value);

	vmdev_config_write(config, offset, &raw, sizeof(raw));
}

/* A BAR's size is what stays zero when all ones are written. */
static void test_bar_sizes(struct kunit *test)
{
	struct vmdev_config config;
	__le32 *bar = config.header.bar;
	int i;

	vmdev_config_reset(&config);
	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		write_dword(&config, PCI_BASE_ADDRESS_0 + i * 4, U32_MAX);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(bar[0]), 0xfffff000u);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(bar[1]), 0u);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(bar[2]), 0xc000000cu);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(bar[3]), 0xffffffffu);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(bar[4]), 0u);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(bar[5]), 0u);
}

static void test_capabilities(struct kunit *test)
{
	u8 next = initial.header.capabilities;
	int virtio = 0, msix = 0, n;

	for (n = 0; next && n < PCI_CFG_SPACE_SIZE / 4; n++) {
		KUNIT_ASSERT_GE(test, next, PCI_STD_HEADER_SIZEOF);
		KUNIT_ASSERT_TRUE(test, IS_ALIGNED(next, 4));
		virtio += initial.bytes[next] == PCI_CAP_ID_VNDR;
		msix += initial.bytes[next] == PCI_CAP_ID_MSIX;
		next = initial.bytes[next + PCI_CAP_LIST_NEXT];
	}
	KUNIT_EXPECT_EQ(test, next, 0);
	KUNIT_EXPECT_EQ(test, virtio, 6);
	KUNIT_EXPECT_EQ(test, msix, 1);
}

static void test_read_only(struct kunit *test)
{
	struct vmdev_config config;

	vmdev_config_reset(&config);
	write_dword(&config, PCI_VENDOR_ID, 0);
	write_dword(&config, PCI_CLASS_REVISION, 0);
	write_dword(&config, OFFSET(common), U32_MAX);
	write_dword(&config, OFFSET(msix.table), U32_MAX);
	KUNIT_EXPECT_EQ(test, memcmp(&config, &initial, sizeof(config)), 0);
}

static void test_bus_master(struct kunit *test)
{
	struct vmdev_config config;

	vmdev_config_reset(&config);
	KUNIT_EXPECT_FALSE(test, vmdev_config_can_dma(&config));
	write_dword(&config, PCI_COMMAND, U32_MAX);
	KUNIT_EXPECT_TRUE(test, vmdev_config_can_dma(&config));
	KUNIT_EXPECT_EQ(test, le16_to_cpu(config.header.status),
			PCI_STATUS_CAP_LIST);
}

static bool aim(u32 bar, u32 offset, u32 len)
{
	struct vmdev_access access;
	struct vmdev_config config;

	vmdev_config_reset(&config);
	write_dword(&config, OFFSET(window.cap.bar), bar);
	write_dword(&config, OFFSET(window.cap.offset), offset);
	write_dword(&config, OFFSET(window.cap.length), len);
	return vmdev_config_window(&config, OFFSET(window.pci_cfg_data),
				   &access);
}

static void test_window(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, aim(0, 0, 4));
	KUNIT_EXPECT_TRUE(test, aim(0, 2, 2));
	KUNIT_EXPECT_TRUE(test, aim(0, VMDEV_REGS_BAR_SIZE - 1, 1));
	KUNIT_EXPECT_FALSE(test, aim(0, VMDEV_REGS_BAR_SIZE, 1));
	KUNIT_EXPECT_FALSE(test, aim(0, VMDEV_REGS_BAR_SIZE - 2, 4));
	KUNIT_EXPECT_FALSE(test, aim(0, U32_MAX, 1));
	KUNIT_EXPECT_FALSE(test, aim(0, 0, 0));
	KUNIT_EXPECT_FALSE(test, aim(0, 0, 3));
	KUNIT_EXPECT_FALSE(test, aim(0, 0, 8));
	KUNIT_EXPECT_FALSE(test, aim(0, 0, 0x80000000));
	KUNIT_EXPECT_FALSE(test, aim(0, 1, 2));
	KUNIT_EXPECT_FALSE(test, aim(VMDEV_MEMORY_BAR, 0, 4));
	KUNIT_EXPECT_FALSE(test, aim(U8_MAX, 0, 4));
}

static struct kunit_case config_tests[] = {
	KUNIT_CASE(test_bar_sizes),
	KUNIT_CASE(test_capabilities),
	KUNIT_CASE(test_read_only),
	KUNIT_CASE(test_bus_master),
	KUNIT_CASE(test_window),
	{ }
};

static struct kunit_suite config_suite = {
	.name = "vmdev-config",
	.test_cases = config_tests,
};

kunit_test_suite(config_suite);
