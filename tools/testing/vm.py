#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Boots Debian kernels in QEMU and runs commands in them.

There are two levels. host() boots, on the developer's machine, the kernel that
the project's modules are loaded into; guest() boots, in there, a KVM guest.
Both are a Machine, used the same way:

    with vm.host(kernel="6.12") as host:
        status, output = host.run("uname -r", timeout=10)

Everything is bounded: a boot, a command, a stop. QEMU dies with the thread
that started it.
"""

import argparse
import contextlib
import os
import queue
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import initrd
import kernels
from channel import CommandTimeout, Monitor, Port

QEMU = Path("world/root/usr/bin/qemu-system-x86_64")
QEMU_ARM64 = Path("arm64/usr/bin/qemu-system-aarch64")

BOOT_S = 180
# An emulated kernel now and then loses a CPU's timer while it boots, without
# any module of ours, and hangs (about 1 boot in 100): the second try is for that.
HOST_BOOT_S = 90
HOST_BOOT_TRIES = 2
STOP_S = 60
COMMAND_S = 60
PORTS = 2
TAIL_LINES = 60
# What QEMU's status says of a machine that will not go on by itself.
BROKEN = ("internal-error", "io-error", "guest-panicked")
KVM_PROBE_S = 20
EXIT_TIMEOUT = 124
EXIT_MACHINE = 125


class MachineError(Exception):
    """A machine did not boot, died or hung. The message ends with its console's last lines."""


class MachineHangs(MachineError):
    """It did not answer in time."""


class CommandFailed(Exception):
    """A checked command failed."""


def in_host():
    """Whether this is a test host: QEMU is installed, and KVM is to be had."""
    return os.environ.get("VM_LEVEL") == "host"


def _qemu(binary):
    """How to start a QEMU, and with what environment: the cache's own needs no installation."""
    if in_host():
        return [binary.name], os.environ
    root = kernels.cache() / "world/root"
    libraries = root / "usr/lib/x86_64-linux-gnu"
    path = kernels.cache() / binary
    if not (path.exists() and libraries.exists()):
        raise FileNotFoundError(f"no {binary} in {kernels.cache()}: see scripts/setup")
    command = [libraries / "ld-linux-x86-64.so.2", "--library-path", libraries, path,
               "-L", root / "usr/share/qemu", "-L", root / "usr/share/seabios"]
    return command, {**os.environ, "QEMU_MODULE_DIR": str(libraries / "qemu")}


def _option(**values):
    """A QEMU option's value, its commas escaped."""
    return ",".join(f"{key}=" + str(value).replace(",", ",,") for key, value in values.items())


