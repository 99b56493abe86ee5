// SPDX-License-Identifier: GPL-2.0
/*
 * Settlement: what the machine has used, shared among its domains
 *
 * The model tells what each domain has caused, the meter what the machine has
 * used in truth. What is metered goes into a pool, out of which come
 *
 *	active energy	of a domain = estimate * metered / estimate of all
 *	base energy	the rest
 *
 * The factor is taken over the last seconds, by exponentially fading sums:
 * a domain is not to see in its own account what another one uses at the
 * moment beyond what the model knows. For the same reason base energy leaves
 * the pool slowly, with the same time constant. The estimate of all includes
 * that of base energy, idle power * time.
 *
 * A meter may be late. What the pool can't pay stays pending, fading likewise,
 * since it may also be what the model has estimated too high.
 *
 * Shares are rounded down and what remains stays in the pool, so that
 *
 *	metered == charged to domains + left in the pool
 *
 * to the last picojoule at any time, and nothing is ever taken back.
 *
 * Pure functions: clocks and meters are arguments. Context: vmen_account_lock
 * is held, or the tree is the caller's own.
 */
#include <linux/minmax.h>

#include "domain.h"
#include "settle.h"

static void bound(struct vmen_pool *pool)
{
	while ((pool->metered_pj | pool->estimate_pj) >= VMEN_STEP_MAX_PJ) {
		pool->metered_pj /= 2;
		pool->estimate_pj /= 2;
	}
}

/* Returns the time for which the meter has told its energy now. */
static u64 learn(struct vmen_pool *pool, const struct vmen_step *step)
{
	u64 ns = pool->waiting_ns + step->ns;

	pool->waiting_ns = ns;
	pool->waiting_pj += step->estimate_pj;
	pool->waiting_pj = min(pool->waiting_pj, VMEN_STEP_MAX_PJ);
	if (!step->metered_pj)
		return 0;
	pool->metered_pj = vmen_fade(pool->metered_pj, ns, step->filter_ns) + step->metered_pj;
	pool->estimate_pj = vmen_fade(pool->estimate_pj, ns, step->filter_ns) + pool->waiting_pj;
	bound(pool);
	pool->waiting_pj = 0;
	pool->waiting_ns = 0;
	return ns;
}

/**
 * vmen_pool_factor - what the meter makes of the model
 * @pool: the pool
 *
 * Return: metered energy by what was estimated, << VMEN_FACTOR_SHIFT; 1 if nothing
 * is known, and from 2^-8 to 2^8 in any case.
 */
u64 vmen_pool_factor(const struct vmen_pool *pool)
{
	u64 one = 1ULL << VMEN_FACTOR_SHIFT;

	if (!pool->estimate_pj || !pool->metered_pj)
		return one;
	if (pool->metered_pj >> 8 >= pool->estimate_pj)
		return one << 8;
	return max(mul_u64_u64_div_u64(pool->metered_pj, one, pool->estimate_pj), one >> 8);
}

/**
 * vmen_pool_extrapolate_pj - what the meter would say if it could
 * @pool: the pool
 * @estimate_pj: the model's estimate since the last settlement
 *
 * Return: the estimate since the meter last moved, scaled as before.
 */
u64 vmen_pool_extrapolate_pj(const struct vmen_pool *pool, u64 estimate_pj)
{
	u64 waiting_pj = min(pool->waiting_pj + estimate_pj, VMEN_STEP_MAX_PJ);

	if (!pool->estimate_pj)
		return waiting_pj;
	if (pool->metered_pj > pool->estimate_pj)
		waiting_pj = min(waiting_pj, vmen_scale_pj(VMEN_STEP_MAX_PJ, pool->estimate_pj,
							   pool->metered_pj));
	return vmen_scale_pj(waiting_pj, pool->metered_pj, pool->estimate_pj);
}

/**
 * struct payment - what is paid from the pool for estimates of active energy
 * @pending_pj: all estimates that wait to be paid
 * @settled_pj: those of them that are paid
 * @amount_pj: what they cost
 */
struct payment {
	u64 pending_pj;
	u64 settled_pj;
	u64 amount_pj;
};

/* Divides by the larger factor first, so that no quotient exceeds 64 bits. */
static void plan(struct payment *payment, const struct vmen_pool *pool)
{
	u64 metered_pj = pool->metered_pj, estimate_pj = pool->estimate_pj;
	u64 cost_pj;

	if (!estimate_pj)
		return;
	payment->settled_pj = payment->pending_pj;
	if (metered_pj > estimate_pj) {
		u64 limit_pj = vmen_scale_pj(pool->unshared_pj, estimate_pj, metered_pj);

		if (payment->pending_pj > limit_pj) {
			payment->settled_pj = limit_pj;
			payment->amount_pj = pool->unshared_pj;
		} else {
			payment->amount_pj = vmen_scale_pj(payment->pending_pj, metered_pj,
							   estimate_pj);
		}
		return;
	}
	cost_pj = vmen_scale_pj(payment->pending_pj, metered_pj, estimate_pj);
	payment->amount_pj = min(cost_pj, pool->unshared_pj);
	if (cost_pj > pool->unshared_pj)
		payment->settled_pj = vmen_scale_pj(payment->pending_pj, pool->unshared_pj,
						    cost_pj);
}

