// SPDX-License-Identifier: GPL-2.0
/*
 * Domains: what energy is charged to, and the tree that they form
 *
 * A process (a VM is one) or cgroup that is a domain lies below the innermost
 * cgroup around it that is a domain, else below the machine. The tree follows
 * the tasks: vmen_domain_update_tree() compares every domain's place with
 * where it should be, whenever a domain has come or gone or a process has
 * moved between cgroups.
 *
 * The hook finds domains in a hash by the address of their signal_struct or
 * cgroup. Each domain holds a reference that keeps this address from being
 * used again. Only bits set in vmen_cgroup_levels are depths at which a
 * cgroup can be a domain.
 *
 * Locks: vmen_tree_lock is taken for every change to the set or the shape of
 * domains and their zones, and outside all other locks of the module.
 * Changes to the shape take vmen_account_lock too. Look-ups in the hash run
 * under vmen_tree_lock or with interrupts off, so a domain is gone for
 * everyone after it was removed and vmen_hook_refresh() has returned.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/pid.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/threads.h>

#include "domain.h"
#include "govern.h"
#include "hook-sched.h"
#include "zone.h"

/* Protects the set and the shape of domains and their zones; see above. */
DEFINE_MUTEX(vmen_tree_lock);

struct vmen_domain vmen_machine = {
	.kind = VMEN_MACHINE,
	.name = "machine",
	.children = LIST_HEAD_INIT(vmen_machine.children),
	.sibling = LIST_HEAD_INIT(vmen_machine.sibling),
	.ref = KREF_INIT(1),
};

struct hlist_head vmen_domain_hash[1 << VMEN_DOMAIN_HASH_BITS];

/* How many domains were ever made, so that no two have the same number. */
static atomic_t nr_made;

/* Bit n is set if a cgroup at depth n is a domain. */
u64 vmen_cgroup_levels;

/**
 * vmen_domain_next - the next domain in a walk, parents before children
 * @domain: where the walk is
 * @top: where it started
 *
 * Context: vmen_tree_lock or vmen_account_lock is held by the walk.
 * Return: the next domain, NULL at the end.
 */
struct vmen_domain *vmen_domain_next(struct vmen_domain *domain,
				     struct vmen_domain *top)
{
	if (!list_empty(&domain->children))
		return list_first_entry(&domain->children, struct vmen_domain, sibling);
	for (; domain != top; domain = domain->parent) {
		if (!list_is_last(&domain->sibling, &domain->parent->children))
			return list_next_entry(domain, sibling);
	}
	return NULL;
}

static void domain_release(struct kref *ref)
{
	struct vmen_domain *domain = container_of(ref, struct vmen_domain, ref);

	if (domain->cgroup)
		cgroup_put(domain->cgroup);
	if (domain->task)
		put_task_struct(domain->task);
	put_pid(domain->pid);
	vmen_account_free(&domain->account);
	kfree_rcu(domain, rcu);
}

/**
 * vmen_domain_put - release a reference
 * @domain: the domain
 *
 * Context: process context.
 */
void vmen_domain_put(struct vmen_domain *domain)
{
	kref_put(&domain->ref, domain_release);
}
EXPORT_SYMBOL_NS_GPL(vmen_domain_put, VMENERGY_NS);

static struct vmen_domain *domain_alloc(enum vmen_kind kind)
{
	struct vmen_domain *domain = kzalloc(sizeof(*domain), GFP_KERNEL);

	if (!domain)
		return NULL;
	if (vmen_account_init(&domain->account)) {
		kfree(domain);
		return NULL;
	}
	vmen_control_init(&domain->control);
	domain->kind = kind;
	domain->number = PID_MAX_LIMIT + atomic_inc_return(&nr_made);
	INIT_LIST_HEAD(&domain->children);
	INIT_LIST_HEAD(&domain->sibling);
	kref_init(&domain->ref);
	return domain;
}

static bool name_is_taken(const char *name)
{
	struct vmen_domain *domain;

	vmen_for_each_domain(domain, &vmen_machine) {
		if (!strcmp(domain->name, name))
			return true;
	}
	return false;
}

