/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the test PMU share; main.c tells the model.
 */
#ifndef _TEST_PMU_H
#define _TEST_PMU_H

#include <linux/bits.h>
#include <linux/mutex.h>
#include <linux/types.h>

#define TPMU_EVENTS	8
#define TPMU_PJ_PER_UJ	1000000U

/* Limits keep the energy of a step, in units << 20, within 64 bits. */
#define TPMU_MAX_RATE	10000U
#define TPMU_MAX_PJ	100000U
#define TPMU_MAX_MW	1000000U
#define TPMU_MAX_UW	1000000000U
#define TPMU_PPM	1000000U
#define TPMU_MAX_JUMP_UJ	100000000000LL

/* The table of rates is a hash: half of it stays empty. */
#define TPMU_TABLE_BITS	7
#define TPMU_TABLE	BIT(TPMU_TABLE_BITS)
#define TPMU_MAX_TGIDS	(TPMU_TABLE / 2)

/* Whom energy is accounted to: an entry of the table, or one of these. */
#define TPMU_OTHER	TPMU_TABLE
#define TPMU_IDLE	(TPMU_TABLE + 1)
#define TPMU_SLOTS	(TPMU_TABLE + 2)

struct attribute_group;
struct task_struct;

/**
 * struct tpmu_amount - a sum that keeps what a division leaves
 * @whole: counts, or microjoules
 * @rest: thousandths of a count, or picojoules; less than a whole
 */
struct tpmu_amount {
	u64 whole;
	u32 rest;
};

/**
 * struct tpmu_model - what energy is made of; settable while it is used
 * @energy_pj: of one count of each event
 * @idle_mw: power of the package whatever it does
 * @busy_mw: additional power of each CPU that runs a task
 * @nonlinear_ppm: what active energy is reduced by while two CPUs are busy
 * @noise_uw: upper bound of a random power that only the counter knows
 * @stop: the package's counter stands still
 */
struct tpmu_model {
	u32 energy_pj[TPMU_EVENTS];
	u32 idle_mw;
	u32 busy_mw;
	u32 nonlinear_ppm;
	u32 noise_uw;
	u32 stop;
};

extern struct tpmu_model tpmu_model;
extern struct mutex tpmu_lock;

void tpmu_amount_add(struct tpmu_amount *amount, u64 parts, u32 per_whole);

void tpmu_rates_init(u32 default_rate);
int tpmu_rates_find(const struct task_struct *task);
u32 tpmu_rates_get(int slot, int event);
pid_t tpmu_rates_tgid(int slot);
int tpmu_rates_set(pid_t tgid, int event, u32 rate);
void tpmu_rates_clear(void);

int tpmu_cpus_init(void);
void tpmu_cpus_free(void);
void tpmu_cpu_online(void);
void tpmu_cpu_offline(void);
bool tpmu_cpu_is_live(int cpu);
void tpmu_cpu_switch(struct task_struct *next);
void tpmu_cpu_set_base(int cpu, bool base);
u64 tpmu_cpu_count(int event);
u64 tpmu_cpus_units(void);
void tpmu_cpus_refresh(void);
void tpmu_cpus_forget(void);
void tpmu_cpus_energy(struct tpmu_amount energy[TPMU_SLOTS]);

extern const struct attribute_group tpmu_format_group;

int tpmu_counters_init(void);
void tpmu_counters_exit(void);

int tpmu_package_init(void);
void tpmu_package_exit(void);
void tpmu_package_online(int cpu);
void tpmu_package_offline(int cpu);
void tpmu_package_jump(s64 uj);

void tpmu_files_init(void);
void tpmu_files_exit(void);

#endif /* _TEST_PMU_H */
