// SPDX-License-Identifier: GPL-2.0
/*
 * Gauges: energy counters that perf reads, such as RAPL's
 *
 *	energy [pJ] = increase of the count * scale
 *
 * exactly: what is less than 1 pJ is kept for the next time. A count that
 * falls, or grows by more than any machine can use, is no energy, and neither
 * is what a counter that stood still has to say at first when it moves again:
 * by then the model has made up for it.
 *
 * A gauge is written as an event, its scale in joules as perf's .scale files
 * have it, and the CPU to read it on, if it is not one in each package:
 *
 *	type:config:scale[@cpu]		23:2:2.3283064365386962890625e-10
 *
 * Pure functions: no state, no lock, any context; the clock is an argument.
 */
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "energy.h"
#include "gauge.h"

#define SPEC_TEXT_SIZE		96
#define JOULE_EXPONENT		12	/* 1 J is 10^12 pJ */
#define MAX_DIGITS		18	/* that a u64 holds in any case */
#define MAX_EXPONENT		99

static u64 power_of_ten(unsigned int exponent)
{
	u64 power = 1;

	while (exponent--)
		power *= 10;
	return power;
}

/**
 * struct decimal - a decimal number as people write it
 * @digits: its first MAX_DIGITS significant digits
 * @nr_digits: how many these are
 * @exponent: of ten, to multiply @digits by
 */
struct decimal {
	u64 digits;
	int nr_digits;
	int exponent;
};

static const char *parse_digits(struct decimal *decimal, const char *text, bool fraction)
{
	for (; isdigit(*text); text++) {
		if (decimal->nr_digits == MAX_DIGITS) {
			decimal->exponent += !fraction;
			continue;
		}
		decimal->digits = decimal->digits * 10 + *text - '0';
		decimal->nr_digits += decimal->digits > 0;
		decimal->exponent -= fraction;
	}
	return text;
}

static bool parse_decimal(struct decimal *decimal, const char *text)
{
	const char *start = text;
	int exponent = 0;

	*decimal = (struct decimal){};
	if (!isdigit(*text))
		return false;
	text = parse_digits(decimal, text, false);
	if (*text == '.') {
		start = ++text;
		text = parse_digits(decimal, text, true);
		if (text == start)
			return false;
	}
	if (*text == 'e' || *text == 'E') {
		if (kstrtoint(text + 1, 10, &exponent) || abs(exponent) > MAX_EXPONENT)
			return false;
	} else if (*text) {
		return false;
	}
	decimal->exponent += exponent;
	return true;
}

/* A count is 1 pJ to 1 J. */
static bool parse_scale(struct vmen_gauge_spec *spec, const char *text)
{
	struct decimal scale;
	int magnitude;

	if (!parse_decimal(&scale, text) || !scale.digits)
		return false;
	scale.exponent += JOULE_EXPONENT;
	magnitude = scale.exponent + scale.nr_digits;
	if (magnitude < 1 || magnitude > JOULE_EXPONENT + 1)
		return false;
	spec->numerator = scale.digits * power_of_ten(max(scale.exponent, 0));
	spec->denominator = power_of_ten(max(-scale.exponent, 0));
	return spec->numerator / spec->denominator <= power_of_ten(JOULE_EXPONENT);
}

static bool parse_spec(struct vmen_gauge_spec *spec, char *word)
{
	char *event = strsep(&word, "@");
	const char *type = strsep(&event, ":");
	const char *config = strsep(&event, ":");

	spec->cpu = VMEN_GAUGE_EACH_PACKAGE;
	if (word && (kstrtoint(word, 10, &spec->cpu) || spec->cpu < 0))
		return false;
	return config && event && !kstrtou32(type, 0, &spec->type) &&
	       !kstrtou64(config, 0, &spec->config) && parse_scale(spec, event);
}

/**
 * vmen_gauge_parse - read specifications from text
 * @specs: stores them, undefined upon an error
 * @text: separated by commas, or nothing; a line break may follow
 *
 * Return: how many there are; -EINVAL if one is malformed; -E2BIG if there are
 * more than VMEN_MAX_GAUGE_SPECS.
 */
int vmen_gauge_parse(struct vmen_gauge_spec specs[VMEN_MAX_GAUGE_SPECS], const char *text)
{
	size_t len = strcspn(text, "\n");
	const char *end = text + len;
	int nr = 0;

	if (end[strspn(end, "\n")])
		return -EINVAL;
	while (len) {
		char word[SPEC_TEXT_SIZE];

		len = strcspn(text, ",\n");
		if (!len || len >= sizeof(word))
			return -EINVAL;
		if (nr == VMEN_MAX_GAUGE_SPECS)
			return -E2BIG;
		memcpy(word, text, len);
		word[len] = '\0';
		if (!parse_spec(&specs[nr++], word))
			return -EINVAL;
		text += len;
		if (text == end)
			break;
		text++;
	}
	return nr;
}

/**
 * vmen_gauge_start - count from here
 * @gauge: the gauge, its specification set
 * @count: what it says now
 * @now_ns: the time
 */
void vmen_gauge_start(struct vmen_gauge *gauge, u64 count, u64 now_ns)
{
	gauge->count = count;
	gauge->rest = 0;
	gauge->moved_ns = now_ns;
	gauge->stands_still = false;
	gauge->held_pj = 0;
	gauge->moved = false;
}

static u64 max_increase(const struct vmen_gauge_spec *spec, u64 ns)
{
	u64 max_pj = vmen_charge_pj(min(ns, 10 * VMEN_GAUGE_STILL_NS), VMEN_GAUGE_MAX_MW);

	return vmen_scale_pj(max_pj, spec->denominator, spec->numerator);
}

static u64 to_pj(struct vmen_gauge *gauge, u64 counts)
{
	u64 numerator = gauge->spec.numerator, denominator = gauge->spec.denominator;
	u64 pj = vmen_scale_pj(counts, numerator, denominator);

	/* Both products wrap, their difference is what it should be. */
	gauge->rest += counts * numerator - pj * denominator;
	if (gauge->rest >= denominator) {
		gauge->rest -= denominator;
		pj++;
	}
	return pj;
}

/**
 * vmen_gauge_update - go on to what the counter says now
 * @gauge: the gauge
 * @count: what it says
 * @now_ns: the time
 *
 * Return: 0; -ESTALE if it stands still for too long, or has done so until now;
 * -ERANGE if it has jumped.
 */
int vmen_gauge_update(struct vmen_gauge *gauge, u64 count, u64 now_ns)
{
	u64 increase = count - gauge->count, ns = now_ns - gauge->moved_ns;

	if (!increase) {
		gauge->stands_still = gauge->stands_still || ns > VMEN_GAUGE_STILL_NS;
		return gauge->stands_still ? -ESTALE : 0;
	}
	if (gauge->stands_still) {
		vmen_gauge_start(gauge, count, now_ns);
		return -ESTALE;
	}
	if (increase > max_increase(&gauge->spec, ns)) {
		vmen_gauge_start(gauge, count, now_ns);
		return -ERANGE;
	}
	gauge->count = count;
	gauge->moved_ns = now_ns;
	gauge->held_pj += to_pj(gauge, increase);
	gauge->moved = true;
	return 0;
}

/**
 * vmen_gauge_take_pj - take what the gauge has counted
 * @gauge: the gauge
 *
 * Return: the energy since this was last called, picojoules.
 */
u64 vmen_gauge_take_pj(struct vmen_gauge *gauge)
{
	u64 pj = gauge->held_pj;

	gauge->held_pj = 0;
	gauge->moved = false;
	return pj;
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/gauge-kunit.h"
#endif
