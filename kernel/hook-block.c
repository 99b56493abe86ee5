// SPDX-License-Identifier: GPL-2.0
/*
 * The block hook: for whom the kernel works on block requests
 *
 * A request counts for the process that submits it or, if a kernel thread of no
 * domain does, for the cgroup that the kernel keeps with it. One that a device of
 * a stack makes out of another counts, too, as it makes work.
 *
 * The kernel's work during which a request is issued or completed is taken for
 * work on block requests: the interrupt, the softirq, or the kernel thread
 * until it is switched out or the next tick (work.c).
 */
#include <linux/bio.h>
#include <linux/blk-cgroup.h>
#include <linux/blk-mq.h>
#include <linux/cgroup.h>
#include <trace/events/block.h>

#include "charge.h"
#include "domain.h"
#include "hook-block.h"
#include "probe.h"
#include "work.h"

/* From now on, what this CPU does is work on requests, if it is the kernel's. */
static void mark(void)
{
	struct vmen_cpu *cpu = this_cpu_ptr(&vmen_cpu);

	if (cpu->depth) {
		cpu->work = vmen_work_account(VMEN_WORK_BLOCK);
		return;
	}
	if (cpu->account != vmen_work_account(VMEN_WORK_KTHREAD))
		return;
	/* Counters are not read when kernel threads take turns. */
	vmen_charge_events(cpu, cpu->account);
	cpu->account = vmen_work_account(VMEN_WORK_BLOCK);
}

static struct vmen_domain *orderer(struct bio *bio)
{
	struct vmen_domain *domain = &vmen_machine;
	struct cgroup_subsys_state *css;

	if (in_task())
		domain = vmen_domain_of(current);
	if (domain != &vmen_machine || (in_task() && !(current->flags & PF_KTHREAD)))
		return domain;
	css = bio_blkcg_css(bio);
	return (css ? vmen_domain_of_cgroup(css->cgroup) : NULL) ?: domain;
}

static void probe_block_bio_queue(void *data, struct bio *bio)
{
	guard(irqsave)();
	this_cpu_ptr(orderer(bio)->account.cpu)->requests++;
	mark();
}

static void probe_block_rq_issue(void *data, struct request *request)
{
	guard(irqsave)();
	mark();
}

static void probe_block_rq_complete(void *data, struct request *request, blk_status_t error,
				    unsigned int bytes)
{
	guard(irqsave)();
	mark();
}

static struct vmen_probe probes[] = {
	VMEN_PROBE(block_bio_queue, probe_block_bio_queue),
	VMEN_PROBE(block_rq_issue, probe_block_rq_issue),
	VMEN_PROBE(block_rq_complete, probe_block_rq_complete),
};

/**
 * vmen_hook_block_init - start to look at requests
 *
 * Context: the scheduler hook runs already.
 * Return: 0 or a negative error.
 */
int vmen_hook_block_init(void)
{
	check_trace_callback_type_block_bio_queue(probe_block_bio_queue);
	check_trace_callback_type_block_rq_issue(probe_block_rq_issue);
	check_trace_callback_type_block_rq_complete(probe_block_rq_complete);
	return vmen_probes_register(probes, ARRAY_SIZE(probes));
}

/**
 * vmen_hook_block_exit - look no more
 */
void vmen_hook_block_exit(void)
{
	vmen_probes_unregister(probes, ARRAY_SIZE(probes));
}
