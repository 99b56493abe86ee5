/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of what responses are taken, included by msg.c
 */

#include <kunit/test.h>

#define TEST_PAYLOAD	16
#define UNTOUCHED	0xa5

/* What the requester is left with when the device says this. */
static int respond(struct kunit *test, u32 status, u32 len, unsigned int used, u8 *payload)
{
	struct msg *msg = msg_create(VIRTIO_ENERGY_REQ_READ, TEST_PAYLOAD);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, msg);
	msg->resp.status = cpu_to_le32(status);
	msg->resp.len = cpu_to_le32(len);
	msg->used = used;
	memset(msg->payload, 1, TEST_PAYLOAD);
	memset(payload, UNTOUCHED, TEST_PAYLOAD);
	err = take_response(msg, payload, TEST_PAYLOAD);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(payload, err ? UNTOUCHED : 1, TEST_PAYLOAD), NULL);
	msg_put(msg);
	return err;
}

static void whole_response_is_taken(struct kunit *test)
{
	const unsigned int whole = sizeof(struct virtio_energy_resp) + TEST_PAYLOAD;
	u8 payload[TEST_PAYLOAD];

	KUNIT_EXPECT_EQ(test, respond(test, VIRTIO_ENERGY_S_OK, TEST_PAYLOAD, whole, payload), 0);
}

static void refusals_are_told_apart(struct kunit *test)
{
	const unsigned int head = sizeof(struct virtio_energy_resp);
	u8 payload[TEST_PAYLOAD];

	KUNIT_EXPECT_EQ(test, respond(test, VIRTIO_ENERGY_S_UNSUPP, 0, head, payload),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, respond(test, VIRTIO_ENERGY_S_INVAL, 0, head, payload), -EINVAL);
	KUNIT_EXPECT_EQ(test, respond(test, 3, 0, head, payload), -EIO);
	KUNIT_EXPECT_EQ(test, respond(test, U32_MAX, TEST_PAYLOAD, head, payload), -EIO);
}

static void lengths_must_agree(struct kunit *test)
{
	const unsigned int whole = sizeof(struct virtio_energy_resp) + TEST_PAYLOAD;
	static const u32 lens[] = { 0, TEST_PAYLOAD - 1, TEST_PAYLOAD + 1, U32_MAX };
	u8 payload[TEST_PAYLOAD];
	unsigned int used;
	int i;

	for (used = 0; used < whole; used++)
		KUNIT_EXPECT_EQ(test, respond(test, VIRTIO_ENERGY_S_OK, TEST_PAYLOAD, used,
					      payload), -EIO);
	KUNIT_EXPECT_EQ(test, respond(test, VIRTIO_ENERGY_S_OK, TEST_PAYLOAD, whole + 1, payload),
			-EIO);
	KUNIT_EXPECT_EQ(test, respond(test, VIRTIO_ENERGY_S_OK, TEST_PAYLOAD, UINT_MAX, payload),
			-EIO);
	for (i = 0; i < ARRAY_SIZE(lens); i++)
		KUNIT_EXPECT_EQ(test, respond(test, VIRTIO_ENERGY_S_OK, lens[i], whole, payload),
				-EIO);
}

static struct kunit_case msg_cases[] = {
	KUNIT_CASE(whole_response_is_taken),
	KUNIT_CASE(refusals_are_told_apart),
	KUNIT_CASE(lengths_must_agree),
	{}
};

static struct kunit_suite msg_suite = {
	.name = "virtio_energy_msg",
	.test_cases = msg_cases,
};

kunit_test_suite(msg_suite);
