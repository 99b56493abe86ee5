/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_VM_H
#define _VMEN_VM_H

#include <linux/sched.h>

struct vmen_domain;

/**
 * vmen_vm_is_news - may this task tell of a VM that starts or ends?
 * @task: running, or just switched out
 * @state: its state then
 *
 * KVM_RUN registers a preempt notifier, and hardly anything else does.
 *
 * Return: whether vmen_vm_notice() should have a closer look.
 */
static __always_inline bool vmen_vm_is_news(struct task_struct *task, unsigned int state)
{
#ifdef CONFIG_PREEMPT_NOTIFIERS
	if (READ_ONCE(task->preempt_notifiers.first))
		return true;
#endif
	return state == TASK_DEAD;
}

void vmen_vm_notice(struct vmen_domain *domain, struct task_struct *task,
		    unsigned int state);

int vmen_vm_init(void);
void vmen_vm_exit(void);

#endif /* _VMEN_VM_H */
