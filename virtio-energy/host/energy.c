// SPDX-License-Identifier: GPL-2.0
/*
 * The virtio-energy device
 *
 * Shows a VM the account that the core keeps of it, and no other. What a
 * request returns is what the shared page showed last. No event is defined
 * yet: the buffers of the eventq stay where the driver put them.
 *
 * Specification: Documentation/virtio/virtio-energy.rst
 */
#include <linux/build_bug.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/time64.h>
#include <linux/vmenergy.h>

#include "energy.h"
#include "params.h"

static struct vmdev_energy *to_energy(struct vmdev_device *device)
{
	return container_of(device, struct vmdev_energy, device);
}

static u32 update_period_us(void)
{
	return vmdev_update_ms.value * USEC_PER_MSEC;
}

static void energy_config(struct vmdev_device *device, void *config)
{
	struct virtio_energy_config *energy_config = config;

	*energy_config = (struct virtio_energy_config) {
		.nr_components = cpu_to_le32(VMEN_NR_COMPONENTS),
		.update_period_us = cpu_to_le32(update_period_us()),
		.quantum_uj = cpu_to_le32(vmdev_quantum_uj.value),
	};
}

static void energy_read_memory(struct vmdev_device *device, u64 offset,
			       void *data, size_t len)
{
	vmdev_page_read(&to_energy(device)->page, offset, data, len);
}

static void get_info(struct vmdev_energy *energy,
		     struct virtio_energy_info *info)
{
	struct virtio_energy_reading reading;

	vmdev_page_reading(&energy->page, &reading);
	*info = (struct virtio_energy_info) {
		.version = cpu_to_le32(VIRTIO_ENERGY_PAGE_VERSION),
		.generation = reading.generation,
		.nr_components = reading.nr_components,
		.update_period_us = cpu_to_le32(update_period_us()),
		.quantum_uj = cpu_to_le32(vmdev_quantum_uj.value),
	};
}

/* Returns the length of the payload, or -EINVAL if there is no room for it. */
static int answer_read(struct vmdev_energy *energy, void *payload, size_t room)
{
	if (room < sizeof(struct virtio_energy_reading))
		return -EINVAL;
	vmdev_page_reading(&energy->page, payload);
	return sizeof(struct virtio_energy_reading);
}

static int answer_info(struct vmdev_energy *energy, void *payload, size_t room)
{
	if (room < sizeof(struct virtio_energy_info))
		return -EINVAL;
	get_info(energy, payload);
	return sizeof(struct virtio_energy_info);
}

static int answer(struct vmdev_energy *energy,
		  const struct virtio_energy_req *request, size_t len,
		  void *payload, size_t room)
{
	if (len != sizeof(*request) || request->reserved)
		return -EINVAL;

	switch (le32_to_cpu(request->type)) {
	case VIRTIO_ENERGY_REQ_READ:
		return answer_read(energy, payload, room);
	case VIRTIO_ENERGY_REQ_GET_INFO:
		return answer_info(energy, payload, room);
	default:
		return -EOPNOTSUPP;
	}
}

static u32 to_status(int result)
{
	if (result >= 0)
		return VIRTIO_ENERGY_S_OK;
	return result == -EOPNOTSUPP ? VIRTIO_ENERGY_S_UNSUPP :
				       VIRTIO_ENERGY_S_INVAL;
}

/* A response without room for its head is none at all. */
static size_t energy_respond(struct vmdev_device *device,
			     const void *request, size_t len,
			     void *response, size_t room)
{
	struct virtio_energy_resp *head = response;
	int payload;

	if (room < sizeof(*head))
		return 0;
	payload = answer(to_energy(device), request, len,
			 head + 1, room - sizeof(*head));
	head->status = cpu_to_le32(to_status(payload));
	head->len = cpu_to_le32(max(payload, 0));
	return sizeof(*head) + max(payload, 0);
}

static const struct vmdev_device_ops energy_ops = {
	.features	= BIT_ULL(VIRTIO_ENERGY_F_PAGE),
	.config_size	= sizeof(struct virtio_energy_config),
	.config		= energy_config,
	.read_memory	= energy_read_memory,
	.respond	= energy_respond,
};

static_assert(sizeof(struct virtio_energy_config) <= VMDEV_MAX_DEVICE_CONFIG);
static_assert(sizeof(struct virtio_energy_req) < VMDEV_MAX_REQUEST);
static_assert(sizeof(struct virtio_energy_resp) +
	      sizeof(struct virtio_energy_reading) <= VMDEV_MAX_RESPONSE);
static_assert(sizeof(struct virtio_energy_resp) +
	      sizeof(struct virtio_energy_info) <= VMDEV_MAX_RESPONSE);

/**
 * vmdev_energy_open - find the calling VM's account and start to show it
 * @energy: the device
 *
 * Context: a thread of the VM's process.
 * Return: 0, -ENOMEM, or an error as from vmen_domain_get_vm().
 */
int vmdev_energy_open(struct vmdev_energy *energy)
{
	int err;

	energy->device.ops = &energy_ops;
	energy->domain = vmen_domain_get_vm();
	if (IS_ERR(energy->domain))
		return PTR_ERR(energy->domain);
	err = vmdev_page_open(&energy->page, energy->domain);
	if (err)
		vmen_domain_put(energy->domain);
	return err;
}

/**
 * vmdev_energy_close - stop to show the account and let go of it
 * @energy: an open device that its transport does not use any more
 */
void vmdev_energy_close(struct vmdev_energy *energy)
{
	vmdev_page_close(&energy->page);
	vmen_domain_put(energy->domain);
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/energy-kunit.h"
#endif
