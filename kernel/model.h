/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The event model: energy by what processors do
 *
 * Pure functions; see model.c.
 */
#ifndef _VMEN_MODEL_H
#define _VMEN_MODEL_H

#include <linux/types.h>

#define VMEN_MAX_EVENTS		16

/**
 * struct vmen_event - an event that costs energy
 * @type: PERF_TYPE_*, or the number of a dynamic PMU
 * @weight_pj: energy each time it happens, picojoules
 * @config: as in struct perf_event_attr
 */
struct vmen_event {
	u32 type;
	u32 weight_pj;
	u64 config;
};

/**
 * vmen_event_is - do two of them name the same event?
 * @a: an event
 * @b: another, maybe with another weight
 *
 * Return: whether they do.
 */
static inline bool vmen_event_is(const struct vmen_event *a, const struct vmen_event *b)
{
	return a->type == b->type && a->config == b->config;
}

/**
 * struct vmen_model - all events that cost energy
 * @nr_events: entries of @event in use
 * @event: no two are of the same type and config
 */
struct vmen_model {
	unsigned int nr_events;
	struct vmen_event event[VMEN_MAX_EVENTS];
};

int vmen_model_parse(struct vmen_model *model, const char *text);
int vmen_model_print(char *buffer, size_t size, const struct vmen_model *model);

#endif /* _VMEN_MODEL_H */
