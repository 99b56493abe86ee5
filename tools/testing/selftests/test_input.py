# SPDX-License-Identifier: GPL-2.0
"""What makes no sense is refused with the right error, and changes nothing."""

import errno
import subprocess
from pathlib import Path

import pytest

import accounts
import kernels
from accounts import CONFIGFS, Cgroup, Config
from conftest import NewMessages, unload


def _once(*parameters):
    """On one kernel only, as they go the same way as one that is tested on all."""
    return [pytest.param(parameter, marks=pytest.mark.once) for parameter in parameters]


@pytest.mark.parametrize("parameter", ["busy_mw=1000001", *_once(
    "busy_mw=-1", "busy_mw=ten", "busy_mw=", "busy_mw=5W",
    "busy_mw=99999999999999999999", "interval_ms=9", "interval_ms=10001", "interval_ms=1e3",
)])
def test_module_refuses_bad_parameters(unloaded, parameter):
    messages = NewMessages()
    with pytest.raises(subprocess.CalledProcessError):
        kernels.load("vmenergy", parameter)
    name = parameter.partition("=")[0]
    said = messages.containing(f"vmenergy: {name}=")
    assert len(said) == 1 and "must be a number from" in said[0]
    assert not Path("/sys/module/vmenergy").exists()


@pytest.mark.parametrize("parameter", ["max_devices=0", *_once(
    "max_devices=65537", "update_ms=0", "update_ms=1001", "update_ms=x",
    "quantum_uj=0", "quantum_uj=1000001", "quantum_uj=",
)])
def test_device_module_refuses_bad_parameters(core, parameter):
    unload("vmenergy_mdev")
    messages = NewMessages()
    with pytest.raises(subprocess.CalledProcessError):
        kernels.load("vmenergy_mdev", parameter)
    name = parameter.partition("=")[0]
    said = messages.containing(f"vmenergy_mdev: {name}=")
    assert len(said) == 1 and "must be a number from" in said[0]
    assert not Path("/sys/module/vmenergy_mdev").exists()


def test_unknown_parameters_are_reported(unloaded):
    """By the kernel, which loads the module all the same."""
    messages = NewMessages()
    kernels.load("vmenergy", "busy_nw=5")
    said = messages.containing("busy_nw")
    assert len(said) == 1 and "vmenergy: unknown parameter 'busy_nw' ignored" in said[0]
    assert accounts.busy_mw() == 10000


def test_good_parameters_are_taken(unloaded):
    kernels.load("vmenergy", "busy_mw=1", "busy_mw=0x10", "interval_ms=00010")
    assert accounts.busy_mw() == 16
    assert (accounts.PARAMETERS / "interval_ms").read_text() == "10\n"


@pytest.mark.parametrize("value", ["-5", "1000001", "x", ""])
def test_parameter_files_refuse_nonsense(core, value):
    parameter = accounts.PARAMETERS / "busy_mw"
    before = parameter.read_text()
    with pytest.raises(OSError) as error:
        with open(parameter, "wb", buffering=0) as file:
            file.write(value.encode() + b"\n")
    assert error.value.errno == errno.EINVAL
    assert parameter.read_text() == before


@pytest.mark.parametrize("name", [
    "machine", "vm-1", "cpu-12", "disk-0", "-x", "a b", "ä", "x" * 32, "a:b",
])
def test_names_are_checked(core, name):
    with pytest.raises(OSError) as error:
        (CONFIGFS / name).mkdir()
    assert error.value.errno == errno.EINVAL


@pytest.fixture
def config(core):
    path = CONFIGFS / "test"
    path.mkdir()
    yield path
    path.rmdir()


def _refused(path, value, expected):
    before = path.read_text()
    with pytest.raises(OSError) as error:
        with open(path, "wb", buffering=0) as file:
            file.write(value)
    assert error.value.errno == expected
    assert path.read_text() == before


@pytest.mark.parametrize("attribute, value, expected", [
    ("live", b"1", errno.EINVAL),
    ("live", b"maybe", errno.EINVAL),
    ("pid", b"0", errno.EINVAL),
    ("pid", b"-1", errno.EINVAL),
    ("pid", b"self", errno.EINVAL),
    ("pid", b"99999999999", errno.ERANGE),
    ("cgroup", b"relative", errno.EINVAL),
    ("cgroup", b"\n", errno.EINVAL),
])
def test_attributes_are_checked(config, attribute, value, expected):
    _refused(config / attribute, value, expected)


@pytest.mark.parametrize("attribute, value, expected", [
    ("pid", "2", errno.EINVAL),
    ("pid", "4194303", errno.ESRCH),
    ("cgroup", "/", errno.EINVAL),
    ("cgroup", "/no/such/cgroup", errno.ENOENT),
    ("cgroup", "/../..", errno.ENOENT),
])
def test_what_cannot_be_a_domain_does_not_go_live(config, attribute, value, expected):
    (config / attribute).write_text(value)
    _refused(config / "live", b"1", expected)
    assert not accounts.row("test")


def test_one_domain_each(config):
    with Cgroup("once") as cgroup, Config("once", cgroup=cgroup.name):
        (config / "cgroup").write_text(cgroup.name)
        _refused(config / "live", b"1", errno.EEXIST)


def test_live_domain_keeps_its_description(config):
    with Cgroup("fixed") as cgroup:
        (config / "cgroup").write_text(cgroup.name)
        (config / "live").write_text("1")
        _refused(config / "cgroup", b"/else", errno.EBUSY)
        _refused(config / "pid", b"1", errno.EBUSY)
        (config / "live").write_text("1")
        assert accounts.row("test").kind == "cgroup"
        (config / "live").write_text("0")
        assert not accounts.row("test")


def test_pid_and_cgroup_replace_each_other(config):
    (config / "cgroup").write_text("/x")
    (config / "pid").write_text("1")
    assert (config / "cgroup").read_text() == "\n"
    (config / "cgroup").write_text("/x")
    assert (config / "pid").read_text() == "0\n"


def test_energy_is_for_root_only(core):
    paths = [accounts.TABLE, accounts.zone("machine") / "energy_uj"]
    for path in paths:
        assert path.stat().st_mode & 0o077 == 0


def test_zones_are_as_monitoring_expects(core):
    zone = accounts.zone("machine")
    assert int((zone / "max_energy_range_uj").read_text()) == 2**63 - 1
    names = {(path / "name").read_text().strip() for path in zone.glob("vmenergy:*")}
    assert {"cpu-0", "disk-0"} <= names
