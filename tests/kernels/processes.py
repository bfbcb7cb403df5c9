"""Python in a process of its own, for what a process can try only once."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]


def start(code: str, **environment: str) -> "subprocess.Popen[str]":
    """`code`, with the tests' modules to import from; `environment` is added to ours."""
    paths = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", code],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def printed(process: "subprocess.Popen[str]", timeout: float = 300) -> str:
    """What it printed. Fails with its complaints where it did not end well."""
    out, complaints = process.communicate(timeout=timeout)
    assert process.returncode == 0, complaints[-3000:]
    return out.strip()


def run(code: str, **environment: Any) -> str:
    return printed(start(code, **environment))
