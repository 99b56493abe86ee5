/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * virtio-energy: a virtual machine's own energy account
 *
 * The wire ABI between the device and its driver. All fields are little
 * endian, all energies cumulative microjoules since the account was opened.
 * Documentation/virtio/virtio-energy.rst is the specification.
 */
#ifndef _UAPI_LINUX_VIRTIO_ENERGY_H
#define _UAPI_LINUX_VIRTIO_ENERGY_H

#include <linux/types.h>

/*
 * Not assigned by the virtio standard. Linux binds ids up to 63 only; this is
 * the one place to change once an id is assigned.
 */
#define VIRTIO_ID_ENERGY		59

/* Feature bits */
#define VIRTIO_ENERGY_F_PAGE		0	/* shared memory region 0 */

/* Virtqueues */
#define VIRTIO_ENERGY_VQ_REQUEST	0
#define VIRTIO_ENERGY_VQ_EVENT		1
#define VIRTIO_ENERGY_NR_VQS		2

/* Shared memory region that holds the page */
#define VIRTIO_ENERGY_SHM_PAGE		0

/* Components of an account */
#define VIRTIO_ENERGY_CPU		0
#define VIRTIO_ENERGY_DISK		1
#define VIRTIO_ENERGY_MAX_COMPONENTS	8

/**
 * struct virtio_energy_config - device configuration space
 * @nr_components: components that the device accounts, 1 to 8
 * @update_period_us: longest age of a reading in microseconds
 * @quantum_uj: readings are multiples of this many microjoules
 * @reserved: zero
 */
struct virtio_energy_config {
	__le32 nr_components;
	__le32 update_period_us;
	__le32 quantum_uj;
	__le32 reserved;
};

/**
 * struct virtio_energy_component - the account of one component
 * @energy_uj: energy used, @active_uj + @base_uj
 * @active_uj: caused by the machine's activity
 * @base_uj: the machine's share of what the hardware uses when idle
 * @reserved: zero
 */
struct virtio_energy_component {
	__le64 energy_uj;
	__le64 active_uj;
	__le64 base_uj;
	__le64 reserved;
};

/**
 * struct virtio_energy_reading - a consistent reading of the whole account
 * @generation: changes when the account continues on another host
 * @nr_components: entries of @component in use, the others are zero
 * @energy_uj: sum over @component
 * @component: indexed by VIRTIO_ENERGY_CPU, VIRTIO_ENERGY_DISK
 */
struct virtio_energy_reading {
	__le32 generation;
	__le32 nr_components;
	__le64 energy_uj;
	struct virtio_energy_component component[VIRTIO_ENERGY_MAX_COMPONENTS];
};

#define VIRTIO_ENERGY_PAGE_MAGIC	0x59475245	/* "ERGY" */
#define VIRTIO_ENERGY_PAGE_VERSION	1
#define VIRTIO_ENERGY_PAGE_SIZE		4096

/**
 * struct virtio_energy_page - shared memory region 0, written by the device
 * @magic: VIRTIO_ENERGY_PAGE_MAGIC
 * @version: VIRTIO_ENERGY_PAGE_VERSION
 * @sequence: odd while the device writes; a reader takes it before and after
 *            @reading and tries again if it was odd or has changed
 * @reserved: zero
 * @reading: the account
 *
 * The rest of the page is zero and reserved.
 */
struct virtio_energy_page {
	__le32 magic;
	__le32 version;
	__le32 sequence;
	__le32 reserved;
	struct virtio_energy_reading reading;
};

/* Requests */
#define VIRTIO_ENERGY_REQ_READ		1
#define VIRTIO_ENERGY_REQ_GET_INFO	2

/* Status of a response */
#define VIRTIO_ENERGY_S_OK		0
#define VIRTIO_ENERGY_S_UNSUPP		1	/* unknown request */
#define VIRTIO_ENERGY_S_INVAL		2	/* malformed request */

/**
 * struct virtio_energy_req - a request, the driver's part of the chain
 * @type: VIRTIO_ENERGY_REQ_*
 * @reserved: zero
 */
struct virtio_energy_req {
	__le32 type;
	__le32 reserved;
};

/**
 * struct virtio_energy_resp - head of every response, the device's part
 * @status: VIRTIO_ENERGY_S_*
 * @len: bytes of payload that follow
 *
 * READ is answered by struct virtio_energy_reading, GET_INFO by struct
 * virtio_energy_info. A response that does not fit the driver's buffers is
 * refused with VIRTIO_ENERGY_S_INVAL.
 */
struct virtio_energy_resp {
	__le32 status;
	__le32 len;
};

/**
 * struct virtio_energy_info - what the device is
 * @version: VIRTIO_ENERGY_PAGE_VERSION
 * @generation: as in struct virtio_energy_reading
 * @nr_components: as in struct virtio_energy_config
 * @update_period_us: as in struct virtio_energy_config
 * @quantum_uj: as in struct virtio_energy_config
 * @reserved: zero
 */
struct virtio_energy_info {
	__le32 version;
	__le32 generation;
	__le32 nr_components;
	__le32 update_period_us;
	__le32 quantum_uj;
	__le32 reserved;
};

/**
 * struct virtio_energy_event - an event, written to a buffer of the eventq
 * @type: none is defined by this version; drivers ignore what they don't know
 * @generation: as in struct virtio_energy_reading
 * @value: by @type
 */
struct virtio_energy_event {
	__le32 type;
	__le32 generation;
	__le64 value;
};

#endif /* _UAPI_LINUX_VIRTIO_ENERGY_H */
