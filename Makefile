# SPDX-License-Identifier: GPL-2.0
# vmenergy: `make help` lists the targets.

KDIR ?= /lib/modules/$(shell uname -r)/build

all: modules

modules modules_install clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

install: modules_install
	install -D -m 755 scripts/vmenergy-calibrate $(DESTDIR)/usr/sbin/vmenergy-calibrate

# Everything below runs in virtual machines, not on this one.

tools:
	@scripts/setup tools

demo: tools
	@tools/testing/demo

check: tools
	@tools/testing/check static unit debug stock arm64

check-static check-unit check-debug check-stock check-arm64: tools
	@tools/testing/check $(@:check-%=%)

bench: tools
	@tools/testing/benchmark

experiments: tools
	@tools/testing/experiments

distclean: clean
	rm -rf build

help:
	@echo 'On a machine that is to run vmenergy:'
	@echo '  modules (default)  build for the running kernel, or for KDIR='
	@echo '  install            and install'
	@echo '  clean              remove what was built'
	@echo
	@echo 'In virtual machines, which are set up on first use:'
	@echo '  demo               two VMs, what the host charges them and what they see'
	@echo '  check              all tests; parts of it:'
	@echo '  check-static         checkers of the sources'
	@echo '  check-unit           unit tests, on a debug kernel'
	@echo '  check-debug          unit tests and selftests, on a debug kernel'
	@echo '  check-stock          selftests, on Debian kernels 6.1 and 6.12'
	@echo '  check-arm64          a real PMU, that of an emulated arm64 machine'
	@echo '  bench              what vmenergy costs'
	@echo '  experiments        those of the paper: tables and plots in build/experiments'

.PHONY: all modules modules_install clean install tools demo check check-static \
	check-unit check-debug check-stock check-arm64 bench experiments distclean help
