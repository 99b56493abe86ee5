/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vmenergy

#if !defined(_TRACE_VMENERGY_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_VMENERGY_H

#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/vmenergy.h>

#ifndef _TRACE_VMENERGY_FN
#define _TRACE_VMENERGY_FN
int vmen_trace_charges(void);
void vmen_untrace_charges(void);
#endif

/* A task has used active CPU energy, by the model. */
TRACE_EVENT_FN(vmenergy_charge,

	TP_PROTO(const char *domain, const struct task_struct *task, u64 pj),

	TP_ARGS(domain, task, pj),

	TP_STRUCT__entry(
		__array(char,	domain,	VMEN_NAME_SIZE)
		__field(pid_t,	pid)
		__field(u64,	pj)
	),

	TP_fast_assign(
		strscpy(__entry->domain, domain, sizeof(__entry->domain));
		__entry->pid = task->pid;
		__entry->pj = pj;
	),

	TP_printk("domain=%s pid=%d pj=%llu", __entry->domain, __entry->pid, __entry->pj),

	vmen_trace_charges, vmen_untrace_charges
);

DECLARE_EVENT_CLASS(vmenergy_debt,

	TP_PROTO(const char *domain, s64 debt_ns),

	TP_ARGS(domain, debt_ns),

	TP_STRUCT__entry(
		__array(char,	domain,	VMEN_NAME_SIZE)
		__field(s64,	debt_ns)
	),

	TP_fast_assign(
		strscpy(__entry->domain, domain, sizeof(__entry->domain));
		__entry->debt_ns = debt_ns;
	),

	TP_printk("domain=%s debt_ns=%lld", __entry->domain, __entry->debt_ns)
);

/* A domain has spent all that it may for now. */
DEFINE_EVENT(vmenergy_debt, vmenergy_exhaust,
	TP_PROTO(const char *domain, s64 debt_ns),
	TP_ARGS(domain, debt_ns)
);

/* The current task, of a domain, starts to wait for energy. */
DEFINE_EVENT(vmenergy_debt, vmenergy_throttle,
	TP_PROTO(const char *domain, s64 debt_ns),
	TP_ARGS(domain, debt_ns)
);

/* The current task goes on. */
TRACE_EVENT(vmenergy_release,

	TP_PROTO(const char *domain, s64 waited_ns),

	TP_ARGS(domain, waited_ns),

	TP_STRUCT__entry(
		__array(char,	domain,	VMEN_NAME_SIZE)
		__field(s64,	waited_ns)
	),

	TP_fast_assign(
		strscpy(__entry->domain, domain, sizeof(__entry->domain));
		__entry->waited_ns = waited_ns;
	),

	TP_printk("domain=%s waited_ns=%lld", __entry->domain, __entry->waited_ns)
);

#endif /* _TRACE_VMENERGY_H */

#include <trace/define_trace.h>
