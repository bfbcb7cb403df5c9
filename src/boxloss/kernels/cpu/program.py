"""A kernel's text with what it needs to be compiled, and the function that it becomes: from memory, from disk, or newly compiled."""

import functools
import hashlib
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from boxloss.kernels import cache, switch

Arguments = dict[str, str]
"""The arguments of a kernel, in order: name -> "integer", "float64", or an address: "numbers", "floats", "integers", or "numbers or none", which is 0
where there is none, and comes with the name `has_NAME`."""

_READ = {
    "integer": "load(arguments, {0})",
    "float64": "as_float64(load(arguments, {0}))",
    "numbers": "numbers_at(load(arguments, {0}))",
    "numbers or none": "numbers_at(load(arguments, {0}))",
    "floats": "floats_at(load(arguments, {0}))",
    "integers": "integers_at(load(arguments, {0}))",
}


def head(arguments: Arguments) -> str:
    """The first lines of a kernel: its arguments, read from where they are packed."""
    lines = [f"{name} = {_READ[kind].format(k)}" for k, (name, kind) in enumerate(arguments.items())]
    lines += [f"has_{name} = load(arguments, {k})" for k, (name, kind) in enumerate(arguments.items()) if kind == "numbers or none"]
    return "def kernel(arguments):\n" + "".join(f"    {line}\n" for line in lines)


def packer(arguments: Arguments) -> Callable[..., bytes]:
    """Packs a call's arguments, in order."""
    return struct.Struct("".join("d" if kind == "float64" else "q" for kind in arguments.values())).pack


@dataclass(frozen=True)
class Program:
    text: str
    number: str
    """The number type of the boxes: float32 or float64."""
    constants: tuple[tuple[str, str, float], ...]
    """Name, number type and value of each constant of the text."""
    memory: tuple[tuple[str, str, int], ...]
    """Name, number type and length of each piece of memory on the stack."""
    wide: bool = True
    """By the widest vectors there are: best for long work; but the clock, which they slow, stays slow for a while, and what follows a short call is slower."""

    @functools.cached_property
    def key(self) -> str:
        """A digest of all that the machine code depends on."""
        from boxloss.kernels.cpu.load import processor

        versions = [version(package) for package in ("numba", "llvmlite")]
        return cache.key(self.text, self.number, repr(self.constants), repr(self.memory), repr(self.wide), _own_text(), processor(), *versions)

    def load(self) -> Callable[[bytes], object]:
        """The kernel as a function of its packed arguments. Raises `KernelError`, whatever it is that fails."""
        try:
            return self._kept() or self._compiled()
        except Exception as error:
            raise switch.KernelError(f"kernels cannot be compiled here: {_what(error)}") from error

    def _kept(self) -> Callable[[bytes], object] | None:
        """From disk."""
        from boxloss.kernels.cpu.load import load_object

        kept = cache.read(self.key)
        if kept is None:
            return None
        symbol, _, code = kept.partition(b"\0")
        try:
            return load_object(code, symbol.decode())
        except (RuntimeError, UnicodeDecodeError):
            return None  # not what it seemed to be: as good as not there

    def _compiled(self) -> Callable[[bytes], object]:
        from boxloss.kernels.cpu.compile import compile_text
        from boxloss.kernels.cpu.load import load_object

        code, symbol = compile_text(
            self.text,
            self.number,
            {name: (number, value) for name, number, value in self.constants},
            {name: (number, length) for name, number, length in self.memory},
            self.wide,
        )
        cache.write(self.key, symbol.encode() + b"\0" + code)
        return load_object(code, symbol)


def _what(error: Exception) -> str:
    """An error on one line: Numba's take pages."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:300]


@functools.cache
def _own_text() -> str:
    """A digest of the code that turns text into machine code: when it changes, what is on disk is of no use."""
    here = Path(__file__).parent
    return hashlib.sha256(b"".join((here / name).read_bytes() for name in ("words.py", "compile.py"))).hexdigest()


class Once:
    """A function that is made when it is first called, by one thread while the others wait."""

    __slots__ = ("_lock", "_make", "made")

    def __init__(self, make: Callable[[], Callable[[bytes], object]]):
        self._make, self._lock = make, threading.Lock()
        self.made: Callable[[bytes], object] | None = None
        """What was made: calling it saves a step."""

    def __call__(self, arguments: bytes) -> object:
        if self.made is None:
            with self._lock:
                if self.made is None:
                    self.made = self._make()
        return self.made(arguments)
