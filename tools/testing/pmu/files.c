// SPDX-License-Identifier: GPL-2.0
/*
 * The files in debugfs, by which tests set what happens and learn the truth
 *
 * Files of tables take a line per write, in the form in which they show it.
 * What they can't take is refused with EINVAL and changes nothing. tpmu_lock
 * makes one write at a time.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/threads.h>
#include <linux/uaccess.h>

#include "test_pmu.h"

#define MAX_LINE	64

/* Protects the rates and the model from writers; serialises looks at the truth. */
DEFINE_MUTEX(tpmu_lock);

static struct dentry *directory;

/* The numbers of a line: as many as asked for, and nothing else. */
static int parse(char *line, u32 *numbers, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		char *word = strsep(&line, " ");

		if (!word || kstrtou32(word, 10, &numbers[i]))
			return -EINVAL;
	}
	return line ? -EINVAL : 0;
}

static int parse_rate(char *line, u32 numbers[3])
{
	if (parse(line, numbers, 3) || !numbers[0] || numbers[0] > PID_MAX_LIMIT ||
	    numbers[1] >= TPMU_EVENTS || numbers[2] > TPMU_MAX_RATE)
		return -EINVAL;
	return 0;
}

static int set_rates(char *line)
{
	u32 numbers[3];

	if (!strcmp(line, "clear")) {
		tpmu_rates_clear();
		return 0;
	}
	if (parse_rate(line, numbers))
		return -EINVAL;
	return tpmu_rates_set(numbers[0], numbers[1], numbers[2]);
}

static int rates_show(struct seq_file *seq, void *unused)
{
	int slot, event;

	guard(mutex)(&tpmu_lock);
	for (slot = 0; slot < TPMU_TABLE; slot++)
		for (event = 0; tpmu_rates_tgid(slot) && event < TPMU_EVENTS; event++)
			seq_printf(seq, "%d %d %u\n", tpmu_rates_tgid(slot), event,
				   tpmu_rates_get(slot, event));
	return 0;
}

static int set_energy_pj(char *line)
{
	u32 numbers[2];

	if (parse(line, numbers, 2) || numbers[0] >= TPMU_EVENTS || numbers[1] > TPMU_MAX_PJ)
		return -EINVAL;
	tpmu_cpus_refresh();
	WRITE_ONCE(tpmu_model.energy_pj[numbers[0]], numbers[1]);
	return 0;
}

static int energy_pj_show(struct seq_file *seq, void *unused)
{
	int event;

	for (event = 0; event < TPMU_EVENTS; event++)
		seq_printf(seq, "%d %u\n", event, READ_ONCE(tpmu_model.energy_pj[event]));
	return 0;
}

static ssize_t write_line(const char __user *from, size_t size, int (*set)(char *line))
{
	char line[MAX_LINE];
	int err;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, size))
		return -EFAULT;
	line[size] = '\0';
	if (size && line[size - 1] == '\n')
		line[size - 1] = '\0';

	guard(mutex)(&tpmu_lock);
	err = set(line);
	return err ?: size;
}

static ssize_t rates_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	return write_line(from, size, set_rates);
}

static ssize_t energy_pj_write(struct file *file, const char __user *from, size_t size,
			       loff_t *at)
{
	return write_line(from, size, set_energy_pj);
}

static int rates_open(struct inode *inode, struct file *file)
{
	return single_open(file, rates_show, NULL);
}

static int energy_pj_open(struct inode *inode, struct file *file)
{
	return single_open(file, energy_pj_show, NULL);
}

