// SPDX-License-Identifier: GPL-2.0
/*
 * A virtio-energy device and its account
 *
 * A device is started and stopped as a whole: the page is mapped and the
 * virtqueues are set up, or neither is. It is stopped over a suspend, since
 * neither survives one. A reading of a stopped device fails, it never waits.
 *
 * The account is read from the page, without an exit, or else by a request.
 * Either way the driver trusts neither that the device answers nor that it
 * answers sense: waits are bounded, readings are checked, and a counter never
 * runs backwards, not even if the device's does.
 *
 * Locks: vioen_device.lock, which may be held while waiting for the device, for
 * about two seconds at most; the virtqueues' locks nest in it.
 */

#include <linux/align.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/io.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#include "device.h"
#include "page.h"

/* What the device status reads as when there is no device any more. */
#define STATUS_GONE	0xff

/*
 * How often and how long to sleep for a device that is in the middle of writing
 * the page: it may be waiting for the CPU that we are running on.
 */
#define PAGE_NAPS	10
#define PAGE_NAP_US	100

static bool use_page = true;
module_param_named(page, use_page, bool, 0444);
MODULE_PARM_DESC(page, "read shared memory if there is any, otherwise ask the device each time");

static bool find_page(struct virtio_device *vdev,
		      struct virtio_shm_region *region)
{
	return virtio_get_shm_region(vdev, region, VIRTIO_ENERGY_SHM_PAGE) &&
	       region->len >= VIRTIO_ENERGY_PAGE_SIZE &&
	       IS_ALIGNED(region->addr, VIRTIO_ENERGY_PAGE_SIZE);
}

/**
 * vioen_device_validate() - decide on features before they are agreed on
 * @vdev: the virtio device
 *
 * Context: Process context.
 * Return: 0, or -ENODEV for a device from before virtio 1.0, whose byte order
 *	   we don't speak.
 */
int vioen_device_validate(struct virtio_device *vdev)
{
	struct virtio_shm_region region;

	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1)) {
		dev_err(&vdev->dev, "legacy device not supported\n");
		return -ENODEV;
	}

	if (!use_page)
		__virtio_clear_bit(vdev, VIRTIO_ENERGY_F_PAGE);
	if (virtio_has_feature(vdev, VIRTIO_ENERGY_F_PAGE) &&
	    !find_page(vdev, &region)) {
		dev_warn(&vdev->dev, "no shared memory region to read from\n");
		__virtio_clear_bit(vdev, VIRTIO_ENERGY_F_PAGE);
	}
	return 0;
}

static int map_page(struct vioen_device *dev)
{
	struct virtio_shm_region region;

	if (!virtio_has_feature(dev->vdev, VIRTIO_ENERGY_F_PAGE))
		return 0;

	if (!find_page(dev->vdev, &region))
		return -ENODEV;

	dev->page = memremap(region.addr, VIRTIO_ENERGY_PAGE_SIZE,
			     MEMREMAP_WB);
	return dev->page ? 0 : -ENOMEM;
}

static void unmap_page(struct vioen_device *dev)
{
	if (dev->page)
		memunmap(dev->page);
	dev->page = NULL;
}

static void requestq_callback(struct virtqueue *vq)
{
	struct vioen_device *dev = vq->vdev->priv;

	vioen_requestq_done(&dev->requestq, vq);
}

static void eventq_callback(struct virtqueue *vq)
{
	struct vioen_device *dev = vq->vdev->priv;

	vioen_eventq_recycle(&dev->eventq, vq);
}

static int find_queues(struct vioen_device *dev)
{
	struct virtqueue_info infos[VIRTIO_ENERGY_NR_VQS] = {
		[VIRTIO_ENERGY_VQ_REQUEST] = { "requestq", requestq_callback },
		[VIRTIO_ENERGY_VQ_EVENT] = { "eventq", eventq_callback },
	};
	struct virtqueue *vqs[VIRTIO_ENERGY_NR_VQS];
	int err;

	err = virtio_find_vqs(dev->vdev, ARRAY_SIZE(vqs), vqs, infos, NULL);
	if (err)
		return err;

	dev->requestq.vq = vqs[VIRTIO_ENERGY_VQ_REQUEST];
	dev->eventq.vq = vqs[VIRTIO_ENERGY_VQ_EVENT];
	return 0;
}

/* Only after a reset: the device owns what is in the virtqueues until then. */
static void delete_queues(struct vioen_device *dev)
{
	vioen_requestq_drain(&dev->requestq);
	vioen_eventq_drain(&dev->eventq);
	dev->vdev->config->del_vqs(dev->vdev);
}

