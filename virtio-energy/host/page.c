// SPDX-License-Identifier: GPL-2.0
/*
 * Shared pages
 *
 * One timer refreshes the pages of all open devices, each update_ms: the
 * domain's account is read, every energy in it rounded down to a multiple of
 * quantum_uj, and the result written to the page under its sequence count.
 * What a guest is told by any other way is what its page showed last, so that
 * nothing gives a finer view of the account, in time or in energy, than these
 * two parameters allow (power is a side channel, see PLATYPUS by Lipp et al.,
 * S&P 2021).
 *
 * A guest can write to its page: a read-only mapping would let it stop the
 * VM. So the host never reads the page; it keeps an image of its own.
 *
 * Invariants: a page is on the list exactly while it is open. The timer runs
 * exactly while the list has an entry. Energies never decrease.
 *
 * Locks: pages_lock protects the list and the state of the timer, and is held
 * over vmen_domain_read(). vmdev_page.lock nests inside and is a leaf.
 */
#include <linux/cleanup.h>
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>
#include <linux/vmenergy.h>
#include <linux/workqueue.h>

#include "page.h"
#include "params.h"
#include "slice.h"

static_assert(sizeof(struct virtio_energy_page) <= VIRTIO_ENERGY_PAGE_SIZE);
static_assert(VIRTIO_ENERGY_PAGE_SIZE <= PAGE_SIZE);
static_assert(VMEN_NR_COMPONENTS <= VIRTIO_ENERGY_MAX_COMPONENTS);
static_assert((int)VMEN_CPU == VIRTIO_ENERGY_CPU);
static_assert((int)VMEN_DISK == VIRTIO_ENERGY_DISK);

static LIST_HEAD(pages);
static DEFINE_MUTEX(pages_lock);
static struct hrtimer refresh_timer;

static u64 round_down_uj(u64 uj, u32 quantum_uj)
{
	u32 rest;

	div_u64_rem(uj, quantum_uj, &rest);
	return uj - rest;
}

static void fill_reading(struct virtio_energy_reading *reading,
			 const struct vmen_reading *account, u32 quantum_uj)
{
	u64 total_uj = 0;
	int c;

	*reading = (struct virtio_energy_reading) {
		.nr_components = cpu_to_le32(VMEN_NR_COMPONENTS),
	};
	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		u64 active_uj = round_down_uj(account[c].used.active.uj, quantum_uj);
		u64 base_uj = round_down_uj(account[c].used.base.uj, quantum_uj);

		reading->component[c].energy_uj = cpu_to_le64(active_uj + base_uj);
		reading->component[c].active_uj = cpu_to_le64(active_uj);
		reading->component[c].base_uj = cpu_to_le64(base_uj);
		total_uj += active_uj + base_uj;
	}
	reading->energy_uj = cpu_to_le64(total_uj);
}

/* The header is written each time, to undo what a guest did to it. */
static void show_image(struct virtio_energy_page *shared,
		       const struct virtio_energy_page *image)
{
	u32 sequence = le32_to_cpu(image->sequence);

	WRITE_ONCE(shared->sequence, cpu_to_le32(sequence - 1));
	/* A reader that sees new data sees the odd sequence, too. */
	smp_wmb();
	shared->magic = image->magic;
	shared->version = image->version;
	shared->reserved = image->reserved;
	shared->reading = image->reading;
	/* A reader that sees the even sequence sees all new data. */
	smp_wmb();
	WRITE_ONCE(shared->sequence, image->sequence);
}

static void refresh(struct vmdev_page *page)
{
	struct virtio_energy_page *image = &page->image;
	struct vmen_reading account[VMEN_NR_COMPONENTS];
	struct virtio_energy_reading reading;

	vmen_domain_read(page->domain, account);
	fill_reading(&reading, account, vmdev_quantum_uj.value);

	/* Not preempted: a guest may be waiting for the sequence to be even. */
	spin_lock(&page->lock);
	image->reading = reading;
	le32_add_cpu(&image->sequence, 2);
	show_image(page->shared, image);
	spin_unlock(&page->lock);
}

