/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels
 *
 * Included before every source file, so that the sources read as if written
 * for the newest kernel. The only file that knows a kernel's version.
 */
#ifndef _VMEN_COMPAT_H
#define _VMEN_COMPAT_H

#include <linux/version.h>

/* 6.13 made the namespace of a symbol a string. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define VMENERGY_NS	VMENERGY
#else
#define VMENERGY_NS	"VMENERGY"
#endif

/* sched: 6.4 marked threads that work for the kernel in a user's process. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define PF_USER_WORKER	0
#endif

/* task_work: 6.12 to 6.13 allocate for KASAN unless told not to. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define VMEN_TWA_RESUME		(TWA_RESUME | TWAF_NO_ALLOC)
#else
#define VMEN_TWA_RESUME		TWA_RESUME
#endif

/* sched: 6.8 dropped the vruntime from sched_stat_runtime. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define VMEN_SCHED_STAT_RUNTIME_ARGS \
	void *data, struct task_struct *tsk, u64 runtime, u64 vruntime
#else
#define VMEN_SCHED_STAT_RUNTIME_ARGS \
	void *data, struct task_struct *tsk, u64 runtime
#endif

/*
 * virtio: asked for by the module's Kbuild, since what is included here comes
 * before a source file's pr_fmt().
 */
#ifdef VMEN_COMPAT_VIRTIO
/* 6.5 defined ARCH_DMA_MINALIGN on every architecture. */
#include <linux/cache.h>
#ifndef ARCH_DMA_MINALIGN
#define ARCH_DMA_MINALIGN	__alignof__(unsigned long long)
#endif

/* 6.11 gathered the arguments of virtio_find_vqs() in an array of structs. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#include <linux/errno.h>
#include <linux/virtio_config.h>

#define VMEN_MAX_VQS	4

struct virtqueue_info {
	const char *name;
	vq_callback_t *callback;
};

static inline int vmen_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
				struct virtqueue *vqs[],
				struct virtqueue_info infos[],
				struct irq_affinity *desc)
{
	vq_callback_t *callbacks[VMEN_MAX_VQS];
	const char *names[VMEN_MAX_VQS];
	unsigned int i;

	if (nvqs > VMEN_MAX_VQS)
		return -EINVAL;
	for (i = 0; i < nvqs; i++) {
		callbacks[i] = infos[i].callback;
		names[i] = infos[i].name;
	}
	return virtio_find_vqs(vdev, nvqs, vqs, callbacks, names, desc);
}

#define virtio_find_vqs	vmen_find_vqs
#endif
#endif /* VMEN_COMPAT_VIRTIO */

/*
 * vfio: 6.2 gave emulated devices iommufd operations and frees a device by
 * itself, where a driver's release did before; 6.6 added detach_ioas.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define VFIO_EMULATED_DEVICE_OPS					\
	.release	= vfio_free_device
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define VFIO_EMULATED_DEVICE_OPS					\
	.bind_iommufd	= vfio_iommufd_emulated_bind,			\
	.unbind_iommufd	= vfio_iommufd_emulated_unbind,			\
	.attach_ioas	= vfio_iommufd_emulated_attach_ioas
#else
#define VFIO_EMULATED_DEVICE_OPS					\
	.bind_iommufd	= vfio_iommufd_emulated_bind,			\
	.unbind_iommufd	= vfio_iommufd_emulated_unbind,			\
	.attach_ioas	= vfio_iommufd_emulated_attach_ioas,		\
	.detach_ioas	= vfio_iommufd_emulated_detach_ioas
#endif

/* 6.13 introduced hrtimer_setup() for hrtimer_init() and an assignment. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define hrtimer_setup(timer, fn, clock, mode) do {			\
	struct hrtimer *__timer = (timer);				\
									\
	hrtimer_init(__timer, clock, mode);				\
	__timer->function = (fn);					\
} while (0)
#endif

/* 6.8 dropped the count from eventfd_signal(); asked for as above. */
#if defined(VMEN_COMPAT_EVENTFD) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#include <linux/eventfd.h>

#define eventfd_signal(ctx)	eventfd_signal(ctx, 1)
#endif

#endif /* _VMEN_COMPAT_H */
