// SPDX-License-Identifier: GPL-2.0
/*
 * What the device says, checked and in CPU byte order
 *
 * Pure functions: they keep no state, take no lock and may be called in any
 * context. @wire is a private copy that the device can no longer change.
 *
 * Invariants of a decoded reading, whatever the device says:
 *
 *	energy == active + base, per component and in total
 *	the total is the sum over the components
 *	0 <= total <= S64_MAX
 *
 * and of a clamped one besides: no amount is below that of the one before.
 */

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <asm/byteorder.h>

#include "wire.h"

/* The specification fixes these layouts. */
static_assert(sizeof(struct virtio_energy_reading) == 272);
static_assert(sizeof(struct virtio_energy_info) == 24);
static_assert(sizeof(struct virtio_energy_page) <= VIRTIO_ENERGY_PAGE_SIZE);

static bool nr_components_valid(u32 nr_components)
{
	return nr_components && nr_components <= VIRTIO_ENERGY_MAX_COMPONENTS;
}

static bool energy_valid(const struct vioen_energy *energy)
{
	return energy->energy_uj <= VIOEN_MAX_ENERGY_UJ &&
	       energy->active_uj <= energy->energy_uj &&
	       energy->base_uj == energy->energy_uj - energy->active_uj;
}

static int energy_decode(const struct virtio_energy_component *wire,
			 struct vioen_energy *energy)
{
	energy->energy_uj = le64_to_cpu(wire->energy_uj);
	energy->active_uj = le64_to_cpu(wire->active_uj);
	energy->base_uj = le64_to_cpu(wire->base_uj);

	return energy_valid(energy) ? 0 : -EIO;
}

static void sum_up(struct vioen_reading *reading)
{
	struct vioen_energy total = {};
	unsigned int i;

	for (i = 0; i < reading->nr_components; i++) {
		total.energy_uj += reading->component[i].energy_uj;
		total.active_uj += reading->component[i].active_uj;
		total.base_uj += reading->component[i].base_uj;
	}
	reading->total = total;
}

/**
 * vioen_reading_decode() - decode and check a reading
 * @wire: a copy of what the device has written
 * @reading: the reading, undefined upon an error
 *
 * Context: Any.
 * Return: 0, or -EIO if @wire contradicts itself.
 */
int vioen_reading_decode(const struct virtio_energy_reading *wire,
			 struct vioen_reading *reading)
{
	unsigned int i;
	int err;

	*reading = (struct vioen_reading) {
		.generation = le32_to_cpu(wire->generation),
		.nr_components = le32_to_cpu(wire->nr_components),
	};
	if (!nr_components_valid(reading->nr_components))
		return -EIO;

	for (i = 0; i < reading->nr_components; i++) {
		err = energy_decode(&wire->component[i],
				    &reading->component[i]);
		if (err)
			return err;
	}

	sum_up(reading);
	return reading->total.energy_uj == le64_to_cpu(wire->energy_uj) ?
	       0 : -EIO;
}

static bool runs_backwards(const struct vioen_energy *now,
			   const struct vioen_energy *last)
{
	return now->active_uj < last->active_uj || now->base_uj < last->base_uj;
}

/**
 * vioen_reading_clamp() - never let a counter run backwards
 * @reading: a decoded reading
 * @last: the clamped reading before it, all zero at first; takes over @reading
 *
 * A component that has lost energy keeps its last amounts until the device
 * has caught up with them, a component that has vanished keeps them for good.
 *
 * Context: Any. The caller serialises access to @last.
 */
void vioen_reading_clamp(struct vioen_reading *reading,
			 struct vioen_reading *last)
{
	unsigned int i;

	reading->nr_components = max(reading->nr_components,
				     last->nr_components);
	for (i = 0; i < reading->nr_components; i++) {
		if (runs_backwards(&reading->component[i], &last->component[i]))
			reading->component[i] = last->component[i];
	}

	sum_up(reading);
	*last = *reading;
}

/**
 * vioen_info_decode() - decode and check what the device is
 * @wire: a copy of what the device has written
 * @info: what the device is, undefined upon an error
 *
 * Context: Any.
 * Return: 0, -EPROTONOSUPPORT if the device speaks another version, or -EIO if
 *	   @wire is out of range.
 */
int vioen_info_decode(const struct virtio_energy_info *wire,
		      struct vioen_info *info)
{
	*info = (struct vioen_info) {
		.version = le32_to_cpu(wire->version),
		.generation = le32_to_cpu(wire->generation),
		.nr_components = le32_to_cpu(wire->nr_components),
		.update_period_us = le32_to_cpu(wire->update_period_us),
		.quantum_uj = le32_to_cpu(wire->quantum_uj),
	};
	if (info->version != VIRTIO_ENERGY_PAGE_VERSION)
		return -EPROTONOSUPPORT;

	return nr_components_valid(info->nr_components) ? 0 : -EIO;
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/wire-kunit.h"
#endif
