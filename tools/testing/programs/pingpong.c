// SPDX-License-Identifier: GPL-2.0
/*
 * pingpong ROUNDS [CGROUP CGROUP]: two processes on one CPU wake each other
 * through pipes. Prints the nanoseconds that a context switch took on average;
 * there are two per round. Each process first moves into its cgroup, and
 * waits until a line on standard input says that it may start.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP	1000

static void enter(const char *cgroup)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		err(1, "%s", path);
	close(fd);
}

static void pass(int from, int to)
{
	char ball;

	if (read(from, &ball, 1) != 1 || write(to, &ball, 1) != 1)
		err(1, "pipe");
}

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void pin(void)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		err(1, "sched_setaffinity");
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 0;
	int ping[2], pong[2];
	long long start = 0;
	char line[16];
	pid_t child;
	long i;

	if (rounds <= 0 || (argc != 2 && argc != 4))
		errx(2, "usage: pingpong ROUNDS [CGROUP CGROUP]");
	pin();
	if (pipe(ping) || pipe(pong))
		err(1, "pipe");
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (argc == 4)
		enter(argv[child ? 2 : 3]);
	if (!child) {
		for (i = 0; i < WARM_UP + rounds; i++)
			pass(ping[0], pong[1]);
		return 0;
	}
	printf("%d %d\n", getpid(), child);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		errx(1, "no word to start");
	for (i = 0; i < WARM_UP + rounds; i++) {
		if (i == WARM_UP)
			start = now_ns();
		if (write(ping[1], "", 1) != 1 || read(pong[0], line, 1) != 1)
			err(1, "pipe");
	}
	printf("%.2f\n", (double)(now_ns() - start) / (2 * rounds));
	waitpid(child, NULL, 0);
	return 0;
}