static struct vmen_domain *find(const void *key)
{
	lockdep_assert_held(&vmen_tree_lock);
	guard(preempt)();
	return vmen_domain_find(key);
}

static void update_cgroup_levels(void)
{
	struct vmen_domain *domain;
	u64 levels = 0;

	vmen_for_each_domain(domain, &vmen_machine) {
		if (domain->cgroup)
			levels |= BIT_ULL(domain->cgroup->level);
	}
	WRITE_ONCE(vmen_cgroup_levels, levels);
}

/* The cgroup in which to look for the domain's parent, NULL if there is none. */
static struct cgroup *cgroup_around(struct vmen_domain *domain)
{
	struct task_struct *leader;

	if (domain->cgroup)
		return cgroup_parent(domain->cgroup);
	leader = pid_task(domain->pid, PIDTYPE_TGID);
	return leader ? rcu_dereference(leader->cgroups)->dfl_cgrp : NULL;
}

/* Where the domain should be. A process that has ended stays where it is. */
static struct vmen_domain *proper_parent(struct vmen_domain *domain)
{
	struct vmen_domain *parent = domain->parent;
	struct cgroup *cgroup;

	lockdep_assert_held(&vmen_tree_lock);
	preempt_disable();
	rcu_read_lock();
	cgroup = cgroup_around(domain);
	if (cgroup)
		parent = vmen_domain_of_cgroup(cgroup);
	rcu_read_unlock();
	preempt_enable();
	return parent ?: &vmen_machine;
}

static void move(struct vmen_domain *domain, struct vmen_domain *parent)
{
	vmen_zones_hide(domain);
	mutex_lock(&vmen_account_lock);
	vmen_account_sync();
	vmen_govern_collect(domain);
	list_move_tail(&domain->sibling, &parent->children);
	WRITE_ONCE(domain->parent, parent);
	mutex_unlock(&vmen_account_lock);
	vmen_zones_show(domain);
}

static bool update_one(void)
{
	struct vmen_domain *domain;

	vmen_for_each_domain(domain, &vmen_machine) {
		struct vmen_domain *parent;

		if (domain == &vmen_machine)
			continue;
		parent = proper_parent(domain);
		if (parent != domain->parent) {
			move(domain, parent);
			return true;
		}
	}
	return false;
}

static void update_tree(void)
{
	/* A move ends the walk. Each one puts a domain where it then stays. */
	while (update_one())
		;
}

/**
 * vmen_domain_update_tree - move domains to where they belong
 *
 * Context: process context.
 */
void vmen_domain_update_tree(void)
{
	guard(mutex)(&vmen_tree_lock);
	update_tree();
}

/* Make the domain part of the tree and charge it. Consumes it on failure. */
static struct vmen_domain *domain_add(struct vmen_domain *domain)
{
	struct vmen_domain *parent;

	lockdep_assert_held(&vmen_tree_lock);
	if (name_is_taken(domain->name) || find(domain->key)) {
		vmen_domain_put(domain);
		return ERR_PTR(-EEXIST);
	}
	parent = proper_parent(domain);
	mutex_lock(&vmen_account_lock);
	domain->parent = parent;
	list_add_tail(&domain->sibling, &parent->children);
	mutex_unlock(&vmen_account_lock);

	vmen_zones_show(domain);
	hlist_add_head_rcu(&domain->hash,
			   &vmen_domain_hash[hash_ptr(domain->key, VMEN_DOMAIN_HASH_BITS)]);
	update_cgroup_levels();
	vmen_hook_refresh();
	update_tree();
	return domain;
}

/**
 * vmen_domain_create_cgroup - make a cgroup a domain
 * @name: the domain's name
 * @path: the cgroup's path in the default (version 2) hierarchy
 *
 * Context: process context.
 * Return: the domain, to be ended by vmen_domain_destroy(), or -ENOENT if
 * there is no such cgroup, -EEXIST if the name is taken or the cgroup is a
 * domain already, -EINVAL if it is the root, which is the machine, or too
 * deep, -ENOMEM.
 */
