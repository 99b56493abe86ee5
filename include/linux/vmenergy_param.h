/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Module parameters that are numbers within bounds
 *
 * A value that is malformed or out of bounds is refused, at load as well as
 * through sysfs, with one line that says what was expected.
 */
#ifndef _LINUX_VMENERGY_PARAM_H
#define _LINUX_VMENERGY_PARAM_H

#include <linux/moduleparam.h>

/**
 * struct vmen_param - a module parameter, declared by module_param_cb()
 * @value: the number; read with READ_ONCE() if it can change after load
 * @min: its least value
 * @max: its greatest value
 * @changing: called before @value changes at run time, or NULL
 */
struct vmen_param {
	unsigned int value;
	unsigned int min;
	unsigned int max;
	void (*changing)(void);
};

extern const struct kernel_param_ops vmen_param_ops;

#endif /* _LINUX_VMENERGY_PARAM_H */
