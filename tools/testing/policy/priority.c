// SPDX-License-Identifier: GPL-2.0
/*
 * A sample policy: strict priority
 *
 * The claim with the greatest weight gets what it demands, then the next one,
 * until nothing is left. Of equals the first comes first. What is left when all
 * demands are met is the first one's.
 */
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/vmenergy.h>

/* The claim next in rank behind @last, or the first one. */
static struct vmen_claim *next_claim(struct vmen_claim *claims, unsigned int nr,
				     struct vmen_claim *last)
{
	struct vmen_claim *claim, *next = NULL;

	for (claim = claims; claim < claims + nr; claim++) {
		if (last && (claim->weight > last->weight ||
			     (claim->weight == last->weight && claim <= last)))
			continue;
		if (!next || claim->weight > next->weight)
			next = claim;
	}
	return next;
}

static void share(u64 limit_uw, struct vmen_claim *claims, unsigned int nr)
{
	struct vmen_claim *first = next_claim(claims, nr, NULL), *claim;

	for (claim = first; claim; claim = next_claim(claims, nr, claim)) {
		claim->share_uw = min(claim->demand_uw, limit_uw);
		limit_uw -= claim->share_uw;
	}
	first->share_uw += limit_uw;
}

static struct vmen_policy priority = {
	.name	= "priority",
	.owner	= THIS_MODULE,
	.share	= share,
};

static int __init priority_init(void)
{
	return vmen_policy_register(&priority);
}
module_init(priority_init);

static void __exit priority_exit(void)
{
	vmen_policy_unregister(&priority);
}
module_exit(priority_exit);

MODULE_IMPORT_NS(VMENERGY_NS);
MODULE_DESCRIPTION("A sample policy for vmenergy: strict priority");
MODULE_LICENSE("GPL");
