// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to the device over the requestq
 *
 * A message is a request and room for its response. The requester waits for a
 * bounded time, the device has no such bound: a message that has timed out
 * still belongs to the virtqueue, and the device may write to it. Hence
 * messages are counted: the requester holds one reference, the virtqueue
 * another from the moment the message is added until it is used or detached.
 *
 * A device that owes a response is not asked again, lest its users spend their
 * time waiting for it: requests fail at once until the response has come, be it
 * ever so late. So they do on a broken virtqueue, for good.
 *
 * Locks: vioen_requestq.lock, taken from the interrupt; nothing nests in it
 * but the completion's own lock.
 */

#include <linux/cache.h>
#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/overflow.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <uapi/linux/virtio_energy.h>

#include "msg.h"

#define REQUEST_TIMEOUT_MS	2000

/**
 * struct msg - a request and its response
 * @refs: the requester and the virtqueue
 * @responded: completed when the device has used the message
 * @used: bytes that the device says it has written, valid once @responded
 * @req: what the device reads
 * @resp: what the device writes, followed by @payload
 * @payload: of the length that the requester expects
 */
struct msg {
	refcount_t refs;
	struct completion responded;
	unsigned int used;

	struct virtio_energy_req req __aligned(ARCH_DMA_MINALIGN);
	struct virtio_energy_resp resp __aligned(ARCH_DMA_MINALIGN);
	u8 payload[];
};

static struct msg *msg_create(u32 type, size_t len)
{
	struct msg *msg = kzalloc(struct_size(msg, payload, len), GFP_KERNEL);

	if (!msg)
		return NULL;

	refcount_set(&msg->refs, 1);
	init_completion(&msg->responded);
	msg->req.type = cpu_to_le32(type);
	return msg;
}

static void msg_put(struct msg *msg)
{
	if (refcount_dec_and_test(&msg->refs))
		kfree(msg);
}

static int add(struct vioen_requestq *requestq, struct msg *msg, size_t len)
{
	struct scatterlist out, in, *sgs[] = { &out, &in };
	int err;

	lockdep_assert_held(&requestq->lock);

	if (requestq->owed)
		return -EBUSY;

	sg_init_one(&out, &msg->req, sizeof(msg->req));
	sg_init_one(&in, &msg->resp, sizeof(msg->resp) + len);
	err = virtqueue_add_sgs(requestq->vq, sgs, 1, 1, msg, GFP_ATOMIC);
	if (err)
		return err;

	refcount_inc(&msg->refs);
	requestq->owed = true;
	return virtqueue_kick(requestq->vq) ? 0 : -EIO;
}

static int submit(struct vioen_requestq *requestq, struct msg *msg, size_t len)
{
	unsigned long flags;
	int err;

	spin_lock_irqsave(&requestq->lock, flags);
	err = add(requestq, msg, len);
	spin_unlock_irqrestore(&requestq->lock, flags);
	return err;
}

static int status_to_errno(u32 status)
{
	switch (status) {
	case VIRTIO_ENERGY_S_OK:
		return 0;
	case VIRTIO_ENERGY_S_UNSUPP:
		return -EOPNOTSUPP;
	case VIRTIO_ENERGY_S_INVAL:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static int take_response(const struct msg *msg, void *payload, size_t len)
{
	int err;

	if (msg->used < sizeof(msg->resp))
		return -EIO;

	err = status_to_errno(le32_to_cpu(msg->resp.status));
	if (err)
		return err;

	if (msg->used != sizeof(msg->resp) + len ||
	    le32_to_cpu(msg->resp.len) != len)
		return -EIO;

	memcpy(payload, msg->payload, len);
	return 0;
}

static int await_response(struct msg *msg, void *payload, size_t len)
{
	unsigned long timeout = msecs_to_jiffies(REQUEST_TIMEOUT_MS);

	if (!wait_for_completion_timeout(&msg->responded, timeout))
		return -ETIMEDOUT;

	return take_response(msg, payload, len);
}

/**
 * vioen_request() - ask the device and wait for its answer
 * @requestq: the request virtqueue of a device that is ready
 * @type: VIRTIO_ENERGY_REQ_*
 * @payload: takes the payload of the response, untouched upon an error
 * @len: bytes of payload, all of which the device has to send
 *
 * Context: Process context. Sleeps for two seconds at most. The caller makes
 *	    one request at a time.
 * Return: 0; -ETIMEDOUT if the device didn't answer in time; -EBUSY if it still
 *	   owes an answer; -EOPNOTSUPP or -EINVAL if it refused the request;
 *	   -EIO if its answer makes no sense or the virtqueue is broken; or
 *	   -ENOMEM.
 */
int vioen_request(struct vioen_requestq *requestq, u32 type, void *payload,
		  size_t len)
{
	struct msg *msg = msg_create(type, len);
	int err;

	if (!msg)
		return -ENOMEM;

	err = submit(requestq, msg, len);
	if (!err)
		err = await_response(msg, payload, len);

	msg_put(msg);
	return err;
}

/**
 * vioen_requestq_done() - pass responses on to those who wait for them
 * @requestq: the request virtqueue
 * @vq: the same for virtio; its callback may come before @requestq knows of it
 *
 * Context: Any, usually the virtqueue's callback in hard interrupt.
 */
void vioen_requestq_done(struct vioen_requestq *requestq, struct virtqueue *vq)
{
	unsigned long flags;
	unsigned int used;
	struct msg *msg;

	spin_lock_irqsave(&requestq->lock, flags);
	while ((msg = virtqueue_get_buf(vq, &used))) {
		msg->used = used;
		complete(&msg->responded);
		msg_put(msg);
		requestq->owed = false;
	}
	spin_unlock_irqrestore(&requestq->lock, flags);
}

/**
 * vioen_requestq_drain() - take back what the device has never answered
 * @requestq: the request virtqueue of a device that has been reset
 *
 * Context: Any. No request may be under way.
 */
void vioen_requestq_drain(struct vioen_requestq *requestq)
{
	unsigned long flags;
	struct msg *msg;

	spin_lock_irqsave(&requestq->lock, flags);
	while ((msg = virtqueue_detach_unused_buf(requestq->vq)))
		msg_put(msg);
	requestq->owed = false;
	spin_unlock_irqrestore(&requestq->lock, flags);
}

#ifdef CONFIG_VMENERGY_KUNIT_TEST
#include "tests/msg-kunit.h"
#endif
