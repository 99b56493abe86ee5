/* SPDX-License-Identifier: GPL-2.0 */
/* Reads of a register file at any offset and length. */
#ifndef _VMDEV_SLICE_H
#define _VMDEV_SLICE_H

#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>

/**
 * vmdev_slice - copy a part of a structure; beyond its end all is zero
 * @data: stores the part
 * @len: bytes to copy
 * @offset: where the part starts
 * @from: the structure
 * @size: its size
 */
static inline void vmdev_slice(void *data, size_t len, u64 offset,
			       const void *from, size_t size)
{
	size_t there = offset < size ? min_t(size_t, len, size - offset) : 0;

	memcpy(data, from + (there ? offset : 0), there);
	memset(data + there, 0, len - there);
}

#endif /* _VMDEV_SLICE_H */
