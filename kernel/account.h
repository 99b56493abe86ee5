/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_ACCOUNT_H
#define _VMEN_ACCOUNT_H

#include <linux/mutex.h>
#include <linux/vmenergy.h>

#include "energy.h"

struct vmen_domain;

/**
 * struct vmen_cpu_account - what one CPU has charged to a domain
 * @cpu_pj: active CPU energy, picojoules, by the model
 * @told_pj: up to where budgets were told of that, if there are any
 * @spent_pj: what was taken from them for it
 * @requests: block requests ordered
 *
 * All of them wrap, and are written by their own CPU only, with interrupts off.
 */
struct vmen_cpu_account {
	u64 cpu_pj;
	u64 told_pj;
	u64 spent_pj;
	u64 requests;
};

/* Factors are fixed-point numbers with this many binary digits. */
#define VMEN_FACTOR_SHIFT	24

/* A request counts this much, so that few of them can fade. */
#define VMEN_REQUEST	1000000ULL

/**
 * struct vmen_account - the account of a domain
 * @cpu: what each CPU has charged
 * @folded: sum over @cpu when it was last folded, wraps
 * @requests: block requests of late, each counting VMEN_REQUEST, older ones fading
 *	      out
 * @spent_pj: taken from budgets and not yet compared with what was settled
 * @pending_pj: charged by the model and not yet settled, per component
 * @lately_pj: settled active energy of late, older one fading out, per component
 * @own: settled energy charged to the domain itself, per component
 * @total: @own of the domain and of those that lay below it at the time
 *
 * All but @cpu is under vmen_account_lock.
 */
struct vmen_account {
	struct vmen_cpu_account __percpu *cpu;
	struct vmen_cpu_account folded;
	u64 requests;
	u64 spent_pj;
	u64 pending_pj[VMEN_NR_COMPONENTS];
	u64 lately_pj[VMEN_NR_COMPONENTS];
	struct vmen_used own[VMEN_NR_COMPONENTS];
	struct vmen_used total[VMEN_NR_COMPONENTS];
};

/**
 * struct vmen_meter_status - what is known of the meter
 * @name: its name, or "none"
 * @stale: it could not be read last time
 */
struct vmen_meter_status {
	char name[32];
	bool stale;
};

extern struct mutex vmen_account_lock;
extern u64 vmen_cpu_factor;
extern struct vmen_used vmen_ended[VMEN_NR_COMPONENTS];

int vmen_account_init(struct vmen_account *account);
void vmen_account_free(struct vmen_account *account);
struct vmen_cpu_account vmen_cpu_account_increase(const struct vmen_cpu_account __percpu *cpu,
						  struct vmen_cpu_account *last);
u64 vmen_account_fold(struct vmen_account *account, u64 ns, u64 filter_ns);
void vmen_account_sync(void);
void vmen_account_refresh(void);
void vmen_account_settle(void);
void vmen_account_close(struct vmen_account *account);
void vmen_account_audit(int cpu, u64 *charged_pj, u64 *accounted_pj);
void vmen_account_read(const struct vmen_domain *domain,
		       struct vmen_reading reading[VMEN_NR_COMPONENTS]);
struct vmen_energy vmen_account_unshared(int component);
struct vmen_meter_status vmen_account_meter(void);

u64 vmen_account_lag_ns(void);
bool vmen_account_is_waiting(int component);
void vmen_account_prepare(void);

/**
 * vmen_account_as_metered - what the model's CPU energy stands for
 * @pj: by the model, picojoules
 *
 * Context: any.
 * Return: as the meter would say, by what it has said of late.
 */
static inline u64 vmen_account_as_metered(u64 pj)
{
	return mul_u64_u64_shr(pj, READ_ONCE(vmen_cpu_factor), VMEN_FACTOR_SHIFT);
}

#endif /* _VMEN_ACCOUNT_H */
