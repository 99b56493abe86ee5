/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_VM_H
#define _VMEN_VM_H

#include <linux/sched.h>

struct vmen_domain;

/**
 * vmen_vm_is_in_run - is this task inside KVM_RUN, or another call to a vCPU?
 * @task: running, or about to
 *
 * These register a preempt notifier, and hardly anything else does.
 *
 * Return: whether it is.
 */
static __always_inline bool vmen_vm_is_in_run(struct task_struct *task)
{
#ifdef CONFIG_PREEMPT_NOTIFIERS
	return READ_ONCE(task->preempt_notifiers.first);
#else
	return false;
#endif
}

/**
 * vmen_vm_is_news - may this task tell of a VM that starts or ends?
 * @task: running, or just switched out
 * @state: its state then
 *
 * Return: whether vmen_vm_notice() should have a closer look.
 */
static __always_inline bool vmen_vm_is_news(struct task_struct *task, unsigned int state)
{
	return vmen_vm_is_in_run(task) || state == TASK_DEAD;
}

void vmen_vm_notice(struct vmen_domain *domain, struct task_struct *task,
		    unsigned int state);

int vmen_vm_init(void);
void vmen_vm_exit(void);

#endif /* _VMEN_VM_H */
