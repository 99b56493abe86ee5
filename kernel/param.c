// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters that are numbers within bounds, for all modules of the
 * project
 *
 * A module declares a struct vmen_param and module_param_cb() with
 * vmen_param_ops. Writers are serialised by the kernel, per module.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/vmenergy_param.h>

static int set_param(const char *text, const struct kernel_param *kp)
{
	struct vmen_param *param = kp->arg;
	unsigned int base = strncasecmp(text, "0x", 2) ? 10 : 16;
	unsigned int value;

	if (kstrtouint(text, base, &value) ||
	    value < param->min || value > param->max) {
		pr_err("%s: %s=%.*s: must be a number from %u to %u\n",
		       module_name(kp->mod), kp->name, (int)strcspn(text, "\n"), text,
		       param->min, param->max);
		return -EINVAL;
	}
	/* At load, there is nothing yet that a change could matter to. */
	if (param->changing && kp->mod->state == MODULE_STATE_LIVE)
		param->changing();
	WRITE_ONCE(param->value, value);
	return 0;
}

static int get_param(char *buffer, const struct kernel_param *kp)
{
	const struct vmen_param *param = kp->arg;

	return sysfs_emit(buffer, "%u\n", READ_ONCE(param->value));
}

const struct kernel_param_ops vmen_param_ops = {
	.set = set_param,
	.get = get_param,
};
EXPORT_SYMBOL_NS_GPL(vmen_param_ops, VMENERGY_NS);
