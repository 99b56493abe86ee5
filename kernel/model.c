// SPDX-License-Identifier: GPL-2.0
/*
 * The event model: energy by what processors do
 *
 *	energy [pJ] = sum over events of (how often it happened * weight [pJ])
 *
 * (Bellosa, "The Benefits of Event-Driven Energy Accounting in Power-Sensitive
 * Systems", ACM SIGOPS European Workshop 2000). What a busy processor uses
 * whatever it does is charged by time; see hook-sched.c.
 *
 * A model is written as its events, separated by commas:
 *
 *	type:config:weight	0:1:350,4:0x1b1:20
 *
 * Pure functions: no state, no lock, any context.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "model.h"

/* Longest event: two numbers of 32 bits and one of 64, with a prefix, and what separates them. */
#define EVENT_TEXT_SIZE	48

/* Takes the text up to @end off *@text, into @word; false if it is empty or too long. */
static bool take_word(const char **text, const char *end, char *word)
{
	size_t len = strcspn(*text, end);

	if (!len || len >= EVENT_TEXT_SIZE)
		return false;
	memcpy(word, *text, len);
	word[len] = '\0';
	*text += len;
	return true;
}

static bool parse_event(struct vmen_event *event, char *word)
{
	const char *type = strsep(&word, ":");
	const char *config = strsep(&word, ":");

	return config && word && !kstrtou32(type, 0, &event->type) &&
	       !kstrtou64(config, 0, &event->config) &&
	       !kstrtou32(word, 0, &event->weight_pj);
}

static bool model_has(const struct vmen_model *model, const struct vmen_event *event)
{
	unsigned int i;

	for (i = 0; i < model->nr_events; i++) {
		if (vmen_event_is(&model->event[i], event))
			return true;
	}
	return false;
}

/**
 * vmen_model_parse - read a model from text
 * @model: stores the model, undefined upon an error
 * @text: its events, or nothing; a line break may follow
 *
 * Return: 0; -EINVAL if an event is malformed; -EEXIST if there is one twice;
 * -E2BIG if there are more than VMEN_MAX_EVENTS.
 */
int vmen_model_parse(struct vmen_model *model, const char *text)
{
	char word[EVENT_TEXT_SIZE];

	model->nr_events = 0;
	if (!text[strspn(text, "\n")])
		return 0;
	for (;; text++) {
		struct vmen_event event;

		if (!take_word(&text, ",\n", word) || !parse_event(&event, word))
			return -EINVAL;
		if (model_has(model, &event))
			return -EEXIST;
		if (model->nr_events == VMEN_MAX_EVENTS)
			return -E2BIG;
		model->event[model->nr_events++] = event;
		if (*text != ',')
			break;
	}
	return text[strspn(text, "\n")] ? -EINVAL : 0;
}

/**
 * vmen_model_print - write a model as text
 * @buffer: stores the text and a line break
 * @size: bytes of @buffer
 * @model: the model
 *
 * Return: the length of the text.
 */
int vmen_model_print(char *buffer, size_t size, const struct vmen_model *model)
{
	int len = 0;
	unsigned int i;

	for (i = 0; i < model->nr_events; i++)
		len += scnprintf(buffer + len, size - len, "%s%u:%#llx:%u", i ? "," : "",
				 model->event[i].type, model->event[i].config,
				 model->event[i].weight_pj);
	return len + scnprintf(buffer + len, size - len, "\n");
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/model-kunit.h"
#endif
