// SPDX-License-Identifier: GPL-2.0
/*
 * Split virtqueues (virtio 1.2, section 2.7)
 *
 * The guest is hostile and its memory changes while we look at it. So each
 * word is read exactly once into kernel memory and checked there; loops are
 * bounded by the queue's size, never by what the guest says. What can't come
 * from a sane driver is an error, which breaks the queue for good: the owner
 * does not call again before a reset.
 *
 * Indirect descriptors, event indices and packed rings are not offered.
 *
 * Guest memory is accessed by vfio_dma_rw(), which sleeps and wants a kernel
 * thread or a work item. The rules of the ring itself take plain arguments
 * and know no guest.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/stddef.h>
#include <linux/vfio.h>
#include <linux/virtio_byteorder.h>
#include <linux/virtio_ring.h>

#include "ring.h"

/**
 * typedef read_desc_fn - how to read a descriptor
 * @context: the reader's own
 * @index: which, below the queue's size
 * @desc: stores the descriptor
 *
 * Return: 0 or a negative error.
 */
typedef int (*read_desc_fn)(void *context, u16 index, struct vring_desc *desc);

static u16 from_virtio16(__virtio16 value)
{
	return __virtio16_to_cpu(true, value);
}

/*
 * How many entries wait for the device. A driver can't be ahead by more than
 * the ring holds: an index that has run backwards looks as if it were.
 */
static int nr_available(u16 avail_index, u16 next_avail, u16 size)
{
	u16 ahead = avail_index - next_avail;

	return ahead <= size ? ahead : -EINVAL;
}

static int add_segment(struct vmdev_chain *chain, u64 addr, u32 len, bool in)
{
	u32 *total = in ? &chain->in_len : &chain->out_len;
	u64 end;

	if (!len || check_add_overflow(addr, (u64)len, &end))
		return -EINVAL;
	if (!in && chain->nr_in)
		return -EINVAL;
	if (check_add_overflow(*total, len, total))
		return -EINVAL;
	chain->segment[chain->nr_out + chain->nr_in] = (struct vmdev_segment) {
		.addr = addr,
		.len = len,
	};
	if (in)
		chain->nr_in++;
	else
		chain->nr_out++;
	return 0;
}

static int add_desc(struct vmdev_chain *chain, const struct vring_desc *desc)
{
	u16 flags = from_virtio16(desc->flags);

	if (flags & VRING_DESC_F_INDIRECT)
		return -EINVAL;
	return add_segment(chain, __virtio64_to_cpu(true, desc->addr),
			   __virtio32_to_cpu(true, desc->len),
			   flags & VRING_DESC_F_WRITE);
}

/* A chain that is longer than the table must meet a descriptor twice. */
static int walk_chain(struct vmdev_chain *chain, u16 head, u16 size,
		      read_desc_fn read_desc, void *context)
{
	struct vring_desc desc;
	u16 index = head;
	int err, n;

	chain->head = head;
	chain->nr_out = 0;
	chain->nr_in = 0;
	chain->out_len = 0;
	chain->in_len = 0;
	for (n = 0; n < size; n++) {
		if (index >= size)
			return -EINVAL;
		err = read_desc(context, index, &desc);
		if (err)
			return err;
		err = add_desc(chain, &desc);
		if (err)
			return err;
		if (!(from_virtio16(desc.flags) & VRING_DESC_F_NEXT))
			return 0;
		index = from_virtio16(desc.next);
	}
	return -ELOOP;
}

static bool is_area(u64 addr, u64 len, u64 align)
{
	u64 end;

	return IS_ALIGNED(addr, align) && !check_add_overflow(addr, len, &end);
}

static int ring_read(struct vmdev_ring *ring, u64 addr, void *data, size_t len)
{
	return vfio_dma_rw(ring->vdev, addr, data, len, false);
}

static int ring_write(struct vmdev_ring *ring, u64 addr, void *data, size_t len)
{
	return vfio_dma_rw(ring->vdev, addr, data, len, true);
}

static int read_avail(struct vmdev_ring *ring, size_t offset, u16 *value)
{
	__virtio16 raw;
	int err;

	err = ring_read(ring, ring->avail_addr + offset, &raw, sizeof(raw));
	if (!err)
		*value = from_virtio16(raw);
	return err;
}

static int read_desc(void *context, u16 index, struct vring_desc *desc)
{
	struct vmdev_ring *ring = context;

	return ring_read(ring, ring->desc_addr + index * sizeof(*desc),
			 desc, sizeof(*desc));
}

/**
 * vmdev_ring_reset - back to what a driver finds at first
 * @ring: the ring
 */
void vmdev_ring_reset(struct vmdev_ring *ring)
{
	*ring = (struct vmdev_ring) {
		.vdev = ring->vdev,
		.size = VMDEV_RING_MAX,
	};
}

/**
 * vmdev_ring_enable - take a ring into service
 * @ring: the ring, set up by the driver
 *
 * Return: 0, or -EINVAL if its parts are misaligned or wrap.
 */
