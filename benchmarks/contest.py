"""Contenders that do one work: checked against each other, then timed in turn, and their memory measured apart."""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from benchmarks import memory, peers
from benchmarks.clock import Budget, Call, race

Seen = tuple[Any, ...]
"""A result as NumPy arrays and numbers, for comparison."""


@dataclass(frozen=True)
class Case:
    """One size to measure at."""

    name: str
    n: int


@dataclass(frozen=True)
class Contender:
    """`prepare` makes from the inputs the call that is timed. `see` makes of its result what is compared; a limit, such as a copy, is not compared."""

    name: str
    prepare: Callable[[Any], Call]
    see: Callable[[Any, Any], Seen] | None = None
    needs: tuple[str, ...] = ()
    until: int | None = None
    hinders: Callable[[], str] = lambda: ""
    slow_to_start: bool = False

    def left_out(self, case: Case, quick: bool) -> str:
        """Why this contender does not take part; empty where it does."""
        if self.until is not None and case.n > self.until:
            return f"would take too long, or too much memory, above {self.until:,}"
        if quick and self.slow_to_start:
            return "takes seconds to compile: not in a quick run"
        return peers.missing(self.needs) or self.hinders()


@dataclass(frozen=True)
class Contest:
    """A work, the sizes to do it at, and who does it. `memory_from`: the smallest size at which a peak tells more than the allocator's habits.
    `per_box`: the page tells a box's share of a call. `relative` and `absolute`: how far results may be apart."""

    name: str
    title: str
    story: str
    cases: tuple[Case, ...]
    quick_cases: tuple[Case, ...]
    inputs: Callable[[Case], Any]
    contenders: tuple[Contender, ...]
    memory_from: int = 10**9
    n_threads: int | None = None
    per_box: bool = False
    relative: float = 1e-4
    absolute: float = 1e-5
    forget: Callable[[Any], object] = field(default=lambda inputs: None)

    def case(self, name: str) -> Case:
        return next(case for case in (*self.cases, *self.quick_cases) if case.name == name)

    def measure(self, budget: Budget, n_threads: int, quick: bool, tell: Callable[[str], object]) -> list[dict[str, Any]]:
        """A row for each case and contender: its timing and its peak, or why there is none."""
        n_threads = self.n_threads or n_threads
        rows = []
        for case in self.quick_cases if quick else self.cases:
            tell(case.name)
            use_threads(n_threads)
            rows += self._measure_case(case, budget, n_threads, quick, tell)
        return rows

    def _measure_case(self, case: Case, budget: Budget, n_threads: int, quick: bool, tell: Callable[[str], object]) -> list[dict[str, Any]]:
        why = {one.name: one.left_out(case, quick) for one in self.contenders}
        peaks: dict[str, int | None] = {}
        if case.n >= self.memory_from:
            for one in self.contenders:
                if not why[one.name]:
                    tell(f"{case.name}: memory of {one.name}")
                    try:
                        peaks[one.name] = memory.peak(self.name, case.name, one.name, n_threads)
                    except memory.NotMeasured as error:
                        why[one.name] = str(error)
        tell(case.name)
        inputs, calls, seen = self.inputs(case), {}, {}
        for one in self.contenders:
            if not why[one.name]:
                try:
                    calls[one.name] = one.prepare(inputs)
                    result = calls[one.name]()
                    if one.see is not None:
                        seen[one.name] = one.see(result, inputs)
                    del result
                except Exception as error:  # whatever a contender trips over, the others are measured
                    calls.pop(one.name, None)
                    why[one.name] = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"[:200]
        why |= self._disagreements(seen)
        timings = race({name: call for name, call in calls.items() if not why[name]}, budget)
        return [
            {"case": case.name, "n": case.n, "contender": one.name}
            | ({"left_out": why[one.name]} if why[one.name] else asdict(timings[one.name]) | {"peak_bytes": peaks.get(one.name)})
            for one in self.contenders
        ]

    def _disagreements(self, seen: dict[str, Seen]) -> dict[str, str]:
        """Who computes something else than the first, which is ours: no time is worth telling then."""
        if not seen:
            return {}
        (first, want), *others = seen.items()
        found = {}
        for name, got in others:
            worst = max(_excess(x, y, self.relative, self.absolute) for x, y in zip(got, want, strict=True))
            if not worst <= 1:
                found[name] = f"its result differs from that of {first}, by {worst:.2g} times what rounding explains"
        return found


def _excess(got: Any, want: Any, relative: float, absolute: float) -> float:
    """How many times further apart than allowed."""
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    return float(np.max(np.abs(got - want) / (absolute + relative * np.abs(want)), initial=0.0)) if got.shape == want.shape else float("inf")


def use_threads(n: int) -> None:
    """The same number of threads for all: PyTorch, which boxloss follows, and those who ask the environment at their first call."""
    os.environ["OMP_NUM_THREADS"] = os.environ["RAYON_NUM_THREADS"] = str(n)
    import torch

    torch.set_num_threads(n)
