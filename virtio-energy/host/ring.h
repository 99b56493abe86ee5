/* SPDX-License-Identifier: GPL-2.0 */
/* Split virtqueues, seen from the device. */
#ifndef _VMDEV_RING_H
#define _VMDEV_RING_H

#include <linux/types.h>

struct vfio_device;

/* Entries of a queue at most; a power of two. */
#define VMDEV_RING_MAX	64

/**
 * struct vmdev_segment - a buffer in guest memory
 * @addr: its address; @addr + @len does not wrap
 * @len: its length in bytes, not 0
 */
struct vmdev_segment {
	u64 addr;
	u32 len;
};

/**
 * struct vmdev_chain - a chain of buffers taken from a ring, checked
 * @head: index of its first descriptor
 * @nr_out: segments for the device to read
 * @nr_in: segments for the device to write
 * @out_len: bytes for the device to read
 * @in_len: bytes for the device to write
 * @segment: @nr_out segments, then @nr_in
 */
struct vmdev_chain {
	u16 head;
	u16 nr_out;
	u16 nr_in;
	u32 out_len;
	u32 in_len;
	struct vmdev_segment segment[VMDEV_RING_MAX];
};

/**
 * struct vmdev_ring - a split virtqueue
 * @vdev: gives access to guest memory
 * @size: entries, a power of two up to VMDEV_RING_MAX
 * @enabled: the driver has set it up; nothing below changes any more
 * @desc_addr: guest address of the descriptor table
 * @avail_addr: guest address of the available ring
 * @used_addr: guest address of the used ring
 * @next_avail: available entries taken, modulo 2^16
 * @next_used: used entries put, modulo 2^16
 *
 * The owner serialises all calls.
 */
struct vmdev_ring {
	struct vfio_device *vdev;
	u16 size;
	bool enabled;
	u64 desc_addr;
	u64 avail_addr;
	u64 used_addr;
	u16 next_avail;
	u16 next_used;
};

void vmdev_ring_reset(struct vmdev_ring *ring);
int vmdev_ring_enable(struct vmdev_ring *ring);
int vmdev_ring_pop(struct vmdev_ring *ring, struct vmdev_chain *chain);
int vmdev_ring_push(struct vmdev_ring *ring, u16 head, u32 len);
int vmdev_ring_wants_interrupt(struct vmdev_ring *ring);
int vmdev_ring_read(struct vmdev_ring *ring, const struct vmdev_chain *chain,
		    void *data, size_t len);
int vmdev_ring_write(struct vmdev_ring *ring, const struct vmdev_chain *chain,
		     void *data, size_t len);

#endif /* _VMDEV_RING_H */
