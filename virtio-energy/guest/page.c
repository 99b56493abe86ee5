// SPDX-License-Identifier: GPL-2.0
/*
 * A reading from the page that the device shares
 *
 * The device is the only writer. It makes the sequence odd, writes the reading
 * and makes the sequence even again, so a reader that saw the same even
 * sequence before and after has seen one reading as a whole. Neither side
 * waits for the other, and a reading costs no exit.
 *
 * This is a seqcount_t in all but one thing: the writer can't be trusted to
 * come to an end. It may be dead, hostile, or preempted by this very CPU, so
 * the reader gives up after a bounded number of attempts.
 *
 * Pure functions over the page: no state, no lock, any context.
 */

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/processor.h>
#include <asm/barrier.h>
#include <asm/byteorder.h>

#include "page.h"

/*
 * A writer that runs is done within a microsecond. Some ten of them are worth
 * spinning for; a writer that is preempted is worth sleeping for, which is the
 * caller's to decide.
 */
#define PAGE_ATTEMPTS	256

static bool page_valid(const struct virtio_energy_page *page)
{
	return le32_to_cpu(READ_ONCE(page->magic)) ==
	       VIRTIO_ENERGY_PAGE_MAGIC &&
	       le32_to_cpu(READ_ONCE(page->version)) ==
	       VIRTIO_ENERGY_PAGE_VERSION;
}

/* False while the device writes. */
static bool read_begin(const struct virtio_energy_page *page, u32 *sequence)
{
	*sequence = le32_to_cpu(READ_ONCE(page->sequence));
	/* Pairs with the device's barrier before it makes the sequence even. */
	virt_rmb();
	return !(*sequence & 1);
}

/* True if the device has written since read_begin(). */
static bool read_retry(const struct virtio_energy_page *page, u32 sequence)
{
	/* Pairs with the device's barrier after it made the sequence odd. */
	virt_rmb();
	return le32_to_cpu(READ_ONCE(page->sequence)) != sequence;
}

/**
 * vioen_page_read() - take a reading from the page
 * @page: the page, which changes at any time
 * @reading: the reading, undefined upon an error
 *
 * Context: Any. Does not sleep.
 * Return: 0; -EAGAIN if the device was writing all the while; -EIO if @page is
 *	   not one of a version that we know, or contradicts itself.
 */
int vioen_page_read(const struct virtio_energy_page *page,
		    struct vioen_reading *reading)
{
	struct virtio_energy_reading copy;
	unsigned int attempt;
	u32 sequence;

	if (!page_valid(page))
		return -EIO;

	for (attempt = 0; attempt < PAGE_ATTEMPTS; attempt++) {
		if (read_begin(page, &sequence)) {
			copy = page->reading;
			if (!read_retry(page, sequence))
				return vioen_reading_decode(&copy, reading);
		}
		cpu_relax();
	}
	return -EAGAIN;
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/page-kunit.h"
#endif
