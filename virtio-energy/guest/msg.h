/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to the device over the requestq
 */
#ifndef _VIOEN_MSG_H
#define _VIOEN_MSG_H

#include <linux/spinlock.h>
#include <linux/types.h>

struct virtqueue;

/**
 * struct vioen_requestq - the request virtqueue
 * @vq: the virtqueue
 * @lock: protects @vq and @owed against the callback
 * @owed: the device has a message that it has not answered
 */
struct vioen_requestq {
	struct virtqueue *vq;
	spinlock_t lock;	/* protects @vq and @owed */
	bool owed;
};

int vioen_request(struct vioen_requestq *requestq, u32 type, void *payload,
		  size_t len);
void vioen_requestq_done(struct vioen_requestq *requestq, struct virtqueue *vq);
void vioen_requestq_drain(struct vioen_requestq *requestq);

#endif /* _VIOEN_MSG_H */
