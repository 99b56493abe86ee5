// SPDX-License-Identifier: GPL-2.0
/*
 * ticklish THREADS MS: spins in that many threads, each of which gets a signal every MS
 * milliseconds
 */
#define _GNU_SOURCE
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id	_sigev_un._tid
#endif

static struct itimerspec often;

static void handle(int signal)
{
	(void)signal;
}

static void *spin(void *unused)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGALRM,
		.sigev_notify_thread_id = gettid(),
	};
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) ||
	    timer_settime(timer, 0, &often, NULL))
		err(1, "timer");
	for (;;)
		__asm__ volatile ("");
	return unused;
}

int main(int count, char **words)
{
	int threads = count > 1 ? atoi(words[1]) : 1;
	long ns = count > 2 ? atol(words[2]) * 1000000 : 1000000;
	pthread_t thread;

	often.it_interval.tv_nsec = ns;
	often.it_value.tv_nsec = ns;
	signal(SIGALRM, handle);
	while (--threads > 0) {
		if (pthread_create(&thread, NULL, spin, NULL))
			errx(1, "no thread");
	}
	spin(NULL);
}
