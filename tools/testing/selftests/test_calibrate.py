# SPDX-License-Identifier: GPL-2.0
"""vmenergy-calibrate, on a machine whose truth is known: the test PMU's."""

import contextlib
import importlib.machinery
import importlib.util
import io
import re
import subprocess
import time
from pathlib import Path

import pytest

import accounts
import kernels
import known
import perf
from accounts import Config, is_exact
from loads import SPIN, standing_still

pytestmark = [pytest.mark.accuracy, pytest.mark.once]

SCRIPT = kernels.TOP / "scripts/vmenergy-calibrate"
METER = f"{known.PACKAGE}/energy-pkg/"
IDLE_MW = 5000
BUSY_MW = 4000
# What each event costs, and one that never happens.
WEIGHTS_PJ = [2000, 8000, 1500]
NEVER = 3
NOISE_UW = 100000
NONLINEAR_PPM = 10000
# Loads: the rates of each of their processes.
TRAINING = [[], [(0, 0, 0)], [(3000, 0, 0)], [(300, 900, 0)], [(0, 200, 4000)],
            [(1000, 100, 3000), (0, 0, 0)], [(2000, 500, 0), (2000, 500, 0)],
            [(100, 1200, 500), (4000, 0, 1000)]]
# None of them is among these.
LIGHT, HEAVY = (600, 150, 1500), (3500, 700, 200)
TRAINING_S = 2
FAST_FILTER_MS = 500
CHARGED_S = 4
TOLERANCE = 0.05


def _events(count):
    return [f"{known.COUNTERS}/event={event}/" for event in range(count)]


def _process(rates):
    """A command that sets its own rates, then spins."""
    lines = [f"echo $$ {event} {rate} >{known.FILES}/rates" for event, rate in enumerate(rates)]
    return f"sh -c '{'; '.join(lines)}; {SPIN}'"


def _load(processes):
    return " & ".join([*map(_process, processes), "sleep 60"])


def _arguments(output, events, loads, seconds=1):
    pairs = [("--meter", METER), ("--events", ",".join(events)), ("--seconds", str(seconds)),
             ("--output", str(output)), *(("--load", load) for load in loads)]
    return [word for pair in pairs for word in pair]


@pytest.fixture(scope="module")
def script():
    """It, as a module."""
    loader = importlib.machinery.SourceFileLoader("calibrate", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("calibrate", loader))
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def machine():
    """The test PMU's model, with what no linear model knows."""
    with known.loaded():
        for event, pj in enumerate(WEIGHTS_PJ):
            known.tell("energy_pj", f"{event} {pj}")
        for name, value in (("idle_mw", IDLE_MW), ("busy_mw", BUSY_MW), ("noise_uw", NOISE_UW),
                            ("nonlinear_ppm", NONLINEAR_PPM)):
            known.tell(name, value)
        yield


@pytest.fixture(scope="module")
def calibrated(machine, script, tmp_path_factory):
    """(the file, what the command said on standard output and error)."""
    path = tmp_path_factory.mktemp("modprobe.d") / "vmenergy.conf"
    said, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        status = script.main(
            _arguments(path, _events(NEVER + 1), map(_load, TRAINING), TRAINING_S))
    print(said.getvalue(), complained.getvalue(), sep="")
    assert status == 0
    known.tell("rates", "clear")
    return path.read_text(), said.getvalue(), complained.getvalue()


def _options(text):
    line, = (line for line in text.splitlines() if not line.startswith("#"))
    assert line.startswith("options vmenergy ")
    return line.split()[2:]


def _is_near(value, truth, tolerance):
    return abs(value - truth) <= tolerance * truth


def test_weights_are_found(calibrated):
    text, _, _ = calibrated
    print(text)
    options = dict(option.split("=") for option in _options(text))
    assert _is_near(int(options["idle_mw"]), IDLE_MW, 0.05)
    assert _is_near(int(options["busy_mw"]), BUSY_MW, 0.1)
    pmu = perf.pmu_type(known.COUNTERS)
    for event, (word, pj) in enumerate(zip(options["events"].split(","), WEIGHTS_PJ, strict=True)):
        name, _, weight = word.rpartition(":")
        assert name == f"{pmu}:{event:#x}"
        assert _is_near(int(weight), pj, 0.1)
    scale = perf.attribute(known.PACKAGE, "events/energy-pkg.scale")
    assert options["meter"] == f"{perf.pmu_type(known.PACKAGE)}:{known.ENERGY_PKG:#x}:{scale}"


def test_error_is_told_for_each_load(calibrated):
    text, table, said = calibrated
    found = re.findall(r"^ +[\d.]+ +([\d.]+) % +([\d.]+) %  ", table, re.MULTILINE)
    assert len(found) == len(TRAINING)
    assert all(0 <= float(mean) <= float(worst) for mean, worst in found)
    mean, worst = re.search(r"([\d.]+) % +([\d.]+) %  all$", table, re.MULTILINE).groups()
    assert float(mean) < 5 and float(worst) == max(float(each) for _, each in found)
    assert f"{mean} % in the mean, {worst} % at worst" in text
    assert f"event={NEVER}/ is dropped" in said and len(said.splitlines()) == 1


