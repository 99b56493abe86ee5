// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters
 *
 * They can't be changed after load: a guest reads the update period and the
 * quantum once and relies on them.
 */
#include "params.h"

struct vmen_param vmdev_max_devices = {
	.value	= 1024,
	.min	= 1,
	.max	= 65536,
};
module_param_cb(max_devices, &vmen_param_ops, &vmdev_max_devices, 0444);
MODULE_PARM_DESC(max_devices, "devices that can be created, 1 to 65536");

struct vmen_param vmdev_update_ms = {
	.value	= 10,
	.min	= 1,
	.max	= 1000,
};
module_param_cb(update_ms, &vmen_param_ops, &vmdev_update_ms, 0444);
MODULE_PARM_DESC(update_ms, "period of updates in milliseconds, 1 to 1000");

struct vmen_param vmdev_quantum_uj = {
	.value	= 1000,
	.min	= 1,
	.max	= 1000000,
};
module_param_cb(quantum_uj, &vmen_param_ops, &vmdev_quantum_uj, 0444);
MODULE_PARM_DESC(quantum_uj, "step of readings in microjoules, 1 to 1000000");
