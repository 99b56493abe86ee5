/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_TASKWORK_H
#define _VMEN_TASKWORK_H

#include <linux/types.h>

struct task_struct;

void vmen_taskwork_add(struct task_struct *task, bool early);
void vmen_taskwork_grow(void);

void vmen_taskwork_start(void (*work)(bool early));
void vmen_taskwork_stop(void);

#endif /* _VMEN_TASKWORK_H */