@pytest.mark.parametrize("cpus", [(0, 1), (1, 1)], ids=["apart", "together"])
def test_others_are_charged_what_they_use(calibrated, unloaded, cpus):
    """Loads that were not among those of the fit, by the parameters as they were written."""
    kernels.load("vmenergy", *_options(calibrated[0]), f"filter_ms={FAST_FILTER_MS}")
    with known.spinner(cpus[0]) as light, known.spinner(cpus[1]) as heavy, \
         Config("light", pid=light), Config("heavy", pid=heavy):
        pids = {"light": light, "heavy": heavy}
        for name, rates in (("light", LIGHT), ("heavy", HEAVY)):
            for event, rate in enumerate(rates):
                known.set_rate(pids[name], event, rate)
        time.sleep(3 * FAST_FILTER_MS / 1000)
        start = _look(pids)
        time.sleep(CHARGED_S)
        end = _look(pids)
    for name in pids:
        charged_uj, true_uj = (float(now - then) for now, then in zip(end[name], start[name]))
        print(f"{name}: charged {charged_uj} uJ, in truth {true_uj} uJ")
        assert _is_near(charged_uj, true_uj, TOLERANCE)
    assert is_exact()


def _look(pids):
    with standing_still(pids["light"]), standing_still(pids["heavy"]):
        return {name: (accounts.row(name).cpu, known.truth()[pid]) for name, pid in pids.items()}


@pytest.mark.parametrize("name, numbers", [
    ("instructions", (0, 1)), ("branches", (0, 4)), ("cs", (1, 3)), ("r1b1", (4, 0x1b1)),
    ("4:0x1b1", (4, 0x1b1)), (f"{known.COUNTERS}/event=0x3/", (known.COUNTERS, 3)),
    (f"{known.COUNTERS}/event/", (known.COUNTERS, 1)),
    (f"{known.COUNTERS}/config=7/", (known.COUNTERS, 7)), (METER, (known.PACKAGE, 1)),
])
def test_names_are_resolved(machine, script, name, numbers):
    kind, config = numbers
    event = script.resolve(name)
    assert event.config == config
    assert event.type == (kind if isinstance(kind, int) else perf.pmu_type(kind))


def test_formats_are_followed(script, monkeypatch, tmp_path):
    """As a real PMU has them."""
    files = {"type": "4", "format/event": "config:0-7,32-35", "format/umask": "config:8-15",
             "format/edge": "config:18", "format/ldlat": "config1:0-15",
             "events/stalls": "event=0x3a2,umask=0x4", "events/loads": "event=1,ldlat=3"}
    for name, text in files.items():
        path = tmp_path / "core" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    monkeypatch.setattr(script, "DEVICES", tmp_path)
    assert script.resolve("core/stalls/").config == 0x3000004a2
    assert script.resolve("core/stalls,edge/").config == 0x3000404a2
    for name, problem in [("core/loads/", "ldlat is in config1"), ("core/umask=256/", "too big"),
                          ("core/config1=1/", "config1"), ("core/cmask=1/", "has no cmask")]:
        with pytest.raises(script.Failure, match=problem):
            script.resolve(name)


def test_lists_are_split_outside_of_slashes(script):
    names = ["cycles", "cpu/event=1,umask=2/", "r1"]
    assert script.split(",".join(names)) == names


@pytest.mark.parametrize("change, problem", [
    (["--events", "instrctions"], "instrctions: no such event"),
    (["--events", "cpu/event=1"], "cpu/event=1: no such event"),
    (["--events", "nothing/event=1/"], "there is no PMU nothing"),
    (["--events", "cs,context-switches"], "are the same event"),
    (["--events", METER], "counted by package"),
    (["--meter", "nothing/energy-pkg/"], "there is no PMU nothing"),
    (["--meter", f"{known.COUNTERS}/event=1/"], "is no meter"),
    (["--load", "false"], "ended by itself: false"),
], ids=range(8))
def test_failure_changes_nothing(machine, script, capsys, tmp_path, change, problem):
    path = tmp_path / "vmenergy.conf"
    path.write_text("as it was\n")
    loads = [] if "--load" in change else ["sleep 60", "sleep 60"]
    # Of each option but --load, the last one counts.
    assert script.main([*_arguments(path, _events(1), loads), *change, *change]) == 1
    said = capsys.readouterr()
    assert problem in said.err and len(said.err.splitlines()) == 1 and not said.out
    assert path.read_text() == "as it was\n" and list(tmp_path.iterdir()) == [path]


def test_it_says_what_it_lacks(machine, script, capsys, monkeypatch):
    assert script.main(_arguments("-", [], ["sleep 60"])) == 1
    assert "two loads at least" in capsys.readouterr().err
    assert script.main(_arguments("/no/where", [], ["sleep 60", SPIN])) == 1
    assert "can't write to /no" in capsys.readouterr().err
    monkeypatch.setenv("PATH", "")
    assert script.main(_arguments("-", [], [])) == 1
    assert "stress-ng is not installed" in capsys.readouterr().err


def test_meter_that_stands_still_is_none(machine, script, capsys):
    known.tell("stop", 1)
    try:
        assert script.main(_arguments("-", [], [SPIN, SPIN])) == 1
    finally:
        known.tell("stop", 0)
    assert "the meter stood still" in capsys.readouterr().err


def test_event_that_is_not_there_is_left_out(machine, script, capsys):
    """Nothing is written anywhere: the file goes to standard output."""
    events = [f"{known.COUNTERS}/event=77/", "instructions"]
    assert script.main(_arguments("-", events, ["sleep 60", SPIN])) == 0
    said = capsys.readouterr()
    assert [option.partition("=")[0] for option in _options(said.out)] == [
        "idle_mw", "busy_mw", "meter"]
    for event in events:
        assert f"{event} is left out" in said.err


def test_load_ends_with_the_command(machine):
    command = [SCRIPT, *_arguments("-", [], ["sleep 4711 & sleep 4711", SPIN])]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        accounts.wait_for(lambda: len(_sleepers()) == 2)
        process.terminate()
        assert process.wait() == 1
    accounts.wait_for(lambda: not _sleepers())


def _sleepers():
    return [path for path in Path("/proc").glob("[0-9]*/cmdline")
            if path.exists() and path.read_bytes() == b"sleep\x004711\x00"]
