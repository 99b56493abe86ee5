/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the device says, checked and in CPU byte order
 */
#ifndef _VIOEN_WIRE_H
#define _VIOEN_WIRE_H

#include <linux/limits.h>
#include <linux/types.h>
#include <uapi/linux/virtio_energy.h>

/*
 * No component counts further, 36 years at a kilowatt, so that the sum over all
 * of them stays a positive s64 whatever the device says.
 */
#define VIOEN_MAX_ENERGY_UJ	((u64)S64_MAX / VIRTIO_ENERGY_MAX_COMPONENTS)

/**
 * struct vioen_energy - an amount of energy and its parts
 * @energy_uj: @active_uj + @base_uj, microjoules
 * @active_uj: caused by this machine's activity, microjoules
 * @base_uj: share of what the hardware uses when idle, microjoules
 */
struct vioen_energy {
	u64 energy_uj;
	u64 active_uj;
	u64 base_uj;
};

/**
 * struct vioen_reading - a struct virtio_energy_reading in CPU byte order
 * @generation: changes when the account continues on another host
 * @nr_components: entries of @component in use, the others are zero
 * @total: sum over @component
 * @component: indexed by VIRTIO_ENERGY_CPU, VIRTIO_ENERGY_DISK
 */
struct vioen_reading {
	u32 generation;
	u32 nr_components;
	struct vioen_energy total;
	struct vioen_energy component[VIRTIO_ENERGY_MAX_COMPONENTS];
};

/**
 * struct vioen_info - a struct virtio_energy_info in CPU byte order
 * @version: VIRTIO_ENERGY_PAGE_VERSION
 * @generation: as in struct vioen_reading
 * @nr_components: as in struct vioen_reading
 * @update_period_us: longest age of a reading, microseconds
 * @quantum_uj: readings are multiples of this, microjoules
 */
struct vioen_info {
	u32 version;
	u32 generation;
	u32 nr_components;
	u32 update_period_us;
	u32 quantum_uj;
};

int vioen_reading_decode(const struct virtio_energy_reading *wire,
			 struct vioen_reading *reading);
void vioen_reading_clamp(struct vioen_reading *reading,
			 struct vioen_reading *last);
int vioen_info_decode(const struct virtio_energy_info *wire,
		      struct vioen_info *info);

#endif /* _VIOEN_WIRE_H */
