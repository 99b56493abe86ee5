// SPDX-License-Identifier: GPL-2.0
/*
 * Policies: how a power limit is shared among those whom it holds for
 *
 *	static	 each gets limit * weight / sum of weights, used or not
 *	max-min	 nobody gets more than it demands while others go without: the
 *		 limit is divided by weight, and what exceeds a demand is divided
 *		 among the rest again. If all demands are met, what is left is
 *		 divided by weight, for those who want more in a moment.
 *
 * Other modules can register more. The one in use is chosen by the parameter
 * policy. Shares are whole microwatts and sum up to the limit exactly.
 *
 * Locks: policy_lock protects the list and the choice; innermost.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "policy.h"

/* Takes a weight's part of what is left; the last one takes all. */
static u64 take(u64 *rest_uw, u64 *weights, u32 weight)
{
	u64 share_uw = mul_u64_u64_div_u64(*rest_uw, weight, *weights);

	*rest_uw -= share_uw;
	*weights -= weight;
	return share_uw;
}

static u64 sum_weights(const struct vmen_claim *claims, unsigned int nr)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < nr; i++)
		sum += claims[i].weight;
	return sum;
}

static void add_by_weight(u64 limit_uw, struct vmen_claim *claims, unsigned int nr)
{
	u64 weights = sum_weights(claims, nr);
	unsigned int i;

	for (i = 0; i < nr; i++)
		claims[i].share_uw += take(&limit_uw, &weights, claims[i].weight);
}

#define UNDECIDED	U64_MAX

/* Meets the demands that are below their fair part; returns if there were any. */
static bool meet_small_demands(struct vmen_claim *claims, unsigned int nr, u64 *rest_uw,
			       u64 *weights)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct vmen_claim *claim = &claims[i];

		if (claim->share_uw != UNDECIDED ||
		    claim->demand_uw > mul_u64_u64_div_u64(*rest_uw, claim->weight, *weights))
			continue;
		claim->share_uw = claim->demand_uw;
		*rest_uw -= claim->share_uw;
		*weights -= claim->weight;
		any = true;
	}
	return any;
}

static void share_max_min(u64 limit_uw, struct vmen_claim *claims, unsigned int nr)
{
	u64 rest_uw = limit_uw, weights = sum_weights(claims, nr);
	unsigned int i;

	for (i = 0; i < nr; i++)
		claims[i].share_uw = UNDECIDED;
	while (weights && meet_small_demands(claims, nr, &rest_uw, &weights))
		;
	if (!weights) {
		add_by_weight(rest_uw, claims, nr);
		return;
	}
	for (i = 0; i < nr; i++) {
		if (claims[i].share_uw == UNDECIDED)
			claims[i].share_uw = take(&rest_uw, &weights, claims[i].weight);
	}
}

static struct vmen_policy max_min = {
	.name			= "max-min",
	.work_conserving	= true,
	.share			= share_max_min,
};

static struct vmen_policy fixed = {
	.name	= "static",
	.share	= add_by_weight,
};

/* Whether the policy in use is work-conserving, for hooks. */
bool vmen_policy_lends = true;

/* Protects the list of policies and the one in use. */
static DEFINE_MUTEX(policy_lock);
static struct vmen_policy *policy = &max_min;
static LIST_HEAD(policies);

static void use_policy(struct vmen_policy *new)
{
	lockdep_assert_held(&policy_lock);
	policy = new;
	WRITE_ONCE(vmen_policy_lends, new->work_conserving);
}

static void cut(u64 limit_uw, struct vmen_claim *claims, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		claims[i].share_uw = min(claims[i].share_uw, limit_uw);
		limit_uw -= claims[i].share_uw;
	}
}

/**
 * vmen_policy_share - share a limit by the policy in use
 * @limit_uw: the limit, microwatts
 * @claims: those whom it holds for; their shares are stored
 * @nr: how many they are, at least one
 *
 * Context: process context.
 */
void vmen_policy_share(u64 limit_uw, struct vmen_claim *claims, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		claims[i].share_uw = 0;
	scoped_guard(mutex, &policy_lock)
		policy->share(limit_uw, claims, nr);
	cut(limit_uw, claims, nr);
}

static struct vmen_policy *find_policy(const char *name)
{
	struct vmen_policy *one;

	lockdep_assert_held(&policy_lock);
	if (sysfs_streq(name, max_min.name))
		return &max_min;
	if (sysfs_streq(name, fixed.name))
		return &fixed;
	list_for_each_entry(one, &policies, node) {
		if (sysfs_streq(name, one->name))
			return one;
	}
	return NULL;
}

/**
 * vmen_policy_register - offer a policy
 * @new: the policy; stays registered until vmen_policy_unregister()
 *
 * Context: process context, may sleep.
 * Return: 0, or -EEXIST if there is one of that name.
 */
int vmen_policy_register(struct vmen_policy *new)
{
	guard(mutex)(&policy_lock);
	if (find_policy(new->name))
		return -EEXIST;
	list_add_tail(&new->node, &policies);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(vmen_policy_register, VMENERGY_NS);

/**
 * vmen_policy_unregister - take back a policy
 * @old: the policy; if it is in use in spite of its owner, max-min takes over
 *
 * Context: process context, may sleep.
 */
void vmen_policy_unregister(struct vmen_policy *old)
{
	guard(mutex)(&policy_lock);
	list_del(&old->node);
	if (policy == old)
		use_policy(&max_min);
}
EXPORT_SYMBOL_NS_GPL(vmen_policy_unregister, VMENERGY_NS);

static int set_policy(const char *name, const struct kernel_param *kp)
{
	struct vmen_policy *new;

	guard(mutex)(&policy_lock);
	new = find_policy(name);
	if (!new || !try_module_get(new->owner)) {
		pr_err("policy=%.*s: there is no such policy; max-min and static always are, others while their modules are loaded\n",
		       (int)strcspn(name, "\n"), name);
		return -EINVAL;
	}
	module_put(policy->owner);
	use_policy(new);
	return 0;
}

static int get_policy(char *buffer, const struct kernel_param *kp)
{
	guard(mutex)(&policy_lock);
	return sysfs_emit(buffer, "%s\n", policy->name);
}

static const struct kernel_param_ops policy_ops = {
	.set = set_policy,
	.get = get_policy,
};
module_param_cb(policy, &policy_ops, NULL, 0644);
MODULE_PARM_DESC(policy, "how a limit is shared among the domains below it: max-min, static, or that of another module");

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/policy-kunit.h"
#endif
