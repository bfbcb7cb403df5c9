"""Boxes moved step by step by what a text says: the loop of the regression experiment.

A block of cases lives in columns on the stack for all of its steps; the loop over the columns is vector code. Where the text has a shorter form for tame
pairs, a step takes it if all pairs of the block are tame: the bits are the same.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from boxloss.calculus.evaluate import evaluate
from boxloss.calculus.text import NUMBA, assignments, constants, named_constant
from boxloss.calculus.trace import Traced
from boxloss.kernels.cpu.bodies import indented, loads, taken, tame_test
from boxloss.kernels.cpu.places import place
from boxloss.kernels.cpu.program import Arguments, Once, Program, head, packer

Floats = np.ndarray

BLOCK = 64
"""Cases at a time; and as many sums of errors for each step, so that adding them up needs no order among the lanes."""

ARGUMENTS: Arguments = {"n": "integer", "n_steps": "integer", "cases": "numbers", "rates": "numbers", "sums": "floats", "path": "numbers or none"}

TEXT = """\
    columns = columns_memory()
    for start in range(0, n, BLOCK):
        m = least(BLOCK, n - start)
        for side in range(8):
            for i in range(m):
                store(columns, side * BLOCK + i, load(cases, side * n + start + i))
            for i in range(m, BLOCK):
                store(columns, side * BLOCK + i, one)
        for k in range({state}):
            store(columns, 8 * BLOCK + k, zero)
        for step in range(n_steps):
            rate = load(rates, step * 3)
            first_bias = load(rates, step * 3 + 1)
            second_bias = load(rates, step * 3 + 2)
{choice}
            for i in range(m):
                store(sums, step * BLOCK + i, load(sums, step * BLOCK + i) + float64({error}))
            if has_path:
                for side in range(4):
                    for i in range(m):
                        store(path, (step * 4 + side) * n + start + i, load(columns, side * BLOCK + i))
        for side in range(4):
            for i in range(m):
                store(cases, side * n + start + i, load(columns, side * BLOCK + i))
"""

CHOICE = """\
n_wild = zero_count
for i in range(BLOCK):
{inputs}
{test}
    n_wild = add_if(n_wild, not {tame})
if n_wild == 0:
    for i in range(BLOCK):
{tame_body}
else:
    for i in range(BLOCK):
{body}
"""

MOVES = {
    "descent": ("{x} - rate * g{k}", ()),
    "momentum": ("{x} - rate * m{k}", ("m{k} = momentum * {m} + g{k}",)),
    "adam": (
        "{x} - rate * (m{k} / first_bias / (sqrt(v{k} / second_bias) + small))",
        ("m{k} = first_decay * {m} + (one - first_decay) * g{k}", "v{k} = second_decay * {v} + (one - second_decay) * (g{k} * g{k})"),
    ),
}
"""How each optimiser moves a parameter `x` by its slope g, and what it remembers of it."""
SETTINGS = {"one": 1.0, "zero": 0.0, "nan": math.nan, "momentum": 0.9, "first_decay": 0.9, "second_decay": 0.999, "small": 1e-8, "half": 0.5}
TAKEN = taken(TEXT, CHOICE, *ARGUMENTS, *SETTINGS, "ill g0 g1 g2 g3 m0 m1 m2 m3 v0 v1 v2 v3")


@dataclass(frozen=True)
class Update:
    """What moves a box, each as value (a factor) and four slopes: for any pair, and the shorter form for tame pairs where there is one."""

    full: Traced
    tame: Traced | None
    format: str
    optimiser: str
    factor: bool

    def program(self) -> Program:
        traced = [self.full]
        inputs = loads([f"load(columns, {BLOCK * k} + i)" for k in range(8)], [str(x.name) for x in self.full.inputs])
        body = [*inputs, *self._moves(self.full)]
        if self.tame is None:
            choice = ["for i in range(BLOCK):", *(f"    {line}" for line in body)]
        else:
            test = tame_test(self.format, self.full.dtype, "a")
            traced += [self.tame, test]
            lines, (is_tame,) = assignments(test, NUMBA, TAKEN)
            choice = CHOICE.format(
                inputs=indented(inputs, 1), test=indented(lines, 1), tame=is_tame,
                tame_body=indented([*inputs, *self._moves(self.tame)], 2), body=indented(body, 2),
            ).splitlines()  # fmt: skip
        n_state = len(MOVES[self.optimiser][1]) * 4 * BLOCK
        text = head(ARGUMENTS) + TEXT.format(state=n_state, choice=indented(choice, 3), error=_error(self.format))
        values = {value for one in traced for value in constants(one)}
        named = {named_constant(value, self.full.dtype): value for value in sorted(values)} | SETTINGS
        return Program(
            text,
            self.full.dtype,
            (("BLOCK", "int64", BLOCK), ("zero_count", "int64", 0), *((name, self.full.dtype, value) for name, value in named.items())),
            (("columns_memory", self.full.dtype, 8 * BLOCK + n_state),),
        )

    def _moves(self, traced: Traced) -> list[str]:
        """The lines that move the four parameters of lane i."""
        lines, (factor, *slopes) = assignments(traced, NUMBA, TAKEN)
        moved, remembered = MOVES[self.optimiser]
        if traced is not self.tame:  # which has no NaN
            lines.append("ill = " + " | ".join(f"unordered({p.name}, {q.name})" for p, q in zip(traced.inputs[:4], traced.inputs[4:], strict=True)))
            slopes = [f"where(ill, nan, {slope})" for slope in slopes]
        for k, (x, slope) in enumerate(zip(traced.inputs[:4], slopes, strict=True)):
            at = {name: f"load(columns, {BLOCK * (8 + 4 * row + k)} + i)" for row, name in enumerate("mv")}
            lines.append(f"g{k} = {factor} * {slope}" if self.factor else f"g{k} = {slope}")
            for row, line in enumerate(remembered):
                lines.append(line.format(k=k, **at))
                lines.append(f"store(columns, {BLOCK * (8 + 4 * row + k)} + i, {'mv'[row]}{k})")
            lines.append(f"store(columns, {BLOCK * k} + i, {moved.format(x=x.name, k=k)})")
        return lines


def _error(format: str) -> str:
    """The error of lane i: how far centre and sides are from the target's, whatever is moved."""
    off = [f"(load(columns, {BLOCK * k} + i) - load(columns, {BLOCK * (4 + k)} + i))" for k in range(4)]
    if format == "xyxy":
        off = [f"({off[0]} + {off[2]}) * half", f"({off[1]} + {off[3]}) * half", f"{off[2]} - {off[0]}", f"{off[3]} - {off[1]}"]
    return " + ".join(f"absolute({part})" for part in off)


