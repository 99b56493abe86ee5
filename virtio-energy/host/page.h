/* SPDX-License-Identifier: GPL-2.0 */
/* The page of memory in which a guest reads its account without an exit. */
#ifndef _VMDEV_PAGE_H
#define _VMDEV_PAGE_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <uapi/linux/virtio_energy.h>

struct vm_area_struct;
struct vmen_domain;

/**
 * struct vmdev_page - the page of one open device
 * @node: in the list of all pages, under its lock
 * @domain: whose account the page shows
 * @shared: PAGE_SIZE bytes that the guest may scribble on; only ever written
 * @lock: protects @image and writes to @shared
 * @image: what @shared should hold; its sequence is even
 */
struct vmdev_page {
	struct list_head node;
	struct vmen_domain *domain;
	struct virtio_energy_page *shared;
	spinlock_t lock; /* a leaf */
	struct virtio_energy_page image;
};

int vmdev_page_open(struct vmdev_page *page, struct vmen_domain *domain);
void vmdev_page_close(struct vmdev_page *page);
void vmdev_page_reading(struct vmdev_page *page,
			struct virtio_energy_reading *reading);
void vmdev_page_read(struct vmdev_page *page, u64 offset, void *data,
		     size_t len);
int vmdev_page_mmap(struct vmdev_page *page, struct vm_area_struct *vma);

void vmdev_pages_init(void);
void vmdev_pages_exit(void);

#endif /* _VMDEV_PAGE_H */
