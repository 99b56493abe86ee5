/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_GOVERN_H
#define _VMEN_GOVERN_H

struct vmen_domain;

void vmen_govern_begin(void);
void vmen_govern_collect(struct vmen_domain *top);
void vmen_govern_restart(struct vmen_domain *domain);
void vmen_govern_hurry(void);
void vmen_govern_start(void);
void vmen_govern_stop(void);

#endif /* _VMEN_GOVERN_H */
