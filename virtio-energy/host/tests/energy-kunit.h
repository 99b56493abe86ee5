/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of what requests are answered; included at the end of energy.c. */
#include <kunit/test.h>

#define TEST_GENERATION	7
#define TEST_ENERGY_UJ	1234567000ULL

/**
 * struct answer_test - a device with an account, a request and its response
 * @energy: the device
 * @request: what the driver sends, and more
 * @response: what comes back
 */
struct answer_test {
	struct vmdev_energy energy;
	u8 request[VMDEV_MAX_REQUEST] __aligned(8);
	u8 response[VMDEV_MAX_RESPONSE] __aligned(8);
};

static struct answer_test *test_device(struct kunit *test)
{
	struct answer_test *fixture = kunit_kzalloc(test, sizeof(*fixture), GFP_KERNEL);
	struct virtio_energy_reading *reading;

	KUNIT_ASSERT_NOT_NULL(test, fixture);
	spin_lock_init(&fixture->energy.page.lock);
	reading = &fixture->energy.page.image.reading;
	reading->generation = cpu_to_le32(TEST_GENERATION);
	reading->nr_components = cpu_to_le32(VMEN_NR_COMPONENTS);
	reading->energy_uj = cpu_to_le64(TEST_ENERGY_UJ);
	return fixture;
}

/* Returns the length of the response; checks that no more was written. */
static size_t ask(struct kunit *test, struct answer_test *fixture, u32 type, u32 reserved,
		  size_t len, size_t room)
{
	struct virtio_energy_req *req = (void *)fixture->request;
	size_t used;

	req->type = cpu_to_le32(type);
	req->reserved = cpu_to_le32(reserved);
	memset(fixture->response, 0xa5, sizeof(fixture->response));
	used = energy_respond(&fixture->energy.device, req, len, fixture->response, room);
	KUNIT_EXPECT_LE(test, used, room);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(fixture->response + used, 0xa5,
					     sizeof(fixture->response) - used), NULL);
	return used;
}

static u32 status_of(const struct answer_test *fixture)
{
	return le32_to_cpu(((struct virtio_energy_resp *)fixture->response)->status);
}

static u32 len_of(const struct answer_test *fixture)
{
	return le32_to_cpu(((struct virtio_energy_resp *)fixture->response)->len);
}

static void test_read_is_answered(struct kunit *test)
{
	const size_t all = sizeof(struct virtio_energy_resp) +
			   sizeof(struct virtio_energy_reading);
	struct answer_test *fixture = test_device(test);
	struct virtio_energy_reading *reading =
		(void *)fixture->response + sizeof(struct virtio_energy_resp);

	KUNIT_EXPECT_EQ(test, ask(test, fixture, VIRTIO_ENERGY_REQ_READ, 0,
				  sizeof(struct virtio_energy_req), all), all);
	KUNIT_EXPECT_EQ(test, status_of(fixture), (u32)VIRTIO_ENERGY_S_OK);
	KUNIT_EXPECT_EQ(test, len_of(fixture), (u32)sizeof(*reading));
	KUNIT_EXPECT_EQ(test, le64_to_cpu(reading->energy_uj), TEST_ENERGY_UJ);
}

static void test_info_is_answered(struct kunit *test)
{
	struct answer_test *fixture = test_device(test);
	struct virtio_energy_info *info =
		(void *)fixture->response + sizeof(struct virtio_energy_resp);

	KUNIT_EXPECT_EQ(test, ask(test, fixture, VIRTIO_ENERGY_REQ_GET_INFO, 0,
				  sizeof(struct virtio_energy_req), VMDEV_MAX_RESPONSE),
			sizeof(struct virtio_energy_resp) + sizeof(*info));
	KUNIT_EXPECT_EQ(test, status_of(fixture), (u32)VIRTIO_ENERGY_S_OK);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(info->version), (u32)VIRTIO_ENERGY_PAGE_VERSION);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(info->generation), (u32)TEST_GENERATION);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(info->nr_components), (u32)VMEN_NR_COMPONENTS);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(info->update_period_us), update_period_us());
	KUNIT_EXPECT_EQ(test, le32_to_cpu(info->quantum_uj), vmdev_quantum_uj.value);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(info->reserved), 0u);
}

static void test_unknown_requests_are_told_apart(struct kunit *test)
{
	static const u32 types[] = { 0, VIRTIO_ENERGY_REQ_GET_INFO + 1, U32_MAX };
	struct answer_test *fixture = test_device(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		KUNIT_EXPECT_EQ(test, ask(test, fixture, types[i], 0,
					  sizeof(struct virtio_energy_req), VMDEV_MAX_RESPONSE),
				sizeof(struct virtio_energy_resp));
		KUNIT_EXPECT_EQ(test, status_of(fixture), (u32)VIRTIO_ENERGY_S_UNSUPP);
		KUNIT_EXPECT_EQ(test, len_of(fixture), 0u);
	}
}

static void test_malformed_requests_are_refused(struct kunit *test)
{
	static const size_t lengths[] = { 0, 1, 4, 7, 9, VMDEV_MAX_REQUEST };
	struct answer_test *fixture = test_device(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		KUNIT_EXPECT_EQ(test, ask(test, fixture, VIRTIO_ENERGY_REQ_READ, 0, lengths[i],
					  VMDEV_MAX_RESPONSE),
				sizeof(struct virtio_energy_resp));
		KUNIT_EXPECT_EQ(test, status_of(fixture), (u32)VIRTIO_ENERGY_S_INVAL);
	}
	ask(test, fixture, VIRTIO_ENERGY_REQ_READ, 1, sizeof(struct virtio_energy_req),
	    VMDEV_MAX_RESPONSE);
	KUNIT_EXPECT_EQ(test, status_of(fixture), (u32)VIRTIO_ENERGY_S_INVAL);
}

/* However little room there is, nothing is written beyond it. */
static void test_room_is_respected(struct kunit *test)
{
	struct answer_test *fixture = test_device(test);
	size_t room, used;
	u32 type;

	for (type = VIRTIO_ENERGY_REQ_READ; type <= VIRTIO_ENERGY_REQ_GET_INFO; type++) {
		for (room = 0; room <= sizeof(struct virtio_energy_resp); room++) {
			used = ask(test, fixture, type, 0, sizeof(struct virtio_energy_req), room);
			KUNIT_EXPECT_EQ(test, used, room == sizeof(struct virtio_energy_resp) ?
						    room : 0);
		}
	}
	room = sizeof(struct virtio_energy_resp) + sizeof(struct virtio_energy_reading) - 1;
	ask(test, fixture, VIRTIO_ENERGY_REQ_READ, 0, sizeof(struct virtio_energy_req), room);
	KUNIT_EXPECT_EQ(test, status_of(fixture), (u32)VIRTIO_ENERGY_S_INVAL);
}

static struct kunit_case energy_cases[] = {
	KUNIT_CASE(test_read_is_answered),
	KUNIT_CASE(test_info_is_answered),
	KUNIT_CASE(test_unknown_requests_are_told_apart),
	KUNIT_CASE(test_malformed_requests_are_refused),
	KUNIT_CASE(test_room_is_respected),
	{}
};

static struct kunit_suite energy_suite = {
	.name = "vmdev-energy",
	.test_cases = energy_cases,
};

kunit_test_suite(energy_suite);
