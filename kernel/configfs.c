// SPDX-License-Identifier: GPL-2.0
/*
 * Domains that people make, through configfs
 *
 *	mkdir /sys/kernel/config/vmenergy/web
 *	echo /system.slice/nginx.service > .../web/cgroup	(or a pid to .../web/pid)
 *	echo 1 > .../web/live
 *
 * A directory describes a domain. The domain exists while live reads 1, and
 * then its description can't be changed. Removing the directory ends it.
 * Directories keep the module from being unloaded.
 *
 * Lock: config.lock protects the description; it is outside vmen_tree_lock.
 */
#include <linux/cleanup.h>
#include <linux/configfs.h>
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "configfs.h"
#include "domain.h"

/**
 * struct config - a directory
 * @item: the directory
 * @lock: protects what follows
 * @cgroup: path in the default hierarchy, or NULL
 * @pid: process, or 0; at most one of the two is set
 * @domain: the domain while it is live
 */
struct config {
	struct config_item item;
	struct mutex lock; /* cgroup, pid, domain */
	char *cgroup;
	pid_t pid;
	struct vmen_domain *domain;
};

static struct config *to_config(struct config_item *item)
{
	return container_of(item, struct config, item);
}

static ssize_t config_cgroup_show(struct config_item *item, char *page)
{
	struct config *config = to_config(item);

	guard(mutex)(&config->lock);
	return sysfs_emit(page, "%s\n", config->cgroup ?: "");
}

static ssize_t config_cgroup_store(struct config_item *item, const char *page, size_t len)
{
	struct config *config = to_config(item);
	char *path = kstrndup(page, len, GFP_KERNEL);
	int err = 0;

	if (!path)
		return -ENOMEM;
	strim(path);
	mutex_lock(&config->lock);
	if (config->domain)
		err = -EBUSY;
	else if (path[0] != '/')
		err = -EINVAL;
	if (!err) {
		swap(config->cgroup, path);
		config->pid = 0;
	}
	mutex_unlock(&config->lock);
	kfree(path);
	return err ?: len;
}

static ssize_t config_pid_show(struct config_item *item, char *page)
{
	struct config *config = to_config(item);

	guard(mutex)(&config->lock);
	return sysfs_emit(page, "%d\n", config->pid);
}

static ssize_t config_pid_store(struct config_item *item, const char *page, size_t len)
{
	struct config *config = to_config(item);
	pid_t pid;
	int err;

	err = kstrtoint(page, 10, &pid);
	if (err)
		return err;
	if (pid <= 0)
		return -EINVAL;
	guard(mutex)(&config->lock);
	if (config->domain)
		return -EBUSY;
	config->pid = pid;
	kfree(config->cgroup);
	config->cgroup = NULL;
	return len;
}

static ssize_t config_live_show(struct config_item *item, char *page)
{
	struct config *config = to_config(item);

	guard(mutex)(&config->lock);
	return sysfs_emit(page, "%d\n", !!config->domain);
}

static int go_live(struct config *config)
{
	const char *name = config_item_name(&config->item);
	struct vmen_domain *domain;

	if (config->cgroup)
		domain = vmen_domain_create_cgroup(name, config->cgroup);
	else if (config->pid)
		domain = vmen_domain_create_process(name, config->pid);
	else
		return -EINVAL;
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	config->domain = domain;
	return 0;
}

static void end_life(struct config *config)
{
	if (config->domain)
		vmen_domain_destroy(config->domain);
	config->domain = NULL;
}

static ssize_t config_live_store(struct config_item *item, const char *page, size_t len)
{
	struct config *config = to_config(item);
	bool live;
	int err;

	err = kstrtobool(page, &live);
	if (err)
		return err;
	guard(mutex)(&config->lock);
	if (live == !!config->domain)
		return len;
	if (live)
		err = go_live(config);
	else
		end_life(config);
	return err ?: len;
}

CONFIGFS_ATTR(config_, cgroup);
CONFIGFS_ATTR(config_, pid);
CONFIGFS_ATTR(config_, live);

static struct configfs_attribute *config_attrs[] = {
	&config_attr_cgroup,
	&config_attr_pid,
	&config_attr_live,
	NULL,
};

static void config_release(struct config_item *item)
{
	struct config *config = to_config(item);

	end_life(config);
	kfree(config->cgroup);
	mutex_destroy(&config->lock);
	kfree(config);
}

static struct configfs_item_operations config_item_ops = {
	.release = config_release,
};

static const struct config_item_type config_type = {
	.ct_item_ops = &config_item_ops,
	.ct_attrs = config_attrs,
	.ct_owner = THIS_MODULE,
};

/* Names that other zones have, or could have: machine, vm-1, cpu-1, disk-1. */
static bool name_is_reserved(const char *name)
{
	static const char * const prefixes[] = { "vm-", "cpu-", "disk-" };
	int i;

	if (!strcmp(name, vmen_machine.name))
		return true;
	for (i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const char *number = name + strlen(prefixes[i]);

		if (str_has_prefix(name, prefixes[i]) && number[0] &&
		    strspn(number, "0123456789") == strlen(number))
			return true;
	}
	return false;
}

/* What can be a name in tables, file names and other programs' labels alike. */
static bool name_is_valid(const char *name)
{
	const char *c;

	if (!isalnum(name[0]) || strlen(name) >= VMEN_NAME_SIZE)
		return false;
	for (c = name; *c; c++) {
		if (!isascii(*c) || !(isalnum(*c) || strchr("-_.", *c)))
			return false;
	}
	return !name_is_reserved(name);
}

static struct config_item *make_item(struct config_group *group, const char *name)
{
	struct config *config;

	if (!name_is_valid(name))
		return ERR_PTR(-EINVAL);
	config = kzalloc(sizeof(*config), GFP_KERNEL);
	if (!config)
		return ERR_PTR(-ENOMEM);
	mutex_init(&config->lock);
	config_item_init_type_name(&config->item, name, &config_type);
	return &config->item;
}

static struct configfs_group_operations group_ops = {
	.make_item = make_item,
};

static const struct config_item_type group_type = {
	.ct_group_ops = &group_ops,
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem subsystem = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = KBUILD_MODNAME,
			.ci_type = &group_type,
		},
	},
};

/**
 * vmen_configfs_init - make the directory
 *
 * Return: 0 or a negative error.
 */
int vmen_configfs_init(void)
{
	config_group_init(&subsystem.su_group);
	mutex_init(&subsystem.su_mutex);
	return configfs_register_subsystem(&subsystem);
}

/**
 * vmen_configfs_exit - remove it; no domain is left in it
 */
void vmen_configfs_exit(void)
{
	configfs_unregister_subsystem(&subsystem);
	mutex_destroy(&subsystem.su_mutex);
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/configfs-kunit.h"
#endif
