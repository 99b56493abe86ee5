/* SPDX-License-Identifier: GPL-2.0 */
/* The module's parameters, fixed at load. */
#ifndef _VMDEV_PARAMS_H
#define _VMDEV_PARAMS_H

#include <linux/vmenergy_param.h>

extern struct vmen_param vmdev_max_devices;
extern struct vmen_param vmdev_update_ms;
extern struct vmen_param vmdev_quantum_uj;

#endif /* _VMDEV_PARAMS_H */
