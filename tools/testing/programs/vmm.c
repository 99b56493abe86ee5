// SPDX-License-Identifier: GPL-2.0
/*
 * vmm THREADS [KICK_US]: runs a VM of one vCPU, and spins in that many threads beside it
 *
 * The vCPU is halted; or, if it is to be kicked out of the guest every KICK_US microseconds,
 * it spins, too.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#define PAGE	4096
#define HALTS	0xf4f4	/* hlt; hlt */
#define SPINS	0xfeeb	/* 1: jmp 1b */

static int command(int fd, unsigned long request, void *argument)
{
	int result = ioctl(fd, request, argument);

	if (result < 0)
		err(1, "KVM request 0x%lx", request);
	return result;
}

/* A page of real mode, full of the same code. */
static void give_memory(int vm, uint16_t code)
{
	struct kvm_userspace_memory_region region = { .memory_size = PAGE };
	int access = PROT_READ | PROT_WRITE;
	uint16_t *page = mmap(NULL, PAGE, access, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		err(1, "memory");
	for (int i = 0; i < PAGE / 2; i++)
		page[i] = code;
	region.userspace_addr = (unsigned long)page;
	command(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/* With an interrupt controller in the kernel, a halted vCPU waits there. */
static int make_vcpu(uint16_t code)
{
	int kvm = open("/dev/kvm", O_RDWR);
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rflags = 2 };
	int vm, vcpu;

	if (kvm < 0)
		err(1, "/dev/kvm");
	vm = command(kvm, KVM_CREATE_VM, 0);
	give_memory(vm, code);
	command(vm, KVM_CREATE_IRQCHIP, 0);
	vcpu = command(vm, KVM_CREATE_VCPU, 0);
	command(vcpu, KVM_GET_SREGS, &sregs);
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	command(vcpu, KVM_SET_SREGS, &sregs);
	command(vcpu, KVM_SET_REGS, &regs);
	return vcpu;
}

static void *spin(void *unused)
{
	for (;;)
		__asm__ volatile ("pause");
	return unused;
}

static void come_out(int signal)
{
	(void)signal;
}

static void kick_every(int us)
{
	struct itimerval timer = { .it_interval.tv_usec = us, .it_value.tv_usec = us };

	signal(SIGALRM, come_out);
	setitimer(ITIMER_REAL, &timer, NULL);
}

int main(int count, char **words)
{
	int threads = count > 1 ? atoi(words[1]) : 0;
	int kick_us = count > 2 ? atoi(words[2]) : 0;
	int vcpu = make_vcpu(kick_us ? SPINS : HALTS);
	pthread_t thread;

	if (kick_us)
		kick_every(kick_us);

	while (threads-- > 0) {
		if (pthread_create(&thread, NULL, spin, NULL))
			errx(1, "no thread");
	}
	while (ioctl(vcpu, KVM_RUN, 0) >= 0 || errno == EINTR)
		;
	err(1, "KVM_RUN");
}
