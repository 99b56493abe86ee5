// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/vmenergy: all accounts in one look, and the audit in debugfs
 *
 * The table has a header and then a row per domain, parents first, and one
 * for the domains that have ended. Energies are in microjoules with all
 * their decimals, from one settlement, so that
 *
 *	energy of machine == own of all rows
 *
 * to the last digit. Reading energy often and precisely reveals what others
 * compute (PLATYPUS), so only root may.
 */
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "domain.h"
#include "proc.h"

#define ENERGY_COLUMN	17	/* digits before the decimal point */

static const char * const kind_names[] = {
	[VMEN_MACHINE] = "machine",
	[VMEN_CGROUP] = "cgroup",
	[VMEN_PROCESS] = "process",
	[VMEN_VM] = "vm",
};

static struct dentry *debugfs;

static void put_names(struct seq_file *m, const char *name, const char *kind,
		      const char *parent)
{
	seq_printf(m, "%-31s %-8s %-31s", name, kind, parent);
}

static void put_energy(struct seq_file *m, struct vmen_energy energy)
{
	seq_printf(m, " %*llu.%06u", ENERGY_COLUMN, energy.uj, energy.pj);
}

static void put_row(struct seq_file *m, const char *name, const char *kind,
		    const char *parent, const struct vmen_energy *total,
		    const struct vmen_energy *own)
{
	int c;

	put_names(m, name, kind, parent);
	put_energy(m, vmen_energy_sum(total));
	put_energy(m, vmen_energy_sum(own));
	for (c = 0; c < VMEN_NR_COMPONENTS; c++)
		put_energy(m, total[c]);
	seq_putc(m, '\n');
}

static void put_header(struct seq_file *m)
{
	static const char * const columns[] = { "energy_uj", "own_uj", "cpu_uj", "disk_uj" };
	int i;

	put_names(m, "domain", "kind", "parent");
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		seq_printf(m, " %*s", ENERGY_COLUMN + 7, columns[i]);
	seq_putc(m, '\n');
}

static int table_show(struct seq_file *m, void *unused)
{
	struct vmen_domain *domain;

	put_header(m);
	mutex_lock(&vmen_account_lock);
	vmen_account_sync();
	vmen_for_each_domain(domain, &vmen_machine)
		put_row(m, domain->name, kind_names[domain->kind],
			domain->parent ? domain->parent->name : "-",
			domain->account.total, domain->account.own);
	put_row(m, "-", "ended", vmen_machine.name, vmen_ended, vmen_ended);
	mutex_unlock(&vmen_account_lock);
	return 0;
}

static int audit_show(struct seq_file *m, void *unused)
{
	u64 charged_pj, accounted_pj;
	int cpu;

	seq_puts(m, "cpu charged_pj accounted_pj\n");
	cpus_read_lock();
	mutex_lock(&vmen_account_lock);
	for_each_online_cpu(cpu) {
		vmen_account_audit(cpu, &charged_pj, &accounted_pj);
		seq_printf(m, "%d %llu %llu\n", cpu, charged_pj, accounted_pj);
	}
	mutex_unlock(&vmen_account_lock);
	cpus_read_unlock();
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(audit);

/**
 * vmen_proc_init - make the files
 *
 * Return: 0 or -ENOMEM.
 */
int vmen_proc_init(void)
{
	if (!proc_create_single(KBUILD_MODNAME, 0400, NULL, table_show))
		return -ENOMEM;
	debugfs = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("audit", 0400, debugfs, NULL, &audit_fops);
	return 0;
}

/**
 * vmen_proc_exit - remove the files
 */
void vmen_proc_exit(void)
{
	debugfs_remove(debugfs);
	remove_proc_entry(KBUILD_MODNAME, NULL);
}
