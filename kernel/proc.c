// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/vmenergy: all accounts in one look, and more in debugfs
 *
 * The table has a header and then a row per domain, parents first, one for the
 * domains that have ended, and one for what is not shared out yet. Energies
 * are in microjoules with all their decimals, from one settlement, so that
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
#include "work.h"

#define ENERGY_COLUMN	17	/* digits before the decimal point */

/**
 * struct vmen_row - what a row says
 * @reading: all energy, per component
 * @own: the domain's own, of all components
 */
struct vmen_row {
	struct vmen_reading reading[VMEN_NR_COMPONENTS];
	struct vmen_energy own;
};

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
		    const char *parent, const struct vmen_row *row)
{
	struct vmen_energy sum = {};
	int c;

	for (c = 0; c < VMEN_NR_COMPONENTS; c++)
		sum = vmen_energy_sum(sum, row->reading[c].energy);
	put_names(m, name, kind, parent);
	put_energy(m, sum);
	put_energy(m, row->own);
	for (c = 0; c < VMEN_NR_COMPONENTS; c++)
		put_energy(m, row->reading[c].energy);
	for (c = 0; c < VMEN_NR_COMPONENTS; c++)
		put_energy(m, row->reading[c].used.base);
	seq_putc(m, '\n');
}

static void put_domain(struct seq_file *m, const struct vmen_domain *domain)
{
	struct vmen_row row = {};
	int c;

	vmen_account_read(domain, row.reading);
	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		const struct vmen_used *own = &domain->account.own[c];

		row.own = vmen_energy_sum(row.own, vmen_energy_sum(own->active, own->base));
	}
	put_row(m, domain->name, kind_names[domain->kind],
		domain->parent ? domain->parent->name : "-", &row);
}

static void put_ended(struct seq_file *m)
{
	struct vmen_row row = {};
	int c;

	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		const struct vmen_used *used = &vmen_ended[c];

		row.reading[c].used = *used;
		row.reading[c].energy = vmen_energy_sum(used->active, used->base);
		row.own = vmen_energy_sum(row.own, row.reading[c].energy);
	}
	put_row(m, "-", "ended", vmen_machine.name, &row);
}

static void put_unshared(struct seq_file *m)
{
	struct vmen_row row = {};
	int c;

	for (c = 0; c < VMEN_NR_COMPONENTS; c++) {
		row.reading[c].energy = vmen_account_unshared(c);
		row.own = vmen_energy_sum(row.own, row.reading[c].energy);
	}
	put_row(m, "-", "unshared", vmen_machine.name, &row);
}

static void put_header(struct seq_file *m)
{
	static const char * const columns[] = {
		"energy_uj", "own_uj", "cpu_uj", "disk_uj", "cpu_base_uj", "disk_base_uj",
	};
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
		put_domain(m, domain);
	put_ended(m);
	put_unshared(m);
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

static int work_show(struct seq_file *m, void *unused)
{
	mutex_lock(&vmen_account_lock);
	vmen_account_sync();
	seq_puts(m, "work charged_pj\n");
	vmen_work_show(m);
	mutex_unlock(&vmen_account_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(work);

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
	debugfs_create_file("work", 0400, debugfs, NULL, &work_fops);
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
