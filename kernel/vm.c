// SPDX-License-Identifier: GPL-2.0
/*
 * VMs come and go
 *
 * The scheduler hook notices a thread inside KVM_RUN whose process is not a
 * domain yet, and the death of a VM's threads. Under the run queue's lock all
 * it may do is to leave a note and raise an irq_work; a work item then makes
 * the domain, or looks which VMs have ended. A note that finds the place
 * taken is dropped: the thread will be noticed again when it next runs.
 *
 * Another probe sees tasks being moved between cgroups, upon which the tree
 * of domains is brought up to date.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/sched/task.h>
#include <linux/workqueue.h>
#include <trace/events/cgroup.h>

#include "domain.h"
#include "probe.h"
#include "vm.h"

/**
 * struct note - what the hook has noticed on a CPU
 * @vcpu: a thread of a VM that has no domain, referenced; set by this CPU if
 *        it is NULL, taken by vm_work
 * @irq_work: queues vm_work
 */
struct note {
	struct task_struct *vcpu;
	struct irq_work irq_work;
};

static DEFINE_PER_CPU(struct note, notes);

static void welcome(struct task_struct *vcpu)
{
	struct vmen_domain *domain = vmen_domain_get_process(vcpu);

	if (!IS_ERR(domain))
		vmen_domain_put(domain);
	else if (PTR_ERR(domain) != -ESRCH)
		pr_warn_ratelimited("no domain for the VM of process %d: %pe\n",
				    task_tgid_nr(vcpu), domain);
	put_task_struct(vcpu);
}

static void vm_work_fn(struct work_struct *work)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct task_struct *vcpu = xchg(&per_cpu(notes, cpu).vcpu, NULL);

		if (vcpu)
			welcome(vcpu);
	}
	/* The last thread may have ended before its process became a domain. */
	vmen_domain_reap_vms();
}

static DECLARE_WORK(vm_work, vm_work_fn);

static void tree_work_fn(struct work_struct *work)
{
	vmen_domain_update_tree();
}

static DECLARE_WORK(tree_work, tree_work_fn);

static void queue_vm_work(struct irq_work *irq_work)
{
	schedule_work(&vm_work);
}

/**
 * vmen_vm_notice - look closer at a task for which vmen_vm_is_news()
 * @domain: what the task is charged to
 * @task: current
 * @state: TASK_DEAD if it never runs again
 *
 * Context: interrupts are off; the run queue may be locked.
 */
void vmen_vm_notice(struct vmen_domain *domain, struct task_struct *task,
		    unsigned int state)
{
	struct note *note = this_cpu_ptr(&notes);

	if (state == TASK_DEAD) {
		if (READ_ONCE(domain->kind) == VMEN_VM)
			irq_work_queue(&note->irq_work);
		return;
	}
	if (vmen_domain_is_process(domain) || note->vcpu)
		return;
	/* vm_work may already have this one's process from another CPU. */
	WRITE_ONCE(note->vcpu, get_task_struct(task));
	irq_work_queue(&note->irq_work);
}

static void probe_cgroup_attach_task(void *data, struct cgroup *cgroup, const char *path,
				     struct task_struct *task, bool threadgroup)
{
	guard(irqsave)();
	if (vmen_domain_find(task->signal))
		schedule_work(&tree_work);
}

static struct vmen_probe probes[] = {
	VMEN_PROBE(cgroup_attach_task, probe_cgroup_attach_task),
};

/**
 * vmen_vm_init - get ready for notes, and follow moves between cgroups
 *
 * Return: 0 or a negative error.
 */
int vmen_vm_init(void)
{
	int cpu;

	check_trace_callback_type_cgroup_attach_task(probe_cgroup_attach_task);
	for_each_possible_cpu(cpu)
		init_irq_work(&per_cpu(notes, cpu).irq_work, queue_vm_work);
	return vmen_probes_register(probes, ARRAY_SIZE(probes));
}

/**
 * vmen_vm_exit - let go of all notes
 *
 * Context: the scheduler hook does not run any more.
 */
void vmen_vm_exit(void)
{
	int cpu;

	vmen_probes_unregister(probes, ARRAY_SIZE(probes));
	for_each_possible_cpu(cpu)
		irq_work_sync(&per_cpu(notes, cpu).irq_work);
	cancel_work_sync(&vm_work);
	cancel_work_sync(&tree_work);
	for_each_possible_cpu(cpu) {
		struct task_struct *vcpu = xchg(&per_cpu(notes, cpu).vcpu, NULL);

		if (vcpu)
			put_task_struct(vcpu);
	}
}
