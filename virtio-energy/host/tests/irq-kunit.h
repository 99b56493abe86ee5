/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of connecting interrupts; included at the end of irq.c. */
#include <kunit/test.h>

/* No process has this descriptor open. */
#define BAD_FD	999999

static int set_vectors(struct vmdev_irqs *irqs, u32 flags, unsigned int count, const void *data)
{
	struct vfio_irq_set set = {
		.flags = flags,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
		.count = count,
	};

	return vmdev_irqs_set(irqs, &set, data);
}

static void test_only_triggers_are_set(struct kunit *test)
{
	const s32 none[VMDEV_NR_VECTORS] = { -1, -1, -1 };
	struct vmdev_irqs irqs = {};

	vmdev_irqs_init(&irqs);
	KUNIT_EXPECT_EQ(test, set_vectors(&irqs, VFIO_IRQ_SET_ACTION_MASK |
					  VFIO_IRQ_SET_DATA_NONE, 1, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, set_vectors(&irqs, VFIO_IRQ_SET_ACTION_TRIGGER |
					  VFIO_IRQ_SET_DATA_EVENTFD, VMDEV_NR_VECTORS, none), 0);
	KUNIT_EXPECT_EQ(test, set_vectors(&irqs, VFIO_IRQ_SET_ACTION_TRIGGER |
					  VFIO_IRQ_SET_DATA_NONE, 0, NULL), 0);
	vmdev_irqs_release(&irqs);
}

/* A receiver is only compared here, so any pointer will do. */
static void test_bad_descriptor_changes_nothing(struct kunit *test)
{
	const s32 fds[VMDEV_NR_VECTORS] = { -1, -1, BAD_FD };
	struct eventfd_ctx *const before = (void *)test;
	struct vmdev_irqs irqs = {};
	int i;

	vmdev_irqs_init(&irqs);
	for (i = 0; i < VMDEV_NR_VECTORS; i++)
		irqs.vector[i] = before;
	KUNIT_EXPECT_EQ(test, set_vectors(&irqs, VFIO_IRQ_SET_ACTION_TRIGGER |
					  VFIO_IRQ_SET_DATA_EVENTFD, VMDEV_NR_VECTORS, fds),
			-EBADF);
	for (i = 0; i < VMDEV_NR_VECTORS; i++)
		KUNIT_EXPECT_PTR_EQ(test, irqs.vector[i], before);
}

static void test_nobody_receives(struct kunit *test)
{
	const u8 all[VMDEV_NR_VECTORS] = { 1, 1, 1 };
	struct vmdev_irqs irqs = {};
	u32 vector;

	vmdev_irqs_init(&irqs);
	for (vector = 0; vector <= U16_MAX; vector++)
		KUNIT_ASSERT_FALSE(test, vmdev_irqs_raise(&irqs, vector));
	KUNIT_EXPECT_EQ(test, set_vectors(&irqs, VFIO_IRQ_SET_ACTION_TRIGGER |
					  VFIO_IRQ_SET_DATA_BOOL, VMDEV_NR_VECTORS, all), 0);
	vmdev_irqs_request_unplug(&irqs);
}

static struct kunit_case irq_cases[] = {
	KUNIT_CASE(test_only_triggers_are_set),
	KUNIT_CASE(test_bad_descriptor_changes_nothing),
	KUNIT_CASE(test_nobody_receives),
	{}
};

static struct kunit_suite irq_suite = {
	.name = "vmdev-irq",
	.test_cases = irq_cases,
};

kunit_test_suite(irq_suite);
