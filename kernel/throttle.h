/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_THROTTLE_H
#define _VMEN_THROTTLE_H

#include <linux/types.h>

struct task_struct;
struct vmen_domain;

void vmen_throttle_spend(struct vmen_domain *domain, s64 now_ns);
void vmen_throttle_start(struct vmen_domain *domain, struct task_struct *task, s64 now_ns);
void vmen_throttle_tick(struct vmen_domain *domain, s64 now_ns);
void vmen_throttle_wake(const struct vmen_domain *domain);

void vmen_throttle_init(void);
void vmen_throttle_exit(void);

#endif /* _VMEN_THROTTLE_H */
