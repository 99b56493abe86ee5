// SPDX-License-Identifier: GPL-2.0
/*
 * vmm THREADS: runs a VM whose one vCPU is halted, and spins in that many threads beside it
 *
 * What KVM's threads are not, and yet belongs to a VM.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	4096
#define HLT	0xf4

static int command(int fd, unsigned long request, void *argument)
{
	int result = ioctl(fd, request, argument);

	if (result < 0)
		err(1, "KVM request 0x%lx", request);
	return result;
}

/* A page of real mode, full of HLT. */
static void give_memory(int vm)
{
	struct kvm_userspace_memory_region region = { .memory_size = PAGE };
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		err(1, "memory");
	memset(page, HLT, PAGE);
	region.userspace_addr = (unsigned long)page;
	command(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/* With an interrupt controller in the kernel, a halted vCPU waits there. */
static int make_vcpu(void)
{
	int kvm = open("/dev/kvm", O_RDWR);
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rflags = 2 };
	int vm, vcpu;

	if (kvm < 0)
		err(1, "/dev/kvm");
	vm = command(kvm, KVM_CREATE_VM, 0);
	give_memory(vm);
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

int main(int count, char **words)
{
	int threads = count > 1 ? atoi(words[1]) : 0;
	int vcpu = make_vcpu();
	pthread_t thread;

	while (threads-- > 0) {
		if (pthread_create(&thread, NULL, spin, NULL))
			errx(1, "no thread");
	}
	for (;;)
		command(vcpu, KVM_RUN, 0);
}
