/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A reading from the page that the device shares
 */
#ifndef _VIOEN_PAGE_H
#define _VIOEN_PAGE_H

#include "wire.h"

int vioen_page_read(const struct virtio_energy_page *page,
		    struct vioen_reading *reading);

#endif /* _VIOEN_PAGE_H */
