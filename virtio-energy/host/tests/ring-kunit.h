/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of the rules of a ring; included at the end of ring.c. */
#include <kunit/test.h>

#define TEST_SIZE	4

/**
 * struct ring_case - a descriptor table and what walking it should give
 * @name: what is special about it
 * @table: addresses, lengths, flags and next ones
 * @head: where to start
 * @err: 0 or a negative error
 * @nr_out: segments to read
 * @nr_in: segments to write
 * @out_len: bytes to read
 * @in_len: bytes to write
 */
struct ring_case {
	const char *name;
	struct {
		u64 addr;
		u32 len;
		u16 flags;
		u16 next;
	} table[TEST_SIZE];
	u16 head;
	int err;
	u16 nr_out;
	u16 nr_in;
	u32 out_len;
	u32 in_len;
};

static const struct ring_case ring_cases[] = {
	{
		.name = "one to read",
		.table = { { 0x1000, 8 } },
		.nr_out = 1,
		.out_len = 8,
	}, {
		.name = "one to write",
		.table = { { 0x1000, 8, VRING_DESC_F_WRITE } },
		.nr_in = 1,
		.in_len = 8,
	}, {
		.name = "a request and room for its response",
		.table = {
			[3] = { 0x1000, 8, VRING_DESC_F_NEXT, 1 },
			[1] = { 0x2000, 280, VRING_DESC_F_WRITE },
		},
		.head = 3,
		.nr_out = 1,
		.nr_in = 1,
		.out_len = 8,
		.in_len = 280,
	}, {
		.name = "as long as the table",
		.table = {
			{ 0x1000, 1, VRING_DESC_F_NEXT, 1 },
			{ 0x2000, 2, VRING_DESC_F_NEXT, 2 },
			{ 0x3000, 3, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 3 },
			{ 0x4000, 4, VRING_DESC_F_WRITE },
		},
		.nr_out = 2,
		.nr_in = 2,
		.out_len = 3,
		.in_len = 7,
	}, {
		.name = "the next one is ignored without the flag",
		.table = { { 0x1000, 8, 0, 0xffff } },
		.nr_out = 1,
		.out_len = 8,
	}, {
		.name = "the greatest total",
		.table = {
			{ 0x1000, 0xffffff00, VRING_DESC_F_NEXT, 1 },
			{ 0x1000, 0xff },
		},
		.nr_out = 2,
		.out_len = U32_MAX,
	}, {
		.name = "head beyond the table",
		.table = { { 0x1000, 8 } },
		.head = TEST_SIZE,
		.err = -EINVAL,
	}, {
		.name = "next beyond the table",
		.table = { { 0x1000, 8, VRING_DESC_F_NEXT, TEST_SIZE } },
		.err = -EINVAL,
	}, {
		.name = "points to itself",
		.table = { { 0x1000, 8, VRING_DESC_F_NEXT, 0 } },
		.err = -ELOOP,
	}, {
		.name = "loop of two",
		.table = {
			{ 0x1000, 8, VRING_DESC_F_NEXT, 1 },
			{ 0x2000, 8, VRING_DESC_F_NEXT, 0 },
		},
		.err = -ELOOP,
	}, {
		.name = "empty segment",
		.table = { { 0x1000, 0 } },
		.err = -EINVAL,
	}, {
		.name = "to write before to read",
		.table = {
			{ 0x1000, 8, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1 },
			{ 0x2000, 8 },
		},
		.err = -EINVAL,
	}, {
		.name = "total to read too big",
		.table = {
			{ 0x1000, 0xffffff00, VRING_DESC_F_NEXT, 1 },
			{ 0x1000, 0x100 },
		},
		.err = -EINVAL,
	}, {
		.name = "total to write too big",
		.table = {
			{ 0x1000, U32_MAX, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1 },
			{ 0x1000, U32_MAX, VRING_DESC_F_WRITE },
		},
		.err = -EINVAL,
	}, {
		.name = "address wraps",
		.table = { { U64_MAX - 6, 8 } },
		.err = -EINVAL,
	}, {
		.name = "indirect",
		.table = { { 0x1000, 16, VRING_DESC_F_INDIRECT } },
		.err = -EINVAL,
	},
};