struct vmen_domain *vmen_domain_create_cgroup(const char *name, const char *path)
{
	struct vmen_domain *domain;
	struct cgroup *cgroup;

	cgroup = cgroup_get_from_path(path);
	if (IS_ERR(cgroup))
		return ERR_CAST(cgroup);
	if (!cgroup->level || cgroup->level >= VMEN_CGROUP_LEVELS) {
		cgroup_put(cgroup);
		return ERR_PTR(-EINVAL);
	}
	domain = domain_alloc(VMEN_CGROUP);
	if (!domain) {
		cgroup_put(cgroup);
		return ERR_PTR(-ENOMEM);
	}
	domain->cgroup = cgroup;
	domain->key = cgroup;
	strscpy(domain->name, name, sizeof(domain->name));
	guard(mutex)(&vmen_tree_lock);
	return domain_add(domain);
}

/* Take over a reference to @task. */
static struct vmen_domain *process_alloc(enum vmen_kind kind, struct task_struct *task)
{
	struct vmen_domain *domain = domain_alloc(kind);

	if (!domain) {
		put_task_struct(task);
		return ERR_PTR(-ENOMEM);
	}
	domain->task = task;
	domain->key = task->signal;
	domain->pid = get_task_pid(task, PIDTYPE_TGID);
	if (!domain->pid) {
		vmen_domain_put(domain);
		return ERR_PTR(-ESRCH);
	}
	return domain;
}

/**
 * vmen_domain_create_process - make a process a domain
 * @name: the domain's name
 * @tgid: the process, in the caller's pid namespace
 *
 * The domain stays when the process ends.
 *
 * Context: process context.
 * Return: the domain, to be ended by vmen_domain_destroy(), or -ESRCH if
 * there is no such process, -EEXIST if the name is taken or the process is a
 * domain already, -EINVAL for a kernel thread, -ENOMEM.
 */
struct vmen_domain *vmen_domain_create_process(const char *name, pid_t tgid)
{
	struct pid *pid = find_get_pid(tgid);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_TGID);
	struct vmen_domain *domain;

	put_pid(pid);
	if (!task)
		return ERR_PTR(-ESRCH);
	if (task->flags & PF_KTHREAD) {
		put_task_struct(task);
		return ERR_PTR(-EINVAL);
	}
	domain = process_alloc(VMEN_PROCESS, task);
	if (IS_ERR(domain))
		return domain;
	strscpy(domain->name, name, sizeof(domain->name));
	guard(mutex)(&vmen_tree_lock);
	return domain_add(domain);
}

static void name_vm(struct vmen_domain *domain)
{
	domain->number = pid_nr(domain->pid);
	snprintf(domain->name, sizeof(domain->name), "vm-%llu", domain->number);
}

static struct vmen_domain *create_vm(struct task_struct *task)
{
	struct vmen_domain *domain = process_alloc(VMEN_VM, get_task_struct(task));

	if (IS_ERR(domain))
		return domain;
	name_vm(domain);
	return domain_add(domain);
}

/**
 * vmen_domain_get_process - find or make the domain of a VM's process
 * @task: one of its threads, referenced by the caller
 *
 * If the process is a domain already, that is it, whatever its kind.
 *
 * Context: process context.
 * Return: the domain with a reference for the caller, or -ESRCH if the process
 * has ended, -EEXIST if its name is taken, -ENOMEM.
 */
struct vmen_domain *vmen_domain_get_process(struct task_struct *task)
{
	struct vmen_domain *domain;

	guard(mutex)(&vmen_tree_lock);
	domain = find(task->signal);
	if (!domain) {
		if (!pid_alive(task))
			return ERR_PTR(-ESRCH);
		domain = create_vm(task);
	}
	if (IS_ERR(domain))
		return domain;
	WRITE_ONCE(domain->is_vm, true);
	kref_get(&domain->ref);
	return domain;
}

