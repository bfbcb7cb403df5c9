"""The generated JavaScript as an array library of the property tests: Node runs it, one process for all, fed with raw float64 numbers."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from boxloss.calculus.javascript import module_text
from boxloss.formulas import Formula
from properties.backends import NumPy

Array = np.ndarray
SERVER = Path(__file__).with_name("server.mjs")


def node() -> str:
    path = shutil.which("node")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("needs Node: there is no node on the path")
        pytest.skip("needs Node: there is no node on the path")
    return path


class Node:
    """A process of `server.mjs`, and the folder of the modules that it imports."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([node(), str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._folder, self._numbers = TemporaryDirectory(), count()

    def module(self, text: str) -> Path:
        path = Path(self._folder.name, f"formula{next(self._numbers)}.mjs")
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, module: Path, boxes: Array, width: int) -> Array:
        """The `width` numbers that the module's function gives for each row of `boxes`, (n, 8)."""
        request = json.dumps({"module": str(module), "n": len(boxes)}).encode().ljust(1024)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(request + np.ascontiguousarray(boxes, "<f8").tobytes())
        self._process.stdin.flush()
        answer = self._process.stdout.read(8 * width * len(boxes))
        assert len(answer) == 8 * width * len(boxes), f"node died over {module.read_text(encoding='utf-8')}"
        return np.frombuffer(answer, "<f8").reshape(len(boxes), width)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._folder.cleanup()


@cache
def running() -> Node:
    return Node()


class Values(np.ndarray):
    """Losses that remember their slopes, (n, 8)."""

    slopes: Array | None


def elementwise(formula: Formula, parameters: dict[str, Any], *, gradient: bool = True, **how: Any) -> Callable[..., Array]:
    """The generated module as a function of two arrays of boxes, (n, 4)."""

    @cache
    def module() -> Path:
        return running().module(module_text(formula, parameters, gradient=gradient, **how))

    def loss(pred: Array, target: Array, *, reduction: str = "none", weight: Any = None) -> Array:
        assert (reduction, weight) == ("none", None), "the generated function has one pair's loss, and knows no reduction"
        got = running().run(module(), np.hstack([pred, target]), 9 if gradient else 1)
        values = got[:, 0].copy().view(Values)
        values.slopes = got[:, 1:] if gradient else None
        return values

    return loss


class JavaScript(NumPy):
    name = "javascript"
    has_gradient = True
    dtypes = ("float64",)

    def gradients(self, function: Callable[..., Any], a: Array, b: Array, upstream: Array) -> tuple[Array, Array]:
        with np.errstate(over="ignore"):
            slopes = function(a, b).slopes * upstream[:, None]
        return slopes[:, :4], slopes[:, 4:]