static void ring_case_name(const struct ring_case *ring_case, char *name)
{
	strscpy(name, ring_case->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ring, ring_cases, ring_case_name);

static int read_test_desc(void *context, u16 index, struct vring_desc *desc)
{
	const struct ring_case *ring_case = context;

	*desc = (struct vring_desc) {
		.addr = __cpu_to_virtio64(true, ring_case->table[index].addr),
		.len = __cpu_to_virtio32(true, ring_case->table[index].len),
		.flags = __cpu_to_virtio16(true, ring_case->table[index].flags),
		.next = __cpu_to_virtio16(true, ring_case->table[index].next),
	};
	return 0;
}

static void test_walk(struct kunit *test)
{
	const struct ring_case *ring_case = test->param_value;
	struct vmdev_chain *chain;

	chain = kunit_kzalloc(test, sizeof(*chain), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chain);
	KUNIT_ASSERT_EQ(test, walk_chain(chain, ring_case->head, TEST_SIZE,
					 read_test_desc, (void *)ring_case),
			ring_case->err);
	if (ring_case->err)
		return;
	KUNIT_EXPECT_EQ(test, chain->head, ring_case->head);
	KUNIT_EXPECT_EQ(test, chain->nr_out, ring_case->nr_out);
	KUNIT_EXPECT_EQ(test, chain->nr_in, ring_case->nr_in);
	KUNIT_EXPECT_EQ(test, chain->out_len, ring_case->out_len);
	KUNIT_EXPECT_EQ(test, chain->in_len, ring_case->in_len);
	KUNIT_EXPECT_EQ(test, chain->segment[0].addr,
			ring_case->table[ring_case->head].addr);
}

static int fail_to_read(void *context, u16 index, struct vring_desc *desc)
{
	return -EFAULT;
}

static void test_walk_unreadable(struct kunit *test)
{
	struct vmdev_chain *chain;

	chain = kunit_kzalloc(test, sizeof(*chain), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chain);
	KUNIT_EXPECT_EQ(test, walk_chain(chain, 0, TEST_SIZE, fail_to_read, NULL),
			-EFAULT);
}

/* A chain of the greatest size fills the segments exactly. */
static int read_endless_desc(void *context, u16 index, struct vring_desc *desc)
{
	*desc = (struct vring_desc) {
		.len = __cpu_to_virtio32(true, 1),
		.flags = __cpu_to_virtio16(true, VRING_DESC_F_NEXT),
		.next = __cpu_to_virtio16(true, (index + 1) % VMDEV_RING_MAX),
	};
	return 0;
}

static void test_walk_endless(struct kunit *test)
{
	struct vmdev_chain *chain;

	chain = kunit_kzalloc(test, sizeof(*chain), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chain);
	KUNIT_EXPECT_EQ(test, walk_chain(chain, 1, VMDEV_RING_MAX,
					 read_endless_desc, NULL), -ELOOP);
	KUNIT_EXPECT_EQ(test, chain->nr_out, VMDEV_RING_MAX);
}

static void test_available(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, nr_available(0, 0, 64), 0);
	KUNIT_EXPECT_EQ(test, nr_available(1, 0, 64), 1);
	KUNIT_EXPECT_EQ(test, nr_available(64, 0, 64), 64);
	KUNIT_EXPECT_EQ(test, nr_available(65, 0, 64), -EINVAL);
	KUNIT_EXPECT_EQ(test, nr_available(1, 0, 1), 1);
	KUNIT_EXPECT_EQ(test, nr_available(2, 0, 1), -EINVAL);
}

static void test_available_wraps(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, nr_available(0, 0xffff, 64), 1);
	KUNIT_EXPECT_EQ(test, nr_available(62, 0xfffe, 64), 64);
	KUNIT_EXPECT_EQ(test, nr_available(63, 0xfffe, 64), -EINVAL);
	KUNIT_EXPECT_EQ(test, nr_available(0xffff, 0xffff, 64), 0);
}

static void test_available_backwards(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, nr_available(4, 5, 64), -EINVAL);
	KUNIT_EXPECT_EQ(test, nr_available(0xffff, 0, 64), -EINVAL);
	KUNIT_EXPECT_EQ(test, nr_available(0x8000, 0, 64), -EINVAL);
}

static void test_areas(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, is_area(0, 64, 16));
	KUNIT_EXPECT_TRUE(test, is_area(0x1002, 64, 2));
	KUNIT_EXPECT_FALSE(test, is_area(0x1002, 64, 4));
	KUNIT_EXPECT_FALSE(test, is_area(0x1008, 64, 16));
	KUNIT_EXPECT_TRUE(test, is_area(U64_MAX - 127, 64, 16));
	KUNIT_EXPECT_FALSE(test, is_area(U64_MAX - 31, 64, 16));
}

static void test_enable(struct kunit *test)
{
	struct vmdev_ring ring = { .size = 1 };

	vmdev_ring_reset(&ring);
	KUNIT_EXPECT_EQ(test, ring.size, VMDEV_RING_MAX);
	ring.desc_addr = 0x1008;
	KUNIT_EXPECT_EQ(test, vmdev_ring_enable(&ring), -EINVAL);
	KUNIT_EXPECT_FALSE(test, ring.enabled);
	ring.desc_addr = 0x1000;
	ring.avail_addr = 0x2002;
	ring.used_addr = 0x3004;
	KUNIT_EXPECT_EQ(test, vmdev_ring_enable(&ring), 0);
	KUNIT_EXPECT_TRUE(test, ring.enabled);
}

static struct kunit_case ring_tests[] = {
	KUNIT_CASE_PARAM(test_walk, ring_gen_params),
	KUNIT_CASE(test_walk_unreadable),
	KUNIT_CASE(test_walk_endless),
	KUNIT_CASE(test_available),
	KUNIT_CASE(test_available_wraps),
	KUNIT_CASE(test_available_backwards),
	KUNIT_CASE(test_areas),
	KUNIT_CASE(test_enable),
	{ }
};

static struct kunit_suite ring_suite = {
	.name = "vmdev-ring",
	.test_cases = ring_tests,
};

kunit_test_suite(ring_suite);