/**
 * vmen_domain_get_vm - find or make the domain of the calling VM
 *
 * Context: a thread of the VM's process.
 * Return: the domain, to be released by vmen_domain_put(), or an error as from
 * vmen_domain_get_process().
 */
struct vmen_domain *vmen_domain_get_vm(void)
{
	return vmen_domain_get_process(current);
}
EXPORT_SYMBOL_NS_GPL(vmen_domain_get_vm, VMENERGY_NS);

static void domain_remove(struct vmen_domain *domain)
{
	lockdep_assert_held(&vmen_tree_lock);
	hlist_del_rcu(&domain->hash);
	vmen_hook_refresh();
	while (!list_empty(&domain->children))
		move(list_first_entry(&domain->children, struct vmen_domain, sibling),
		     domain->parent);

	vmen_zones_hide(domain);
	mutex_lock(&vmen_account_lock);
	vmen_account_close(&domain->account);
	vmen_govern_collect(domain);
	list_del(&domain->sibling);
	mutex_unlock(&vmen_account_lock);
	update_cgroup_levels();
	vmen_domain_put(domain);
}

/* A VM whose device shows its account goes on with it. */
static void become_vm(struct vmen_domain *domain)
{
	lockdep_assert_held(&vmen_tree_lock);
	vmen_zones_hide(domain);
	mutex_lock(&vmen_account_lock);
	WRITE_ONCE(domain->kind, VMEN_VM);
	name_vm(domain);
	mutex_unlock(&vmen_account_lock);
	vmen_zones_show(domain);
}

/*
 * Will no thread of the process run again? A thread that a debugger keeps from
 * being released is dead all the same.
 */
static bool process_has_ended(struct vmen_domain *domain)
{
	struct task_struct *leader, *thread;
	bool ended = true;

	rcu_read_lock();
	leader = pid_task(domain->pid, PIDTYPE_TGID);
	if (leader) {
		for_each_thread(leader, thread)
			ended &= READ_ONCE(thread->__state) == TASK_DEAD;
	}
	rcu_read_unlock();
	return ended;
}

static bool reap_one(void)
{
	struct vmen_domain *domain;

	vmen_for_each_domain(domain, &vmen_machine) {
		if (domain->kind == VMEN_VM && process_has_ended(domain)) {
			domain_remove(domain);
			return true;
		}
	}
	return false;
}

static void reap_vms(void)
{
	while (reap_one())
		;
}

/**
 * vmen_domain_destroy - end a domain
 * @domain: made by vmen_domain_create_cgroup() or vmen_domain_create_process()
 *
 * What lies below it moves to its parent. Its energy stays in the totals above
 * it. The process of a VM that has opened its device is a domain as long as it
 * lives: it becomes one like those that were made for VMs as they started.
 *
 * Context: process context.
 */
void vmen_domain_destroy(struct vmen_domain *domain)
{
	guard(mutex)(&vmen_tree_lock);
	if (domain->is_vm && !process_has_ended(domain))
		become_vm(domain);
	else
		domain_remove(domain);
	/* It may have ended just now, when it was not yet known as a VM. */
	reap_vms();
}

/**
 * vmen_domain_reap_vms - end the domains of VMs that have ended
 *
 * Context: process context.
 */
void vmen_domain_reap_vms(void)
{
	guard(mutex)(&vmen_tree_lock);
	reap_vms();
}

/**
 * vmen_domain_init - set up the machine's domain
 *
 * Return: 0 or -ENOMEM.
 */
int vmen_domain_init(void)
{
	vmen_control_init(&vmen_machine.control);
	return vmen_account_init(&vmen_machine.account);
}

/**
 * vmen_domain_exit - end all domains
 *
 * Context: no hook runs any more, and only VMs are left.
 */
void vmen_domain_exit(void)
{
	mutex_lock(&vmen_tree_lock);
	while (!list_empty(&vmen_machine.children))
		domain_remove(list_first_entry(&vmen_machine.children,
					       struct vmen_domain, sibling));
	mutex_unlock(&vmen_tree_lock);
	vmen_account_free(&vmen_machine.account);
}
