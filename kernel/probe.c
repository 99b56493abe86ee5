// SPDX-License-Identifier: GPL-2.0
/*
 * Probes on tracepoints of the kernel, which are not exported: they are found
 * by their names. The caller pins the type with check_trace_callback_type_*().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/string.h>
#include <linux/tracepoint.h>

#include "probe.h"

static void match(struct tracepoint *tracepoint, void *arg)
{
	struct vmen_probe *probe = arg;

	if (!strcmp(tracepoint->name, probe->name))
		probe->tracepoint = tracepoint;
}

static int register_one(struct vmen_probe *probe)
{
	int err;

	for_each_kernel_tracepoint(match, probe);
	if (!probe->tracepoint) {
		pr_err("this kernel has no tracepoint %s\n", probe->name);
		return -EOPNOTSUPP;
	}
	err = tracepoint_probe_register(probe->tracepoint, probe->func, NULL);
	if (err)
		probe->tracepoint = NULL;
	return err;
}

/**
 * vmen_probes_register - attach functions to their tracepoints
 * @probes: what to attach
 * @count: how many
 *
 * Return: 0, or a negative error, and then none is attached.
 */
int vmen_probes_register(struct vmen_probe *probes, size_t count)
{
	size_t i;
	int err;

	for (i = 0; i < count; i++) {
		err = register_one(&probes[i]);
		if (err) {
			vmen_probes_unregister(probes, i);
			return err;
		}
	}
	return 0;
}

/**
 * vmen_probes_unregister - detach functions from their tracepoints
 * @probes: what to detach
 * @count: how many
 *
 * None of them runs any more when this returns.
 */
void vmen_probes_unregister(struct vmen_probe *probes, size_t count)
{
	while (count--) {
		tracepoint_probe_unregister(probes[count].tracepoint,
					    probes[count].func, NULL);
		probes[count].tracepoint = NULL;
	}
	tracepoint_synchronize_unregister();
}
