// SPDX-License-Identifier: GPL-2.0
/*
 * What a CPU counts and uses in a step of time
 *
 *	power [uW] = sum over events (rate [1/us] * energy_pj) + busy_mw * 1000
 *	count [1/1000] += rate [1/us] * time [ns]
 *	energy [fJ] += power [uW] * time [ns]
 *
 * where the power is reduced by nonlinear_ppm if another CPU is busy as well
 * when the step is made. One CPU, the base CPU, adds idle_mw * time. Fractions
 * of a picojoule are carried over to the CPU's next step, so that energies are
 * whole picojoules and their sums are exact.
 *
 * The caller has the CPU's state for itself.
 */
#include <linux/kernel.h>
#include <linux/math64.h>

#include "cpu.h"
#include "test_pmu.h"

#define FJ_PER_PJ	1000U
#define PARTS_PER_COUNT	1000U
#define UW_PER_MW	1000U

/* A unit of the package's counter, 2^-32 J, is 5^12 / 2^20 pJ. */
#define UNIT_SHIFT	20
#define UNIT_DIVISOR	244140625U

struct tpmu_model tpmu_model;

/**
 * tpmu_amount_add - add to a sum
 * @amount: the sum
 * @parts: what to add, in the unit of the sum's rest
 * @per_whole: how many of them make a whole
 */
void tpmu_amount_add(struct tpmu_amount *amount, u64 parts, u32 per_whole)
{
	WRITE_ONCE(amount->whole, amount->whole +
		   div_u64_rem(amount->rest + parts, per_whole, &amount->rest));
}

/* Adds, and returns by how many wholes the sum has grown. */
static u64 grow(struct tpmu_amount *amount, u64 parts, u32 per_whole)
{
	u64 before = amount->whole;

	tpmu_amount_add(amount, parts, per_whole);
	return amount->whole - before;
}

/* Counts what the current task does. Returns the power that this takes, uW. */
static u64 count(struct tpmu_cpu *cpu, u64 ns)
{
	u64 power_uw = 0;
	int event;

	for (event = 0; event < TPMU_EVENTS; event++) {
		u64 rate = tpmu_rates_get(cpu->slot, event);

		tpmu_amount_add(&cpu->counts[event], rate * ns, PARTS_PER_COUNT);
		power_uw += rate * READ_ONCE(tpmu_model.energy_pj[event]);
	}
	return power_uw;
}

static u64 active_pj(struct tpmu_cpu *cpu, u64 ns, int busy_cpus)
{
	u64 power_uw = count(cpu, ns);

	if (cpu->busy)
		power_uw += (u64)READ_ONCE(tpmu_model.busy_mw) * UW_PER_MW;
	if (busy_cpus > 1)
		power_uw -= div_u64(power_uw * READ_ONCE(tpmu_model.nonlinear_ppm), TPMU_PPM);
	return grow(&cpu->active, power_uw * ns, FJ_PER_PJ);
}

static u64 noise_pj(struct tpmu_cpu *cpu, u64 ns)
{
	u64 power_uw = reciprocal_scale(prandom_u32_state(&cpu->random),
					READ_ONCE(tpmu_model.noise_uw) + 1);

	return grow(&cpu->noise, power_uw * ns, FJ_PER_PJ);
}

/**
 * tpmu_step - account for what a CPU has been doing
 * @cpu: the CPU
 * @ns: for how long; at most TPMU_STEP_NS
 * @busy_cpus: how many CPUs are busy
 */
void tpmu_step(struct tpmu_cpu *cpu, u64 ns, int busy_cpus)
{
	u64 pj = active_pj(cpu, ns, busy_cpus);

	tpmu_amount_add(&cpu->energy[cpu->slot], pj, TPMU_PJ_PER_UJ);
	if (cpu->base) {
		u64 idle_pj = READ_ONCE(tpmu_model.idle_mw) * ns;

		tpmu_amount_add(&cpu->energy[TPMU_IDLE], idle_pj, TPMU_PJ_PER_UJ);
		pj += idle_pj + noise_pj(cpu, ns);
	}
	if (!READ_ONCE(tpmu_model.stop))
		tpmu_amount_add(&cpu->units, pj << UNIT_SHIFT, UNIT_DIVISOR);
}
