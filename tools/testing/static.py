# SPDX-License-Identifier: GPL-2.0
"""Static checks: the kernel's own checkers find nothing in the sources, nor does pyflakes."""

import subprocess
import tempfile
from pathlib import Path

import kernels

TOP = kernels.TOP
SPARSE = ["C=2", "CF=-D__CHECK_ENDIAN__"]
# For the one file that knows kernel versions.
COMPAT = ["--ignore", "LINUX_VERSION_CODE,CONSTANT_COMPARISON"]
# Tracepoints are declared in a language of their own.
TRACE = ["--ignore", "PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE"]
# Scripts of coccinelle that report on patterns the project's code can have.
COCCI_MODE = "report"
COCCI_FAULT_SCRIPT = "misc/semicolon.cocci"
COCCI_FAULT = "int fault(int a)\n{\n\tif (a) {\n\t\ta++;\n\t};\n\treturn a;\n}\n"


def _source():
    return kernels.cache() / "source-6.12"


def _sources(*patterns):
    """The files of the project, as git knows them."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard",
                             *patterns], cwd=TOP, capture_output=True, text=True, check=True)
    return sorted(listed.stdout.split())


def _said(command):
    """What a checker that is silent on success has to say."""
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip() or (f"exit {done.returncode}" if done.returncode
                                                   else "")


def _reported(command):
    """What a checker that reports on standard output has found."""
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    return done.stdout.strip() or (done.stderr if done.returncode else "")


def sparse():
    """What sparse has to say. It builds, so nothing may use that build meanwhile."""
    return _said([TOP / "scripts/build", "6.12", *SPARSE])


def _checkpatch(path):
    extra = COMPAT if path.endswith("compat.h") else TRACE if "/trace/" in path else []
    return _reported([_source() / "scripts/checkpatch.pl", "--quiet", "--no-summary", *extra,
                      "-f", path])


def _kernel_doc(paths):
    return _said([_source() / "scripts/kernel-doc", "-none", "-Wall", *paths])


def _coccinelle(script, *directories):
    """What one script finds in the directories."""
    includes = [option for path in ("include", "arch/x86/include")
                for option in ("-I", _source() / path)]
    return _reported(["spatch", "-D", COCCI_MODE, "--very-quiet", "--no-show-diff",
                      "--cocci-file", script, *includes, "-I", TOP / "include", *directories])


def _python():
    """The project's Python, by its name or by its first line."""
    scripts = subprocess.run(["git", "grep", "-lE", "^#!.*python3"], cwd=TOP,
                             capture_output=True, text=True, check=True).stdout.split()
    return sorted({*_sources("*.py"), *scripts})


def _cocci_scripts():
    """The scripts that can report, but for those that need an OCaml compiler."""
    for path in sorted((_source() / "scripts/coccinelle").rglob("*.cocci")):
        text = path.read_text(errors="replace")
        if f"virtual {COCCI_MODE}" in text and "script:ocaml" not in text:
            yield path


def _coccinelle_sees():
    """A planted fault is found."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "planted.c").write_text(COCCI_FAULT)
        found = _coccinelle(_source() / "scripts/coccinelle" / COCCI_FAULT_SCRIPT, directory)
    return "" if "planted.c" in found else f"a planted fault was not found: {found}"


def check(say):
    """Yields (name, problem) of each check."""
    code = _sources("*.c", "*.h")
    say("checkpatch")
    for path in code:
        yield f"checkpatch {path}", _checkpatch(path)
    yield "pyflakes", _said(["pyflakes3", *_python()])
    say("kernel-doc")
    yield "kernel-doc", _kernel_doc([path for path in code if "programs/" not in path])
    yield "ABI documents", _said([_source() / "scripts/get_abi.pl", "--dir",
                                  TOP / "Documentation/ABI", "validate"])
    say("coccinelle")
    yield "coccinelle", _coccinelle_sees()
    for script in _cocci_scripts():
        yield f"coccinelle {script.stem}", _coccinelle(script, TOP / "kernel",
                                                       TOP / "virtio-energy",
                                                       TOP / "tools/testing/pmu",
                                                       TOP / "tools/testing/policy")
