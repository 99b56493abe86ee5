/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_PROBE_H
#define _VMEN_PROBE_H

#include <linux/types.h>

struct tracepoint;

/**
 * struct vmen_probe - a function to be called at a tracepoint
 * @name: the tracepoint's name
 * @func: the function, of the tracepoint's type
 * @tracepoint: found by @name, NULL while not registered
 */
struct vmen_probe {
	const char *name;
	void *func;
	struct tracepoint *tracepoint;
};

#define VMEN_PROBE(_tracepoint, _func)	{ .name = #_tracepoint, .func = (_func) }

int vmen_probes_register(struct vmen_probe *probes, size_t count);
void vmen_probes_unregister(struct vmen_probe *probes, size_t count);

#endif /* _VMEN_PROBE_H */
