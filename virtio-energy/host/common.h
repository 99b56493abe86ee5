/* SPDX-License-Identifier: GPL-2.0 */
/* The common configuration structure of the transport. */
#ifndef _VMDEV_COMMON_H
#define _VMDEV_COMMON_H

#include <linux/types.h>

struct vmdev_pci;

void vmdev_common_read(struct vmdev_pci *pci, u32 offset, void *data,
		       size_t len);
void vmdev_common_write(struct vmdev_pci *pci, u32 offset, const void *data,
			size_t len);

#endif /* _VMDEV_COMMON_H */
