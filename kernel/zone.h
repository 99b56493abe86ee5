/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_ZONE_H
#define _VMEN_ZONE_H

struct vmen_domain;

void vmen_zones_show(struct vmen_domain *top);
void vmen_zones_hide(struct vmen_domain *top);

int vmen_zone_init(void);
void vmen_zone_exit(void);

#endif /* _VMEN_ZONE_H */
