/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_DOMAIN_H
#define _VMEN_DOMAIN_H

#include <linux/cgroup.h>
#include <linux/hash.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "account.h"
#include "control.h"

struct vmen_zone_set;

/* With a thousand domains few share a place. */
#define VMEN_DOMAIN_HASH_BITS	12
#define VMEN_CGROUP_LEVELS	64	/* depths of cgroup that can be domains */

/**
 * enum vmen_kind - what a domain is
 * @VMEN_MACHINE: the root of the tree, charged with what no other domain is
 * @VMEN_CGROUP: the tasks of a cgroup and of those below it
 * @VMEN_PROCESS: the threads of a process
 * @VMEN_VM: likewise, of one that runs a virtual machine; comes and goes with it
 */
enum vmen_kind {
	VMEN_MACHINE,
	VMEN_CGROUP,
	VMEN_PROCESS,
	VMEN_VM,
};

/**
 * struct vmen_domain - what energy is charged to
 * @kind: what it is
 * @is_vm: a process that runs a VM, whatever @kind says; changes under vmen_tree_lock
 * @key: the cgroup, or the signal_struct of the process; constant, kept from
 *       being used again by @cgroup or @task
 * @hash: node in vmen_domain_hash, removed before the domain is freed
 * @cgroup: referenced, for VMEN_CGROUP
 * @task: a thread, referenced so that @key stays, for VMEN_PROCESS and VMEN_VM
 * @pid: the process, referenced, likewise
 * @name: unique among the domains
 * @number: tells sub-zones apart: the process id of a VM, for others one that
 *	    no process has
 * @parent: NULL for the machine
 * @children: domains below, by their @sibling
 * @sibling: node in the parent's @children
 * @account: what was charged
 * @control: what it may use
 * @zones: what powercap shows of it, NULL if that could not be had
 * @ref: references; the tree holds one
 * @rcu: frees it, as hooks walk up the tree without a lock
 *
 * @kind, @name, @number, @parent, @children and @sibling change under both
 * vmen_tree_lock and vmen_account_lock: either is enough to read them. The hook
 * looks at @kind, @is_vm and @parent without. @zones is under vmen_tree_lock.
 */
struct vmen_domain {
	enum vmen_kind kind;
	bool is_vm;
	const void *key;
	struct hlist_node hash;

	struct cgroup *cgroup;
	struct task_struct *task;
	struct pid *pid;
	char name[VMEN_NAME_SIZE];
	u64 number;

	struct vmen_domain *parent;
	struct list_head children;
	struct list_head sibling;

	struct vmen_account account;
	struct vmen_control control;
	struct vmen_zone_set *zones;
	struct kref ref;
	struct rcu_head rcu;
};

extern struct mutex vmen_tree_lock;
extern struct vmen_domain vmen_machine;
extern struct hlist_head vmen_domain_hash[1 << VMEN_DOMAIN_HASH_BITS];
extern u64 vmen_cgroup_levels;

/**
 * vmen_domain_find - find the domain of a cgroup or process
 * @key: the cgroup or signal_struct
 *
 * Context: preemption is off; the domain lasts until it is on again.
 * Return: the domain, or NULL.
 */
static inline struct vmen_domain *vmen_domain_find(const void *key)
{
	struct vmen_domain *domain;

	hlist_for_each_entry_rcu(domain,
				 &vmen_domain_hash[hash_ptr(key, VMEN_DOMAIN_HASH_BITS)],
				 hash, rcu_read_lock_sched_held()) {
		if (domain->key == key)
			return domain;
	}
	return NULL;
}

/**
 * vmen_domain_of_cgroup - find the innermost domain that a cgroup lies in
 * @cgroup: of the default hierarchy
 *
 * Context: as vmen_domain_find().
 * Return: the domain, or NULL for the machine.
 */
static inline struct vmen_domain *vmen_domain_of_cgroup(struct cgroup *cgroup)
{
	u64 levels = READ_ONCE(vmen_cgroup_levels);

	if (cgroup->level < VMEN_CGROUP_LEVELS)
		levels &= GENMASK_ULL(cgroup->level, 0);
	while (levels) {
		int level = __fls(levels);
		struct vmen_domain *domain = vmen_domain_find(cgroup->ancestors[level]);

		if (domain)
			return domain;
		levels &= ~BIT_ULL(level);
	}
	return NULL;
}

/**
 * vmen_domain_key - the process that a task works for
 * @task: running on this CPU, or about to
 *
 * Its own or, for a kernel thread that uses another one's memory as vhost's do
 * before Linux 6.4, that one.
 *
 * Context: preemption is off.
 * Return: the key of the process.
 */
static inline const void *vmen_domain_key(struct task_struct *task)
{
#ifdef CONFIG_MEMCG
	if (unlikely(task->flags & PF_KTHREAD && task->mm)) {
		struct task_struct *owner = rcu_dereference_sched(task->mm->owner);

		if (owner)
			return owner->signal;
	}
#endif
	return task->signal;
}

/**
 * vmen_domain_of - find the domain that a task is charged to
 * @task: running on this CPU, or about to
 *
 * Its process if that is a domain, else the innermost of its cgroups that is,
 * else the machine.
 *
 * Context: as vmen_domain_find().
 * Return: the domain.
 */
static inline struct vmen_domain *vmen_domain_of(struct task_struct *task)
{
	struct vmen_domain *domain = vmen_domain_find(vmen_domain_key(task));

	if (!domain && READ_ONCE(vmen_cgroup_levels))
		domain = vmen_domain_of_cgroup(rcu_dereference_sched(task->cgroups)->dfl_cgrp);
	return domain ?: &vmen_machine;
}

/**
 * vmen_domain_is_process - is the domain a process?
 * @domain: the domain
 *
 * Return: true if it is charged for one process, false if for a cgroup or the
 * machine.
 */
static inline bool vmen_domain_is_process(const struct vmen_domain *domain)
{
	return READ_ONCE(domain->kind) >= VMEN_PROCESS;
}

struct vmen_domain *vmen_domain_next(struct vmen_domain *domain,
				     struct vmen_domain *top);

/**
 * vmen_for_each_domain - visit a domain and all below it, parents first
 * @domain: loop variable
 * @top: where to start
 */
#define vmen_for_each_domain(domain, top) \
	for ((domain) = (top); (domain); (domain) = vmen_domain_next(domain, top))

struct vmen_domain *vmen_domain_create_cgroup(const char *name, const char *path);
struct vmen_domain *vmen_domain_create_process(const char *name, pid_t tgid);
struct vmen_domain *vmen_domain_get_process(struct task_struct *task);
void vmen_domain_destroy(struct vmen_domain *domain);
void vmen_domain_update_tree(void);
void vmen_domain_reap_vms(void);

int vmen_domain_init(void);
void vmen_domain_exit(void);

#endif /* _VMEN_DOMAIN_H */
