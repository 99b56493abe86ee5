// SPDX-License-Identifier: GPL-2.0
/*
 * kvmcount INSTRUCTIONS: a KVM guest that executes that many, twice
 *
 * The smallest machine monitor that there can be: one vCPU, a page of memory,
 * and a loop in it that ends with an access to where nothing is. Stops itself
 * after each time, so that somebody can look at it.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "count.h"

#define CODE_ADDRESS	0x80000000UL
#define NOTHING_ADDRESS	0x10000000UL
#define PAGE		65536
#define ROUNDS		2

/* x0: turns, x1: an address where nothing is. KVM skips the first after a round. */
static const uint32_t code[] = {
	0xd503201f,	/* nop */
	0xf1000400,	/* subs x0, x0, #1 */
	0x54ffffe1,	/* b.ne -4 */
	0xf9000020,	/* str x0, [x1] */
};

static int call(int fd, unsigned long request, unsigned long argument, const char *what)
{
	int result = ioctl(fd, request, argument);

	if (result < 0)
		err(1, "%s", what);
	return result;
}

static void add_memory(int vm)
{
	void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = CODE_ADDRESS,
		.memory_size = PAGE,
		.userspace_addr = (uintptr_t)memory,
	};

	if (memory == MAP_FAILED)
		err(1, "mmap");
	memcpy(memory, code, sizeof(code));
	call(vm, KVM_SET_USER_MEMORY_REGION, (uintptr_t)&region, "memory");
}

static int add_vcpu(int vm)
{
	int vcpu = call(vm, KVM_CREATE_VCPU, 0, "vCPU");
	struct kvm_vcpu_init init;

	call(vm, KVM_ARM_PREFERRED_TARGET, (uintptr_t)&init, "target");
	call(vcpu, KVM_ARM_VCPU_INIT, (uintptr_t)&init, "vCPU's init");
	return vcpu;
}

static void set_register(int vcpu, size_t offset, uint64_t value)
{
	struct kvm_one_reg reg = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
		      offset / sizeof(uint32_t),
		.addr = (uintptr_t)&value,
	};

	call(vcpu, KVM_SET_ONE_REG, (uintptr_t)&reg, "register");
}

static void run(int vcpu, unsigned long instructions)
{
	set_register(vcpu, offsetof(struct kvm_regs, regs.regs[0]),
		     instructions / INSTRUCTIONS_PER_TURN);
	set_register(vcpu, offsetof(struct kvm_regs, regs.regs[1]), NOTHING_ADDRESS);
	set_register(vcpu, offsetof(struct kvm_regs, regs.pc), CODE_ADDRESS);
	call(vcpu, KVM_RUN, 0, "run");
}

int main(int argc, char **argv)
{
	unsigned long instructions = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	int kvm = open("/dev/kvm", O_RDWR);
	int vm, vcpu, size, i;
	struct kvm_run *state;

	if (instructions < INSTRUCTIONS_PER_TURN)
		return 2;
	if (kvm < 0)
		err(1, "/dev/kvm");
	vm = call(kvm, KVM_CREATE_VM, 0, "VM");
	add_memory(vm);
	vcpu = add_vcpu(vm);
	size = call(kvm, KVM_GET_VCPU_MMAP_SIZE, 0, "size");
	state = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (state == MAP_FAILED)
		err(1, "mmap");
	for (i = 0; i < ROUNDS; i++) {
		run(vcpu, instructions);
		if (state->exit_reason != KVM_EXIT_MMIO)
			errx(1, "exit for reason %u", state->exit_reason);
		raise(SIGSTOP);
	}
	return 0;
}
