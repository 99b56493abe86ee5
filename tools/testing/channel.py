# SPDX-License-Identifier: GPL-2.0
"""The two kinds of channel into a machine: a port for commands, and QEMU's monitor.

Both are socket pairs made before QEMU starts: there is no path to collide or
to clean up, nobody else can connect, and either side sees the other's end.

A command port carries lines to init: "ping TOKEN", "run TOKEN BASE64",
"kill TOKEN", "stop". Back come the token of a ping, and a command's output
between the lines "TOKEN begin" and "TOKEN STATUS". Tokens are random, so that
no output can be mistaken for such a line.
"""

import base64
import contextlib
import itertools
import json
import secrets
import socket
import threading
import time

CHUNK = 1 << 16
# How often a wait looks whether the machine is still sane.
PULSE_S = 1
# How long QEMU and init may take to answer.
ANSWER_S = 30


class CommandTimeout(Exception):
    """A command did not end in its time and was killed; output is what it had written."""

    def __init__(self, command, timeout, output=""):
        super().__init__(f"not done after {timeout} s: {command}")
        self.output = output


class MonitorError(Exception):
    """QEMU refused a monitor command."""


def _drop(data):
    """A sink for what nobody wants."""


class Port:
    """A command port. pulse is called about each second of waiting, and may raise."""

    def __init__(self, pulse):
        self._socket, self.qemu_end = socket.socketpair()
        self._pulse = pulse
        self._pending = b""

    def run(self, command, timeout, sink):
        """Runs a shell command, hands its output to sink(bytes), returns its exit status.

        Raises CommandTimeout when the command, TimeoutError when the machine
        did not end it in time, EOFError when the machine went away.
        """
        token = secrets.token_hex(8)
        self._send("run", token, base64.b64encode(command.encode()).decode())
        # Before that may come what earlier commands left running.
        self._pass(f"\n{token} begin\n", time.monotonic() + ANSWER_S, _drop)
        try:
            return self._finish(token, time.monotonic() + timeout, sink)
        except TimeoutError:
            self._send("kill", token)
            self._finish(token, time.monotonic() + ANSWER_S, sink)
            raise CommandTimeout(command, timeout) from None

    def wait_ready(self, timeout):
        """Waits until init answers. It is asked again and again: a reset loses what was sent."""
        deadline = time.monotonic() + timeout
        token = secrets.token_hex(8)
        while True:
            self._send("ping", token)
            try:
                self._pass(f"\n{token}\n", min(deadline, time.monotonic() + PULSE_S), _drop)
                return
            except TimeoutError:
                if time.monotonic() >= deadline:
                    raise
                self._pulse()

    def send_stop(self):
        """Asks init to power off."""
        self._send("stop")

    def close(self):
        """Ends the channel."""
        self._socket.close()

    def _send(self, *words):
        self._socket.settimeout(ANSWER_S)
        try:
            self._socket.sendall((" ".join(words) + "\n").encode())
        except ConnectionError as error:
            raise EOFError from error

    def _finish(self, token, deadline, sink):
        status = bytearray()
        self._pass(f"\n{token} ", deadline, sink)
        self._pass("\n", time.monotonic() + ANSWER_S, status.extend)
        return int(status)

    def _pass(self, marker, deadline, sink):
        """Hands what comes before marker to sink, as soon as it cannot be the marker's start."""
        marker = marker.encode()
        while True:
            before, found, after = self._pending.partition(marker)
            if found:
                sink(before)
                self._pending = after
                return
            cut = self._pending.rfind(b"\n")
            if cut < 0 or not marker.startswith(self._pending[cut:]):
                cut = len(self._pending)
            sink(self._pending[:cut])
            self._pending = self._pending[cut:]
            self._receive(deadline)

    def _receive(self, deadline):
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(min(PULSE_S, left))
            try:
                data = self._socket.recv(CHUNK)
            except socket.timeout:
                self._pulse()
                continue
            except ConnectionError as error:
                raise EOFError from error
            if not data:
                raise EOFError
            self._pending += data
            return


class Monitor:
    """QEMU's monitor (QMP). May be used by several threads."""

    def __init__(self):
        self._socket, self.qemu_end = socket.socketpair()
        self._lock = threading.RLock()
        self._pending = b""
        self._events = []
        self._ids = itertools.count()

    def start(self):
        """The handshake, once QEMU runs."""
        self._read(time.monotonic() + ANSWER_S)
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        """Runs a monitor command and returns its result; _ in argument names stands for -."""
        wire = {key.replace("_", "-"): value for key, value in arguments.items()}
        deadline = time.monotonic() + ANSWER_S
        with self._lock:
            request = {"execute": name, "arguments": wire, "id": next(self._ids)}
            self._socket.sendall(json.dumps(request).encode())
            while True:
                answer = self._read(deadline)
                if "event" in answer:
                    self._events.append(answer)
                elif answer.get("id") != request["id"]:
                    continue  # to a command that nobody waits for any more
                elif "error" in answer:
                    raise MonitorError(f"{name}: {answer['error']['desc']}")
                else:
                    return answer["return"]

    def drop_events(self):
        """Forgets the events so far."""
        with self._lock:
            self._events.clear()

    def wait_event(self, name, timeout=ANSWER_S):
        """Waits for the next event of that name, dropping those before, and returns its data."""
        deadline = time.monotonic() + timeout
        with self._lock:
            while True:
                while self._events:
                    event = self._events.pop(0)
                    if event["event"] == name:
                        return event.get("data", {})
                self._events.append(self._read(deadline))

    def last_words(self):
        """The events that nobody has waited for, of a QEMU that has ended."""
        with self._lock, contextlib.suppress(TimeoutError, EOFError, OSError):
            while True:
                self._events.append(self._read(time.monotonic() + PULSE_S))
        return self._events

    def close(self):
        """Ends the channel."""
        self._socket.close()

    def _read(self, deadline):
        while b"\n" not in self._pending:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                data = self._socket.recv(CHUNK)
            except socket.timeout as error:
                raise TimeoutError("QEMU's monitor is silent") from error
            if not data:
                raise EOFError
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return json.loads(line)
