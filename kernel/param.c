// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters that are numbers within bounds or one of some words, for
 * all modules of the project
 *
 * A module declares a struct vmen_param or vmen_choice and module_param_cb()
 * with vmen_param_ops or vmen_choice_ops. Writers are serialised by the kernel, per module.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/vmenergy_param.h>

/* At load, there is nothing yet that a change could matter to. */
static void announce_change(void (*changing)(void), const struct kernel_param *kp)
{
	if (changing && kp->mod->state == MODULE_STATE_LIVE)
		changing();
}

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
	announce_change(param->changing, kp);
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

static void complain_choice(const char *text, const struct kernel_param *kp)
{
	const struct vmen_choice *choice = kp->arg;
	char words[128];
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < choice->nr_names; i++)
		len += scnprintf(words + len, sizeof(words) - len, "%s%s", i ? ", " : "",
				 choice->names[i]);
	pr_err("%s: %s=%.*s: must be one of %s\n", module_name(kp->mod), kp->name,
	       (int)strcspn(text, "\n"), text, words);
}

static int set_choice(const char *text, const struct kernel_param *kp)
{
	struct vmen_choice *choice = kp->arg;
	int value = __sysfs_match_string(choice->names, choice->nr_names, text);

	if (value < 0) {
		complain_choice(text, kp);
		return value;
	}
	announce_change(choice->changing, kp);
	WRITE_ONCE(choice->value, value);
	return 0;
}

static int get_choice(char *buffer, const struct kernel_param *kp)
{
	const struct vmen_choice *choice = kp->arg;

	return sysfs_emit(buffer, "%s\n", choice->names[READ_ONCE(choice->value)]);
}

const struct kernel_param_ops vmen_choice_ops = {
	.set = set_choice,
	.get = get_choice,
};
EXPORT_SYMBOL_NS_GPL(vmen_choice_ops, VMENERGY_NS);