static const struct file_operations rates_fops = {
	.owner		= THIS_MODULE,
	.open		= rates_open,
	.read		= seq_read,
	.write		= rates_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static const struct file_operations energy_pj_fops = {
	.owner		= THIS_MODULE,
	.open		= energy_pj_open,
	.read		= seq_read,
	.write		= energy_pj_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static void show_energy(struct seq_file *seq, const struct tpmu_amount *energy)
{
	seq_printf(seq, " %llu.%06u\n", energy->whole, energy->rest);
}

static void show_truth(struct seq_file *seq, const struct tpmu_amount energy[TPMU_SLOTS])
{
	struct tpmu_amount total = {};
	int slot;

	for (slot = 0; slot < TPMU_SLOTS; slot++) {
		total.whole += energy[slot].whole;
		tpmu_amount_add(&total, energy[slot].rest, TPMU_PJ_PER_UJ);
	}
	for (slot = 0; slot < TPMU_TABLE; slot++) {
		if (tpmu_rates_tgid(slot)) {
			seq_printf(seq, "%d", tpmu_rates_tgid(slot));
			show_energy(seq, &energy[slot]);
		}
	}
	seq_puts(seq, "idle");
	show_energy(seq, &energy[TPMU_IDLE]);
	seq_puts(seq, "other");
	show_energy(seq, &energy[TPMU_OTHER]);
	seq_puts(seq, "total");
	show_energy(seq, &total);
}

static int truth_show(struct seq_file *seq, void *unused)
{
	struct tpmu_amount *energy = kcalloc(TPMU_SLOTS, sizeof(*energy), GFP_KERNEL);

	if (!energy)
		return -ENOMEM;
	mutex_lock(&tpmu_lock);
	tpmu_cpus_energy(energy);
	show_truth(seq, energy);
	mutex_unlock(&tpmu_lock);
	kfree(energy);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(truth);

/**
 * struct knob - a number of the model
 * @name: of its file
 * @value: where it is
 * @max: its upper bound; the lower one is 0
 */
struct knob {
	const char *name;
	u32 *value;
	u32 max;
};

static struct knob knobs[] = {
	{ "idle_mw",		&tpmu_model.idle_mw,		TPMU_MAX_MW },
	{ "busy_mw",		&tpmu_model.busy_mw,		TPMU_MAX_MW },
	{ "nonlinear_ppm",	&tpmu_model.nonlinear_ppm,	TPMU_PPM },
	{ "noise_uw",		&tpmu_model.noise_uw,		TPMU_MAX_UW },
	{ "stop",		&tpmu_model.stop,		1 },
};

static int knob_get(void *data, u64 *value)
{
	struct knob *knob = data;

	*value = READ_ONCE(*knob->value);
	return 0;
}

static int knob_set(void *data, u64 value)
{
	struct knob *knob = data;

	if (value > knob->max)
		return -EINVAL;
	guard(mutex)(&tpmu_lock);
	tpmu_cpus_refresh();
	WRITE_ONCE(*knob->value, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(knob_fops, knob_get, knob_set, "%llu\n");

static int jump_set(void *unused, u64 value)
{
	s64 uj = value;

	if (uj < -TPMU_MAX_JUMP_UJ || uj > TPMU_MAX_JUMP_UJ)
		return -EINVAL;
	tpmu_package_jump(uj);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(jump_fops, NULL, jump_set, "%lld\n");

/**
 * tpmu_files_init - make the files
 *
 * As always with debugfs, errors leave a module without files.
 */
void tpmu_files_init(void)
{
	struct knob *knob;

	directory = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("rates", 0600, directory, NULL, &rates_fops);
	debugfs_create_file("energy_pj", 0600, directory, NULL, &energy_pj_fops);
	debugfs_create_file("truth", 0400, directory, NULL, &truth_fops);
	debugfs_create_file_unsafe("jump_uj", 0200, directory, NULL, &jump_fops);
	for (knob = knobs; knob < knobs + ARRAY_SIZE(knobs); knob++)
		debugfs_create_file_unsafe(knob->name, 0600, directory, knob, &knob_fops);
}

/**
 * tpmu_files_exit - remove them, when nobody uses them any more
 */
void tpmu_files_exit(void)
{
	debugfs_remove(directory);
}