int vmdev_ring_enable(struct vmdev_ring *ring)
{
	u64 n = ring->size;

	if (!is_area(ring->desc_addr, n * sizeof(struct vring_desc),
		     VRING_DESC_ALIGN_SIZE) ||
	    !is_area(ring->avail_addr, offsetof(struct vring_avail, ring[n]),
		     VRING_AVAIL_ALIGN_SIZE) ||
	    !is_area(ring->used_addr, offsetof(struct vring_used, ring[n]),
		     VRING_USED_ALIGN_SIZE))
		return -EINVAL;
	ring->enabled = true;
	return 0;
}

/**
 * vmdev_ring_pop - take the next available chain
 * @ring: an enabled ring
 * @chain: stores the chain
 *
 * Context: work item, may sleep.
 * Return: 1 if there was one, 0 if not, a negative error if the ring is
 *         broken.
 */
int vmdev_ring_pop(struct vmdev_ring *ring, struct vmdev_chain *chain)
{
	u16 slot = ring->next_avail % ring->size;
	u16 avail_index, head;
	int err;

	err = read_avail(ring, offsetof(struct vring_avail, idx), &avail_index);
	if (err)
		return err;
	err = nr_available(avail_index, ring->next_avail, ring->size);
	if (err <= 0)
		return err;
	/* Entries are read after the index that says they are there. */
	smp_rmb();
	err = read_avail(ring, offsetof(struct vring_avail, ring[slot]), &head);
	if (err)
		return err;
	err = walk_chain(chain, head, ring->size, read_desc, ring);
	if (err)
		return err;
	ring->next_avail++;
	return 1;
}

/**
 * vmdev_ring_push - give a chain back to the driver
 * @ring: the ring it came from
 * @head: the chain's head
 * @len: bytes the device has written
 *
 * Context: work item, may sleep.
 * Return: 0 or a negative error if the ring is broken.
 */
int vmdev_ring_push(struct vmdev_ring *ring, u16 head, u32 len)
{
	u16 slot = ring->next_used % ring->size;
	struct vring_used_elem elem = {
		.id = __cpu_to_virtio32(true, head),
		.len = __cpu_to_virtio32(true, len),
	};
	__virtio16 used_index;
	int err;

	err = ring_write(ring, ring->used_addr +
			 offsetof(struct vring_used, ring[slot]),
			 &elem, sizeof(elem));
	if (err)
		return err;
	/* The driver sees the entry and the data before the index. */
	smp_wmb();
	used_index = __cpu_to_virtio16(true, ++ring->next_used);
	return ring_write(ring, ring->used_addr +
			  offsetof(struct vring_used, idx),
			  &used_index, sizeof(used_index));
}

/**
 * vmdev_ring_wants_interrupt - does the driver want to hear of used chains?
 * @ring: an enabled ring
 *
 * Context: work item, may sleep.
 * Return: 1 or 0, or a negative error if the ring is broken.
 */
int vmdev_ring_wants_interrupt(struct vmdev_ring *ring)
{
	u16 flags;
	int err;

	/* A driver that sets the flag late looks at the index once more. */
	smp_mb();
	err = read_avail(ring, offsetof(struct vring_avail, flags), &flags);
	return err ?: !(flags & VRING_AVAIL_F_NO_INTERRUPT);
}

static int copy_segments(struct vmdev_ring *ring,
			 const struct vmdev_segment *segment, int nr,
			 void *data, size_t len, bool write)
{
	for (; nr && len; nr--, segment++) {
		size_t part = min_t(size_t, len, segment->len);
		int err = vfio_dma_rw(ring->vdev, segment->addr, data, part,
				      write);

		if (err)
			return err;
		data += part;
		len -= part;
	}
	return 0;
}

/**
 * vmdev_ring_read - read what the driver has put into a chain
 * @ring: the ring it came from
 * @chain: the chain
 * @data: stores the chain's first bytes
 * @len: how many, at most the chain's out_len
 *
 * Context: work item, may sleep.
 * Return: 0 or a negative error if the ring is broken.
 */
int vmdev_ring_read(struct vmdev_ring *ring, const struct vmdev_chain *chain,
		    void *data, size_t len)
{
	return copy_segments(ring, chain->segment, chain->nr_out, data, len,
			     false);
}

/**
 * vmdev_ring_write - write to a chain for the driver
 * @ring: the ring it came from
 * @chain: the chain
 * @data: what to write, from the chain's first writable byte on
 * @len: how many bytes, at most the chain's in_len
 *
 * Context: work item, may sleep.
 * Return: 0 or a negative error if the ring is broken.
 */
int vmdev_ring_write(struct vmdev_ring *ring, const struct vmdev_chain *chain,
		     void *data, size_t len)
{
	return copy_segments(ring, chain->segment + chain->nr_out,
			     chain->nr_in, data, len, true);
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/ring-kunit.h"
#endif
