/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own work: what no task has ordered, or not this one
 */
#ifndef _VMEN_WORK_H
#define _VMEN_WORK_H

#include <linux/percpu.h>

#include "account.h"

struct seq_file;

/**
 * enum vmen_work - kinds of work that the kernel does
 * @VMEN_WORK_INTERRUPT: handlers of hard interrupts
 * @VMEN_WORK_SOFTIRQ: softirqs
 * @VMEN_WORK_KTHREAD: kernel threads that are in no domain
 * @VMEN_WORK_BLOCK: any of these when they have dealt with block requests
 * @VMEN_NR_WORKS: how many there are
 */
enum vmen_work {
	VMEN_WORK_INTERRUPT,
	VMEN_WORK_SOFTIRQ,
	VMEN_WORK_KTHREAD,
	VMEN_WORK_BLOCK,
	VMEN_NR_WORKS,
};

/**
 * struct vmen_works - what a CPU has charged as the kernel's own work
 * @account: by enum vmen_work
 */
struct vmen_works {
	struct vmen_cpu_account account[VMEN_NR_WORKS];
};

DECLARE_PER_CPU(struct vmen_works, vmen_works);

/**
 * vmen_work_account - this CPU's counters of a kind of work
 * @work: the kind
 *
 * Context: preemption is off.
 * Return: the counters.
 */
static inline struct vmen_cpu_account *vmen_work_account(enum vmen_work work)
{
	return this_cpu_ptr(&vmen_works.account[work]);
}

u64 vmen_work_fold(struct vmen_domain *machine);
u64 vmen_work_charged_pj(void);
void vmen_work_show(struct seq_file *m);

#endif /* _VMEN_WORK_H */
