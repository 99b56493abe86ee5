// SPDX-License-Identifier: GPL-2.0
/*
 * count INSTRUCTIONS: executes that many, besides a few thousand to begin and end
 *
 * Stops itself before, so that somebody can look at it.
 */
#include <signal.h>
#include <stdlib.h>

#include "count.h"

int main(int argc, char **argv)
{
	unsigned long instructions = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;

	if (instructions < INSTRUCTIONS_PER_TURN)
		return 2;
	raise(SIGSTOP);
	count(instructions / INSTRUCTIONS_PER_TURN);
	return 0;
}
