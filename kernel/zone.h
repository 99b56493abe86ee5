/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_ZONE_H
#define _VMEN_ZONE_H

#include <linux/kconfig.h>

struct vmen_domain;

#if IS_ENABLED(CONFIG_POWERCAP)

void vmen_zones_show(struct vmen_domain *top);
void vmen_zones_hide(struct vmen_domain *top);
void vmen_zones_notify(void);

int vmen_zone_init(void);
void vmen_zone_exit(void);

#else /* Debian's arm64 kernels, for instance: there is the table in /proc. */

static inline void vmen_zones_show(struct vmen_domain *top) {}
static inline void vmen_zones_hide(struct vmen_domain *top) {}
static inline void vmen_zones_notify(void) {}

static inline int vmen_zone_init(void)
{
	return 0;
}

static inline void vmen_zone_exit(void) {}

#endif

#endif /* _VMEN_ZONE_H */
