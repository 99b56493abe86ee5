/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Module parameters that are numbers within bounds, or one of some words
 *
 * Any other value is refused, at load as well as through sysfs, with one line
 * that says what was expected.
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

/**
 * struct vmen_choice - a module parameter that is a word
 * @value: index of the word; read with READ_ONCE() if it can change after load
 * @names: all words
 * @nr_names: how many they are
 * @changing: called before @value changes at run time, or NULL
 */
struct vmen_choice {
	unsigned int value;
	const char * const *names;
	unsigned int nr_names;
	void (*changing)(void);
};

extern const struct kernel_param_ops vmen_param_ops;
extern const struct kernel_param_ops vmen_choice_ops;

#endif /* _LINUX_VMENERGY_PARAM_H */