/**
 * vmen_credit - add to a domain's account and to those above it
 * @domain: the domain
 * @component: what has used the energy
 * @amount: how much it is
 */
void vmen_credit(struct vmen_domain *domain, int component, const struct vmen_used *amount)
{
	vmen_used_add(&domain->account.own[component], amount);
	for (; domain; domain = domain->parent)
		vmen_used_add(&domain->account.total[component], amount);
}

static void pay(struct vmen_domain *machine, int component, struct vmen_pool *pool,
		const struct vmen_step *step, const struct payment *payment)
{
	struct vmen_domain *domain;

	vmen_for_each_domain(domain, machine) {
		struct vmen_account *account = &domain->account;
		u64 *pending_pj = &account->pending_pj[component];
		u64 *lately_pj = &account->lately_pj[component];
		u64 share_pj = vmen_scale_pj(payment->amount_pj, *pending_pj, payment->pending_pj);

		/* Old kernels' division is not exact everywhere. */
		share_pj = min(share_pj, pool->unshared_pj);
		*lately_pj = vmen_fade(*lately_pj, step->ns, step->filter_ns) + share_pj;
		if (!*pending_pj)
			continue;
		*pending_pj -= vmen_scale_pj(*pending_pj, payment->settled_pj, payment->pending_pj);
		pool->unshared_pj -= share_pj;
		vmen_credit(domain, component,
			    &(struct vmen_used){ .active = vmen_energy_of_pj(share_pj) });
	}
}

static u64 base_weight(const struct vmen_domain *domain, int component, enum vmen_base_rule rule)
{
	switch (rule) {
	case VMEN_BASE_EQUAL:
		return list_empty(&domain->children);
	case VMEN_BASE_PROPORTIONAL:
		return domain->account.lately_pj[component];
	default:
		return !domain->parent;
	}
}

static u64 sum_base_weights(struct vmen_domain *machine, int component, enum vmen_base_rule rule)
{
	struct vmen_domain *domain;
	u64 sum = 0;

	vmen_for_each_domain(domain, machine)
		sum += base_weight(domain, component, rule);
	return sum;
}

static void share_base(struct vmen_domain *machine, int component, struct vmen_pool *pool,
		       const struct vmen_step *step)
{
	u64 kept_pj = vmen_fade(pool->unshared_pj, step->ns, step->filter_ns);
	u64 amount_pj = pool->unshared_pj - min(kept_pj, VMEN_STEP_MAX_PJ);
	enum vmen_base_rule rule = step->rule;
	struct vmen_domain *domain;
	u64 whole;

	whole = sum_base_weights(machine, component, rule);
	if (!whole && pool->unshared_pj > VMEN_STEP_MAX_PJ) {
		/* It can't wait any longer for somebody to be active. */
		rule = VMEN_BASE_NONE;
		whole = 1;
	}
	vmen_for_each_domain(domain, machine) {
		u64 weight = base_weight(domain, component, rule);
		u64 share_pj;

		if (!weight)
			continue;
		share_pj = min(vmen_scale_pj(amount_pj, weight, whole), pool->unshared_pj);
		pool->unshared_pj -= share_pj;
		vmen_credit(domain, component,
			    &(struct vmen_used){ .base = vmen_energy_of_pj(share_pj) });
	}
}

static u64 sum_pending_pj(struct vmen_domain *machine, int component)
{
	struct vmen_domain *domain;
	u64 sum_pj = 0;

	vmen_for_each_domain(domain, machine)
		sum_pj += domain->account.pending_pj[component];
	return sum_pj;
}

/* Only proportions matter while the meter stands still or was overestimated. */
static void fade_pending(struct vmen_domain *machine, int component, u64 ns, u64 filter_ns)
{
	struct vmen_domain *domain;

	vmen_for_each_domain(domain, machine) {
		u64 *pending_pj = &domain->account.pending_pj[component];

		*pending_pj = vmen_fade(*pending_pj, ns, filter_ns);
	}
}

/**
 * vmen_settle - share out what was used since the last settlement
 * @machine: the root of the tree; what its domains have caused is pending
 * @component: what has used the energy
 * @pool: the component's pool
 * @step: what has happened
 */
void vmen_settle(struct vmen_domain *machine, int component, struct vmen_pool *pool,
		 const struct vmen_step *step)
{
	struct payment payment = { .pending_pj = sum_pending_pj(machine, component) };
	u64 ns = learn(pool, step);

	pool->unshared_pj += step->metered_pj + step->base_pj;
	plan(&payment, pool);
	pay(machine, component, pool, step, &payment);
	if (ns && payment.settled_pj < payment.pending_pj)
		fade_pending(machine, component, ns, step->filter_ns);
	else if (payment.pending_pj > VMEN_STEP_MAX_PJ)
		fade_pending(machine, component, 1, 1);
	share_base(machine, component, pool, step);
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/settle-kunit.h"
#endif