class Machine:
    """A virtual machine. Made by host() or guest(), then start() or "with".

    kernel:    the kernels.Kernel to boot
    arguments: QEMU's arguments but for those added here
    modules:   names or .ko paths, loaded by init with what they need
    files:     what else is in the initrd, {path there: path here}
    append:    the kernel's arguments
    logs:      directory for console.log and qemu.log; else they go with the machine
    boot_tries: how often a boot that hangs for boot_timeout seconds is tried
    qemu:      which QEMU, below the cache
    """

    def __init__(self, kernel, arguments, *, modules=(), files=None, append="", logs=None,
                 boot_timeout=BOOT_S, boot_tries=1, qemu=QEMU):
        self._kernel = kernel
        self._arguments = arguments
        self._modules = modules
        self._files = files or {}
        self._append = append
        self._boot_timeout = boot_timeout
        self._boot_tries = boot_tries
        self._qemu = qemu
        self._scratch = tempfile.TemporaryDirectory(prefix="vm-")
        self._logs = Path(logs or self._scratch.name)
        self._process = None
        self._ports = []
        self._idle_ports = None
        self.monitor = None

    @property
    def console(self):
        """The file that the serial console is logged to."""
        return self._logs / "console.log"

    @property
    def pid(self):
        """QEMU's process id."""
        return self._process.pid

    @property
    def running(self):
        """Whether QEMU runs."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        if kind or not self.running:
            self.kill()
        else:
            self.stop()

    def start(self):
        """Boots and waits until commands can be run; returns the machine itself."""
        try:
            for _ in range(self._boot_tries - 1):
                with contextlib.suppress(MachineHangs):
                    return self._boot()
                self._end()
                self.console.replace(self.console.with_name("console-hung.log"))
            return self._boot()
        except BaseException:
            self.kill()
            raise

    def wait_ready(self, timeout=None):
        """Waits until commands can be run, after start or any reset."""
        with self._explained("boot"):
            for port in self._ports:
                port.wait_ready(timeout or self._boot_timeout)

    def run(self, command, timeout=COMMAND_S, sink=None):
        """Runs a shell command; returns (exit status, output as text).

        With sink, output goes there in bytes as it comes. Up to PORTS threads
        may run commands at once. What a command leaves running in the
        background must have its output redirected.

        Raises CommandTimeout (the command is killed, the machine goes on) or
        MachineError (the machine is dead).
        """
        collected = bytearray()
        port = self._idle_ports.get()
        try:
            with self._explained(f"run {command!r}"):
                status = port.run(command, timeout, sink or collected.extend)
        except CommandTimeout as error:
            error.output = collected.decode(errors="replace")
            raise
        finally:
            self._idle_ports.put(port)
        return status, collected.decode(errors="replace")

    def check(self, command, timeout=COMMAND_S):
        """Runs a shell command that must succeed; returns its output."""
        status, output = self.run(command, timeout)
        if status:
            raise CommandFailed(f"{command!r} failed with {status}:\n{output}")
        return output

    def qmp(self, command, **arguments):
        """Runs a command of QEMU's monitor and returns its result."""
        return self.monitor.command(command, **arguments)

    def reset(self):
        """Reboots the hard way and waits until commands can be run again."""
        self.reboot(lambda: self.qmp("system_reset"))

    def reboot(self, trigger):
        """Has trigger() reboot it in some way, and waits until commands can be run again."""
        self.monitor.drop_events()
        # Any other reset, such as a panic's, ends QEMU; but this one makes the
        # firmware do another.
        self.qmp("set-action", reboot="reset")
        trigger()
        self.monitor.wait_event("RESET")
        self.wait_ready()
        self.qmp("set-action", reboot="shutdown")

    def stop(self, timeout=STOP_S):
        """Powers off in order, which leaves the console log complete."""
        try:
            with self._explained("stop"):
                self._ports[0].send_stop()
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise self._error(f"still on {timeout} s after stop", MachineHangs) from None
        finally:
            self.kill()

    def kill(self):
        """Ends QEMU at once, if it runs at all. Harmless to repeat."""
        self._end()
        self._scratch.cleanup()

    def _boot(self):
        self._launch()
        with self._explained("boot"):
            self.monitor.start()
        self.wait_ready()
        return self

    def _end(self):
        if self._process:
            self._process.kill()
            self._process.wait()
        for channel in [*self._ports, *filter(None, [self.monitor])]:
            channel.close()

    def _launch(self):
        self._logs.mkdir(parents=True, exist_ok=True)
        image = Path(self._scratch.name, "initrd")
        initrd.write(image, self._kernel.busybox(), self._kernel.load_order(self._modules),
                     self._files)
        self.monitor = Monitor()
        self._ports = [Port(self._pulse) for _ in range(PORTS)]
        self._idle_ports = queue.Queue()
        for port in self._ports:
            self._idle_ports.put(port)
        qemu, environment = _qemu(self._qemu)
        # setpriv keeps the process id, and has QEMU die with this thread.
        command = ["setpriv", "--pdeathsig", "KILL", "--", *qemu, *self._arguments,
                   *self._channel_arguments(), "-serial", f"file:{self.console}",
                   "-kernel", self._kernel.image, "-initrd", image, "-append", self._append]
        with open(self._logs / "qemu.log", "wb") as log:
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[end.fileno() for end in self._qemu_ends()], start_new_session=True)
        for end in self._qemu_ends():
            end.close()

    def _qemu_ends(self):
        return [channel.qemu_end for channel in [self.monitor, *self._ports]]

    def _channel_arguments(self):
        arguments = ["-chardev", f"socket,id=qmp,fd={self.monitor.qemu_end.fileno()}",
                     "-mon", "chardev=qmp,mode=control", "-device", "virtio-serial-pci"]
        for number, port in enumerate(self._ports):
            arguments += ["-chardev", f"socket,id=port{number},fd={port.qemu_end.fileno()}",
                          "-device", f"virtserialport,chardev=port{number},name=port{number}"]
        return arguments

    def _pulse(self):
        status = self.qmp("query-status")["status"]
        if status in BROKEN:
            raise self._error(f"QEMU stopped it: {status}")

    @contextlib.contextmanager
    def _explained(self, what):
        """Turns what the channels raise into an error that shows what the machine said."""
        try:
            yield
        except TimeoutError:
            raise self._error(f"{what}: the machine hangs", MachineHangs) from None
        except (EOFError, BrokenPipeError, ConnectionError):
            raise self._error(f"{what}: the machine died, {self._cause()}") from None

    def _cause(self):
        """How QEMU ended: a reset that nobody asked for is a triple fault, if the log is silent."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        events = [f"{event['event']} {event.get('data', '')}"
                  for event in self.monitor.last_words()]
        return f"QEMU's exit status is {self._process.returncode}; {', '.join(events)}"

    def _error(self, what, kind=MachineError):
        said = [f"{what} (kernel {self._kernel.name})"]
        for name in ("qemu.log", "console.log"):
            with contextlib.suppress(FileNotFoundError):
                text = Path(self._logs, name).read_text(errors="replace")
                said += [f"--- {name}", *text.splitlines()[-TAIL_LINES:]]
        return kind("\n".join(said))


def _environment(**variables):
    """Kernel arguments that reach init as environment."""
    return " ".join(f"{key}={value}" for key, value in variables.items())


def _share(name, path, readonly):
    backend = {"id": name, "path": path, "security_model": "none", "multidevs": "remap"}
    if readonly:
        backend["readonly"] = "on"
    return ["-fsdev", "local," + _option(**backend),
            "-device", f"virtio-9p-pci,fsdev={name},mount_tag={name}"]


def _root_disk(image):
    drive = {"if": "none", "id": "root", "format": "raw", "readonly": "on", "file": image}
    return ["-drive", _option(**drive), "-device", "virtio-blk-pci,drive=root"]


def _frame(accel, cpu, smp, memory):
    # Nobody needs the HPET, and QEMU's main loop would keep it ticking for ever.
    return ["-M", "q35,hpet=off", "-accel", accel, "-cpu", cpu, "-smp", str(smp), "-m", memory,
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]


DEVICE_MODULES = ["virtio_pci", "virtio_console"]
DISK_MODULES = ["virtio_blk", "ext4", "overlay"]
SHARE_MODULES = ["9pnet_virtio", "9p"]
# init mounts its file system.
HOST_MODULES = DEVICE_MODULES + DISK_MODULES + SHARE_MODULES + ["configfs"]
# A panic reboots at once, which ends QEMU. Linux would look for devices on all
# 256 buses, in a guest at the price of two exits each: half of its boot.
COMMON_APPEND = "console=ttyS0 panic=-1 oops=panic pci=lastbus=0"
# With ticks stopped, an emulated boot has stalled.
# So has one whose clock was judged unreliable because the machine was busy.
EMULATED_APPEND = "nohz=off tsc=reliable"
ICOUNT_ACCEL = "tcg,thread=single"
ICOUNT_APPEND = "tsc=reliable clocksource=tsc"


def host(kernel="6.12", *, smp=2, memory="4G", out=None, icount=False, append="",
         qemu_args=(), boot_timeout=HOST_BOOT_S):
    """The machine to load the project's modules into: a Debian system.

    It sees the checkout at /repo and the cache at /cache, read-only, and the
    directory out, which also gets the logs, at /out. With icount, it has one
    CPU on which 1 ns of time is 1 instruction, for measuring cost.
    """
    kernel = kernels.Kernel(kernel)
    shares = {"repo": kernels.TOP, "cache": kernels.cache().resolve()}
    if out:
        shares["out"] = Path(out).resolve()
        shares["out"].mkdir(parents=True, exist_ok=True)
    variables = _environment(VM_ROOT="disk", VM_LEVEL="host", VM_KERNEL=kernel.name,
                             VM_SHARES=",".join(shares), VM_DIR="/repo", VMENERGY_CACHE="/cache")
    if icount:
        frame = _frame(ICOUNT_ACCEL, "max", 1, memory) + ["-icount", "shift=0,sleep=off"]
        append = f"{ICOUNT_APPEND} {append}"
    elif kvm_usable(kernel.name):
        frame = _frame("kvm", "max", smp, memory)
    else:
        frame = _frame("tcg,thread=multi", "max", smp, memory)
        append = f"{EMULATED_APPEND} {append}"
    arguments = frame + _root_disk(kernels.cache() / "world/root.img")
    for name, path in shares.items():
        arguments += _share(name, path, readonly=name != "out")
    return Machine(kernel, arguments + list(qemu_args),
                   modules=HOST_MODULES, append=f"{COMMON_APPEND} {append} {variables}", logs=out,
                   boot_timeout=boot_timeout, boot_tries=HOST_BOOT_TRIES)


def guest(kernel="6.12", *, smp=1, memory="256M", disk=False, modules=(), files=None,
          logs=None, append="", qemu_args=(), boot_timeout=BOOT_S):
    """A KVM guest of this machine: busybox alone or, with disk, a Debian system.

    modules (names or .ko paths; the project's are found by name) are loaded
    when it boots; files are put into its initrd, {path there: path here}.
    """
    if in_host():
        kernels.load(kvm_module())
    kernel = kernels.Kernel(kernel)
    arguments = _frame("kvm", "host", smp, memory)
    needed = DEVICE_MODULES
    if disk:
        arguments += _root_disk("/dev/vda")
        needed = needed + DISK_MODULES
    variables = _environment(VM_ROOT="disk" if disk else "none", VM_LEVEL="guest",
                             VM_KERNEL=kernel.name)
    return Machine(kernel, arguments + list(qemu_args), modules=[*needed, *modules],
                   files=files, append=f"{COMMON_APPEND} quiet {append} {variables}", logs=logs,
                   boot_timeout=boot_timeout)


def arm64(*, pmu=True, memory="512M", files=None, modules=(), logs=None):
    """An arm64 machine, busybox alone: emulated, with one CPU, a PMU that counts, and KVM.

    It counts instructions only if time is instructions, 2 ns for each here.
    """
    cpu = "max" if pmu else "max,pmu=off"
    arguments = ["-M", "virt,virtualization=on,gic-version=3", "-cpu", cpu, "-smp", "1",
                 "-m", memory, "-icount", "shift=1,sleep=off",
                 "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]
    variables = _environment(VM_ROOT="none", VM_LEVEL="host", VM_KERNEL="arm64")
    return Machine(kernels.Kernel("arm64"), arguments, modules=[*DEVICE_MODULES, *modules],
                   files=files, append=f"console=ttyAMA0 panic=-1 oops=panic {variables}",
                   logs=logs, boot_timeout=HOST_BOOT_S, boot_tries=HOST_BOOT_TRIES,
                   qemu=QEMU_ARM64)


def kvm_module():
    """KVM, for this processor."""
    return "kvm_amd" if "svm" in Path("/proc/cpuinfo").read_text().split() else "kvm_intel"


def kvm_usable(kernel):
    """Whether KVM works here, and in a guest of it; found out once per boot of this machine."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    verdict = kernels.cache() / f"nested-kvm-{boot}"
    if not verdict.exists():
        usable = _kvm_is_nested(kernel)
        with contextlib.suppress(OSError):
            scratch = verdict.with_name(f"{verdict.name}.{os.getpid()}")
            scratch.write_text("yes" if usable else "no")
            scratch.replace(verdict)
        return usable
    return verdict.read_text() == "yes"


def _kvm_is_nested(kernel):
    """Some machines have a KVM that fails only once a kernel runs, or that has none for guests."""
    try:
        with guest(kernel, boot_timeout=KVM_PROBE_S) as machine:
            return machine.run("grep -qwE 'vmx|svm' /proc/cpuinfo")[0] == 0
    except MachineError:
        return False


def _to_stdout(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _run(options):
    words = options.command
    command = words[0] if len(words) == 1 else shlex.join(words)
    machine = host(options.kernel, smp=options.smp, memory=options.memory, out=options.out,
                   icount=options.icount, append=options.append)
    with machine:
        status, _ = machine.run(command, options.timeout, _to_stdout)
    return status


def _load(options):
    kernels.load(options.module, *options.parameters)
    return 0


def _parser():
    parser = argparse.ArgumentParser(description="Boots kernels in QEMU and runs commands there.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="boot a host and run a command in it")
    run.add_argument("--kernel", default="6.12", help="6.12 (default), 6.1 or debug")
    run.add_argument("--smp", type=int, default=2, metavar="CPUS")
    run.add_argument("--memory", default="4G")
    run.add_argument("--timeout", type=float, default=600, metavar="S", help="for the command")
    run.add_argument("--out", metavar="DIR", help="shared as /out; gets the logs")
    run.add_argument("--append", default="", metavar="ARGS", help="more kernel arguments")
    run.add_argument("--icount", action="store_true", help="1 CPU, 1 instruction per ns")
    run.add_argument("command", nargs="+", help="one word is a shell script")
    run.set_defaults(function=_run)
    load = verbs.add_parser("load", help="in a host: load a module and what it needs")
    load.add_argument("module")
    load.add_argument("parameters", nargs="*", metavar="name=value")
    load.set_defaults(function=_load)
    return parser


def main():
    """The command line; returns the exit status."""
    options = _parser().parse_args()
    # So that what is under way is cleaned up.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(EXIT_MACHINE))
    try:
        return options.function(options)
    except CommandTimeout as error:
        print(f"vm: {error}", file=sys.stderr)
        return EXIT_TIMEOUT
    except (MachineError, FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"vm: {error}", file=sys.stderr)
        return EXIT_MACHINE


if __name__ == "__main__":
    sys.exit(main())
