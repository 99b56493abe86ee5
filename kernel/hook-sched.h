/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_HOOK_SCHED_H
#define _VMEN_HOOK_SCHED_H

#include <linux/jump_label.h>
#include <linux/types.h>

DECLARE_STATIC_KEY_FALSE(vmen_charges_are_news);

void vmen_hook_charge_this_cpu(void);
void vmen_hook_refresh(void);
u64 vmen_hook_charged_pj(void);

int vmen_hook_sched_init(void);
void vmen_hook_sched_exit(void);

#endif /* _VMEN_HOOK_SCHED_H */