/*
 * A transport waits until the status reads as zero. That of a device that has
 * been pulled out never does, but neither does it access memory any more.
 */
static void reset(struct virtio_device *vdev)
{
	if (vdev->config->get_status(vdev) != STATUS_GONE)
		virtio_reset_device(vdev);
}

static int get_info(struct vioen_device *dev)
{
	struct virtio_energy_info wire;
	int err;

	err = vioen_request(&dev->requestq, VIRTIO_ENERGY_REQ_GET_INFO, &wire,
			    sizeof(wire));
	if (err)
		return err;

	return vioen_info_decode(&wire, &dev->info);
}

static int set_up(struct vioen_device *dev)
{
	int err;

	err = map_page(dev);
	if (err)
		return err;

	err = find_queues(dev);
	if (err)
		goto err_unmap;

	virtio_device_ready(dev->vdev);
	err = vioen_eventq_fill(&dev->eventq);
	if (err)
		goto err_reset;

	err = get_info(dev);
	if (err)
		goto err_reset;

	return 0;

err_reset:
	reset(dev->vdev);
	delete_queues(dev);
err_unmap:
	unmap_page(dev);
	return err;
}

static void tear_down(struct vioen_device *dev)
{
	delete_queues(dev);
	unmap_page(dev);
}

/**
 * vioen_device_start() - set the device up and ask it what it is
 * @dev: a stopped device whose features are agreed on
 *
 * Context: Process context.
 * Return: 0 or a negative error, upon which @dev stays stopped.
 */
int vioen_device_start(struct vioen_device *dev)
{
	int err;

	guard(mutex)(&dev->lock);
	err = set_up(dev);
	dev->running = !err;
	return err;
}

/**
 * vioen_device_stop() - reset the device and take everything back from it
 * @dev: the device; if a start has failed, it is reset all the same
 *
 * Context: Process context. Waits for a reading under way.
 */
void vioen_device_stop(struct vioen_device *dev)
{
	guard(mutex)(&dev->lock);
	reset(dev->vdev);
	if (dev->running)
		tear_down(dev);
	dev->running = false;
}

static int read_page(const struct virtio_energy_page *page,
		     struct vioen_reading *reading)
{
	unsigned int nap;
	int err;

	for (nap = 0; nap < PAGE_NAPS; nap++) {
		err = vioen_page_read(page, reading);
		if (err != -EAGAIN)
			return err;
		usleep_range(PAGE_NAP_US, 2 * PAGE_NAP_US);
	}
	return -EAGAIN;
}

static int read_request(struct vioen_requestq *requestq,
			struct vioen_reading *reading)
{
	struct virtio_energy_reading wire;
	int err;

	err = vioen_request(requestq, VIRTIO_ENERGY_REQ_READ, &wire,
			    sizeof(wire));
	if (err)
		return err;

	return vioen_reading_decode(&wire, reading);
}

/**
 * vioen_device_read() - read the account
 * @dev: the device
 * @reading: the reading, undefined upon an error
 *
 * No amount is ever below that of an earlier reading.
 *
 * Context: Process context. Sleeps for two seconds at most, and waits for other
 *	    readers, of whom no two wait that long for one response.
 * Return: 0; -ENODEV if the device is stopped; -EAGAIN if it never came to the
 *	   end of writing the page; or an error of vioen_page_read() or
 *	   vioen_request().
 */
int vioen_device_read(struct vioen_device *dev, struct vioen_reading *reading)
{
	int err;

	guard(mutex)(&dev->lock);
	if (!dev->running)
		return -ENODEV;

	err = dev->page ? read_page(dev->page, reading) :
			  read_request(&dev->requestq, reading);
	if (err)
		return err;

	vioen_reading_clamp(reading, &dev->last);
	return 0;
}

/**
 * vioen_device_create() - allocate the driver's part of a device
 * @vdev: the virtio device
 *
 * Context: Process context.
 * Return: a stopped device, or NULL if there is no memory.
 */
struct vioen_device *vioen_device_create(struct virtio_device *vdev)
{
	struct vioen_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		return NULL;

	dev->vdev = vdev;
	mutex_init(&dev->lock);
	spin_lock_init(&dev->requestq.lock);
	spin_lock_init(&dev->eventq.lock);
	vdev->priv = dev;
	return dev;
}

/**
 * vioen_device_destroy() - free the driver's part of a device
 * @dev: a stopped device that nobody uses any more
 *
 * Context: Process context.
 */
void vioen_device_destroy(struct vioen_device *dev)
{
	dev->vdev->priv = NULL;
	mutex_destroy(&dev->lock);
	kfree(dev);
}