_pack = packer(ARGUMENTS)


class Descent:
    """The loop of one update."""

    def __init__(self, update: Update):
        self.update = update
        self._kernel = Once(lambda: update.program().load())

    def __call__(self, cases: Floats, rates: Floats, sums: Floats, path: Floats | None = None) -> None:
        """Moves `cases`, (8, n): the parameters of the moved boxes and of their targets, in place. `rates`, (steps, 3): rate, and Adam's two corrections.

        Adds the errors after each step to `sums`, (steps, BLOCK), each case in the column of its place in its block; writes the boxes after each step
        into `path`, (steps, 4, n). All without gaps; `sums` of float64, the others of the update's type.
        """
        self._kernel(_pack(cases.shape[1], len(rates), place(cases), place(rates), place(sums), 0 if path is None else place(path)))


def by_graph(update: Update, cases: Floats, rates: Floats, sums: Floats, path: Floats | None = None) -> None:
    """What `Descent` does, to the bit, without a compiler: one operation on arrays after another."""
    number = np.dtype(update.full.dtype).type
    moved, targets = cases[:4], cases[4:]
    m, v = np.zeros_like(moved), np.zeros_like(moved)
    first, second = number(SETTINGS["first_decay"]), number(SETTINGS["second_decay"])
    for step, (rate, first_bias, second_bias) in enumerate(rates):
        factor, *slopes = evaluate(update.full, [*moved, *targets])
        with np.errstate(all="ignore"):
            g = np.stack([factor * slope if update.factor else slope for slope in slopes])
            g[:, np.isnan(cases).any(0)] = np.nan
            if update.optimiser == "descent":
                moved -= rate * g
            elif update.optimiser == "momentum":
                m = number(SETTINGS["momentum"]) * m + g
                moved -= rate * m
            else:
                m = first * m + (number(1) - first) * g
                v = second * v + (number(1) - second) * (g * g)
                moved -= rate * (m / first_bias / (np.sqrt(v / second_bias) + number(SETTINGS["small"])))
            off = moved - targets
            if update.format == "xyxy":
                off = np.stack([*((off[:2] + off[2:]) * number(SETTINGS["half"])), *(off[2:] - off[:2])])
            errors = functools.reduce(np.add, np.abs(off)).astype(np.float64)
        for start in range(0, errors.size, BLOCK):
            part = errors[start : start + BLOCK]
            sums[step, : len(part)] += part
        if path is not None:
            path[step] = moved
