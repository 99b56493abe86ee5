/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_ACCOUNT_H
#define _VMEN_ACCOUNT_H

#include <linux/mutex.h>
#include <linux/vmenergy.h>

#include "energy.h"

struct vmen_domain;

/**
 * struct vmen_cpu_account - what one CPU has charged to a domain
 * @cpu_pj: active CPU energy, picojoules, wraps; written by its own CPU only,
 *          with interrupts off
 * @requests: block requests ordered, wraps; likewise
 */
struct vmen_cpu_account {
	u64 cpu_pj;
	u64 requests;
};

/* A request counts this much, so that few of them can fade. */
#define VMEN_REQUEST	1000000ULL

/**
 * struct vmen_account - the account of a domain
 * @cpu: what each CPU has charged
 * @folded: sum over @cpu when it was last folded, wraps
 * @requests: block requests of late, each counting VMEN_REQUEST, older ones fading
 *	      out
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

void vmen_account_prepare(void);
void vmen_account_start(void);
void vmen_account_stop(void);

#endif /* _VMEN_ACCOUNT_H */
