// SPDX-License-Identifier: GPL-2.0
/*
 * readloop COUNT FILE: reads the number in FILE again and again. Prints the
 * first and the last value, how often it fell, and nanoseconds per reading.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static unsigned long long get(int fd)
{
	char text[32];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	if (len <= 0)
		err(1, "pread");
	text[len] = 0;
	return strtoull(text, NULL, 10);
}

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned long long first, last, value;
	long i, count, fell = 0;
	long long start;
	int fd;

	if (argc != 3)
		errx(2, "usage: readloop COUNT FILE");
	count = atol(argv[1]);
	fd = open(argv[2], O_RDONLY);
	if (fd < 0)
		err(1, "%s", argv[2]);
	start = now_ns();
	first = get(fd);
	last = first;
	for (i = 1; i < count; i++) {
		value = get(fd);
		fell += value < last;
		last = value;
	}
	printf("%llu %llu %ld %lld\n", first, last, fell, (now_ns() - start) / count);
	return 0;
}