static void refresh_all(struct work_struct *work)
{
	struct vmdev_page *page;

	guard(mutex)(&pages_lock);
	list_for_each_entry(page, &pages, node) {
		refresh(page);
		cond_resched();
	}
}

static DECLARE_WORK(refresh_work, refresh_all);

static enum hrtimer_restart refresh_due(struct hrtimer *timer)
{
	queue_work(system_unbound_wq, &refresh_work);
	hrtimer_forward_now(timer, ms_to_ktime(vmdev_update_ms.value));
	return HRTIMER_RESTART;
}

static void list_page(struct vmdev_page *page)
{
	guard(mutex)(&pages_lock);
	if (list_empty(&pages))
		hrtimer_start(&refresh_timer,
			      ms_to_ktime(vmdev_update_ms.value),
			      HRTIMER_MODE_REL_SOFT);
	list_add_tail(&page->node, &pages);
}

static void unlist_page(struct vmdev_page *page)
{
	guard(mutex)(&pages_lock);
	list_del(&page->node);
	if (list_empty(&pages))
		hrtimer_cancel(&refresh_timer);
}

/**
 * vmdev_page_open - make a page and keep it up to date
 * @page: the page
 * @domain: whose account to show; must outlive vmdev_page_close()
 *
 * Context: process context.
 * Return: 0 or -ENOMEM.
 */
int vmdev_page_open(struct vmdev_page *page, struct vmen_domain *domain)
{
	page->shared = vmalloc_user(PAGE_SIZE);
	if (!page->shared)
		return -ENOMEM;
	page->domain = domain;
	spin_lock_init(&page->lock);
	page->image = (struct virtio_energy_page) {
		.magic = cpu_to_le32(VIRTIO_ENERGY_PAGE_MAGIC),
		.version = cpu_to_le32(VIRTIO_ENERGY_PAGE_VERSION),
	};
	refresh(page);
	list_page(page);
	return 0;
}

/**
 * vmdev_page_close - stop updates and free the page
 * @page: a page that nobody has mapped any more
 *
 * Context: process context.
 */
void vmdev_page_close(struct vmdev_page *page)
{
	unlist_page(page);
	vfree(page->shared);
}

/**
 * vmdev_page_reading - what the page shows
 * @page: an open page
 * @reading: stores the reading
 */
void vmdev_page_reading(struct vmdev_page *page,
			struct virtio_energy_reading *reading)
{
	spin_lock(&page->lock);
	*reading = page->image.reading;
	spin_unlock(&page->lock);
}

/**
 * vmdev_page_read - read from the page by a way other than its mapping
 * @page: an open page
 * @offset: where to start; beyond the page all is zero
 * @data: stores what was read
 * @len: bytes to read
 */
void vmdev_page_read(struct vmdev_page *page, u64 offset, void *data,
		     size_t len)
{
	spin_lock(&page->lock);
	vmdev_slice(data, len, offset, &page->image, sizeof(page->image));
	spin_unlock(&page->lock);
}

/**
 * vmdev_page_mmap - map the page
 * @page: an open page
 * @vma: where to; the caller has checked that it is one page
 *
 * Context: mmap_lock is held, so no lock of this module may be taken: under
 *          the transport's lock guest memory is accessed.
 * Return: 0 or a negative error.
 */
int vmdev_page_mmap(struct vmdev_page *page, struct vm_area_struct *vma)
{
	return remap_vmalloc_range(vma, page->shared, 0);
}

/**
 * vmdev_pages_init - get ready for the first page
 */
void vmdev_pages_init(void)
{
	hrtimer_setup(&refresh_timer, refresh_due, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
}

/**
 * vmdev_pages_exit - wait for the last update
 *
 * Context: process context; no page is open.
 */
void vmdev_pages_exit(void)
{
	cancel_work_sync(&refresh_work);
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/page-kunit.h"
#endif
