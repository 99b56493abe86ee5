/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_POLICY_H
#define _VMEN_POLICY_H

#include <linux/vmenergy.h>

#define VMEN_DEFAULT_WEIGHT	100
#define VMEN_MAX_WEIGHT		10000

extern bool vmen_policy_lends;

void vmen_policy_share(u64 limit_uw, struct vmen_claim *claims, unsigned int nr);

#endif /* _VMEN_POLICY_H */
