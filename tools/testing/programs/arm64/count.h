/* SPDX-License-Identifier: GPL-2.0 */
/* Loops of a known length. */
#ifndef _COUNT_H
#define _COUNT_H

#define INSTRUCTIONS_PER_TURN	2

/* Two instructions a turn. */
static inline void count(unsigned long turns)
{
	asm volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r" (turns) : : "cc");
}

#endif /* _COUNT_H */
