// SPDX-License-Identifier: GPL-2.0
/*
 * vmenergy: energy accounts for virtual machines, cgroups and processes
 *
 * The machine's energy is charged to domains, which form a tree:
 *
 *	hook-sched	charges tasks at every context switch and tick
 *	hook-irq	charges interrupts and softirqs apart from them
 *	hook-block	counts for whom the kernel works on block requests
 *	work		hands the kernel's own work to those it was done for
 *	model		energy by events, as people write it
 *	counters	counts these events on every CPU
 *	domain		finds a task's domain, keeps the tree
 *	gauge		energy counters, as people write them and as they count
 *	meter		reads them by perf
 *	account		gathers the charges, knows the meter
 *	settle		makes the charges add up to what the machine has used
 *	budget		what may be spent: power limits and allowances
 *	average		power over a time window
 *	control		the budgets of domains
 *	policy		shares a limit among those whom it holds for
 *	govern		settles, shares and sets right periodically
 *	throttle	makes tasks wait whose budgets are empty
 *	taskwork	has tasks do something where they may sleep
 *	vm		makes a domain of each VM as it starts
 *	zone		shows domains through powercap
 *	proc		shows them all in one table
 *	configfs	makes domains of cgroups and processes on request
 *
 * Units are part of the names: _pj _uj _mw _ns. Documentation/admin-guide/
 * vmenergy has more.
 */
#include <linux/module.h>

#include "account.h"
#include "configfs.h"
#include "counters.h"
#include "domain.h"
#include "govern.h"
#include "hook-block.h"
#include "hook-irq.h"
#include "hook-sched.h"
#include "meter.h"
#include "proc.h"
#include "throttle.h"
#include "vm.h"
#include "zone.h"

static int __init vmenergy_init(void)
{
	int err;

	vmen_account_prepare();
	vmen_throttle_init();
	err = vmen_domain_init();
	if (err)
		return err;
	err = vmen_zone_init();
	if (err)
		goto exit_domain;
	err = vmen_vm_init();
	if (err)
		goto exit_zone;
	err = vmen_hook_sched_init();
	if (err)
		goto exit_vm;
	err = vmen_hook_irq_init();
	if (err)
		goto exit_hook_sched;
	err = vmen_hook_block_init();
	if (err)
		goto exit_hook_irq;
	err = vmen_counters_init();
	if (err)
		goto exit_hook_block;
	vmen_govern_start();
	err = vmen_meter_start();
	if (err)
		goto exit_govern;
	err = vmen_proc_init();
	if (err)
		goto exit_meter;
	err = vmen_configfs_init();
	if (err)
		goto exit_proc;
	return 0;

exit_proc:
	vmen_proc_exit();
exit_meter:
	vmen_meter_stop();
exit_govern:
	vmen_govern_stop();
	vmen_counters_exit();
exit_hook_block:
	vmen_hook_block_exit();
exit_hook_irq:
	vmen_hook_irq_exit();
exit_hook_sched:
	vmen_hook_sched_exit();
	vmen_throttle_exit();
exit_vm:
	vmen_vm_exit();
exit_zone:
	vmen_zone_exit();
exit_domain:
	vmen_domain_exit();
	return err;
}
module_init(vmenergy_init);

static void __exit vmenergy_exit(void)
{
	/* Wait for writers of parameters; the next ones find the module going. */
	kernel_param_lock(THIS_MODULE);
	kernel_param_unlock(THIS_MODULE);

	vmen_configfs_exit();
	vmen_proc_exit();
	vmen_meter_stop();
	vmen_govern_stop();
	vmen_counters_exit();
	vmen_hook_block_exit();
	vmen_hook_irq_exit();
	vmen_hook_sched_exit();
	vmen_throttle_exit();
	vmen_vm_exit();
	vmen_zone_exit();
	vmen_domain_exit();
}
module_exit(vmenergy_exit);

MODULE_DESCRIPTION("Energy accounts for virtual machines, cgroups and processes");
MODULE_LICENSE("GPL");
