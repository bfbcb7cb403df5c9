"""Clusters of boxes by their similarity with the cluster's running mean: the loops around a formula's text.

One box after the other, the best first: it joins the cluster whose mean it is most similar to, if that is above the threshold, and moves the mean; else it
begins a cluster. Means lie in a grid of cells, by their centres, and only those in reach are looked at. That holds for the IoU and what is never above it:
where the IoU is above t, so is along each axis the overlap over the length u that both cover together. So u < width / t, no width is above 1 / t times the
other, and the centres are no further apart than (1 - t) u / 2 < (1 / t - 1) width / 2. What is found depends on no cell's size: of equally similar clusters
the oldest one wins.
"""

import functools
import math

import numpy as np
import numpy.typing as npt

from boxloss.formulas import Formula
from boxloss.kernels.cpu.bodies import Bodies, bodies, indented, loads, named_constants, taken
from boxloss.kernels.cpu.places import place
from boxloss.kernels.cpu.program import Arguments, Once, Program, head, packer

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

BOXES_A_CELL = 2
WIDEST = 2.0**20
"""Of a reach, in sides of a box: more than any grid is wide, and no infinity."""
SLACK = 2.0**-40
"""Of the threshold, and of the farthest coordinate: above what rounding does to a similarity and to a centre."""

ARGUMENTS: Arguments = {
    "n": "integer",
    "boxes": "numbers",
    "weights": "numbers",
    "threshold": "float64",
    "reach": "float64",
    "least_ratio": "float64",
    "most_ratio": "float64",
    "slack": "float64",
    "low_x": "float64",
    "low_y": "float64",
    "per_x": "float64",
    "per_y": "float64",
    "last": "float64",
    "side": "integer",
    "heads": "integers",
    "following": "integers",
    "cells": "integers",
    "cluster": "integers",
    "means": "numbers",
    "totals": "numbers",
    "count": "integers",
}
"""n `boxes` (n, 4), best first, with their `weights`. A grid of `side` x `side` cells from `low` on, `per` cells in a unit, `last` = side - 1; `heads` (side^2)
and `cells` (n) are -1 at first: the first cluster of each cell, and the cell of each cluster; `following`: the next cluster in the cell. Writes the `cluster`
of each box, each cluster's mean (n, 4), and how many there are. `totals`: room for n weights."""

TEXT = """\
    n_clusters = zero_count
    for i in range(n):
{read_box}
        weight = load(weights, i)
        x = (box_left + box_right) * half
        y = (box_top + box_bottom) * half
        width = box_right - box_left
        height = box_bottom - box_top
        reach_x = width * reach + slack
        reach_y = height * reach + slack
        least_width = width * least_ratio - slack
        least_height = height * least_ratio - slack
        most_width = width * most_ratio + slack
        most_height = height * most_ratio + slack
        first_x = whole(minimum(maximum(floor((x - reach_x - low_x) * per_x), zero), last))
        first_y = whole(minimum(maximum(floor((y - reach_y - low_y) * per_y), zero), last))
        last_x = whole(minimum(maximum(floor((x + reach_x - low_x) * per_x), zero), last))
        last_y = whole(minimum(maximum(floor((y + reach_y - low_y) * per_y), zero), last))
        best = threshold
        c = minus_one
        for cell_y in range(first_y, last_y + 1):
            for cell_x in range(first_x, last_x + 1):
                other = load(heads, cell_y * side + cell_x)
                while other >= 0:
{read_mean}
                    mean_width = mean_right - mean_left
                    mean_height = mean_bottom - mean_top
                    alike = (mean_width >= least_width) & (mean_width <= most_width) & (mean_height >= least_height) & (mean_height <= most_height)
                    near = absolute(x - (mean_left + mean_right) * half) <= reach_x
                    if alike & near & (absolute(y - (mean_top + mean_bottom) * half) <= reach_y):
{body}
                        better = (value > best) | ((value == best) & (other < c))
                        best = where(better, value, best)
                        c = where(better, other, c)
                    other = load(following, other)
        if c < 0:
            c = n_clusters
            n_clusters = n_clusters + 1
            for k in range(4):
                store(means, 4 * c + k, load(boxes, 4 * i + k))
            store(totals, c, zero)
            joins = n < 0
        else:
            joins = n >= 0
        store(cluster, i, c)
        total = load(totals, c) + weight
        store(totals, c, total)
        if joins & (total > zero):
            share = weight / total
            for k in range(4):
                mean = load(means, 4 * c + k)
                store(means, 4 * c + k, mean + share * (load(boxes, 4 * i + k) - mean))
            for k in range(2):
                store(means, 4 * c + 2 + k, maximum(load(means, 4 * c + 2 + k), load(means, 4 * c + k)))
        x = (load(means, 4 * c) + load(means, 4 * c + 2)) * half
        y = (load(means, 4 * c + 1) + load(means, 4 * c + 3)) * half
        cell_x = whole(minimum(maximum(floor((x - low_x) * per_x), zero), last))
        cell_y = whole(minimum(maximum(floor((y - low_y) * per_y), zero), last))
        cell = cell_y * side + cell_x
        old = load(cells, c)
        if old != cell:
            if old >= 0:
                before = minus_one
                at = load(heads, old)
                while at != c:
                    before = at
                    at = load(following, at)
                if before < 0:
                    store(heads, old, load(following, c))
                else:
                    store(following, before, load(following, c))
            store(following, c, load(heads, cell))
            store(heads, cell, c)
            store(cells, c, cell)
    store(count, 0, n_clusters)
"""

_SIDES = ("left", "top", "right", "bottom")
_TAKEN = taken(TEXT, *ARGUMENTS, *(f"{what}_{side}" for what in ("box", "mean") for side in _SIDES), "ill")


def program(texts: Bodies) -> Program:
    of_mean, of_box = texts.inputs[:4], texts.inputs[4:]
    mean, box = ([f"{what}_{side}" for side in _SIDES] for what in ("mean", "box"))
    read_box = [*loads([f"load(boxes, 4 * i + {k})" for k in range(4)], box), *loads(box, of_box)]
    read_mean = loads([f"load(means, 4 * other + {k})" for k in range(4)], mean)
    lines, value = texts.value_text(False, _TAKEN)
    body = [*loads(mean, of_mean), *lines, f"value = {value}"]
    text = head(ARGUMENTS) + TEXT.format(read_box=indented(read_box, 2), read_mean=indented(read_mean, 5), body=indented(body, 6))
    sizes = (("zero_count", "int64", 0), ("minus_one", "int64", -1), ("half", texts.number, 0.5), ("zero", texts.number, 0.0))
    named = [constant for constant in named_constants(texts) if constant[0] not in ("half", "zero")]
    return Program(text, texts.number, (*sizes, *named), (), wide=False)


_pack = packer(ARGUMENTS)


class Clusters:
    """The loops for one measure, which is never above the IoU."""

    def __init__(self, formula: Formula):
        self._kernel = Once(lambda: program(bodies(formula, {}, number="float64", format="xyxy", similarity=True)).load())

    def __call__(self, boxes: Floats, weights: Floats, threshold: float) -> tuple[Integers, Floats]:
        """The cluster of each box, (n,), numbered as they begin, and their means, (clusters, 4). Boxes (n, 4), upright and finite, the best first."""
        n = len(boxes)
        side = max(1, math.isqrt(n // BOXES_A_CELL))
        low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        with np.errstate(over="ignore", divide="ignore"):
            per = side / (high - low)
        if not np.isfinite(per).all():
            per, side = np.zeros(2), 1
        least = threshold * (1 - SLACK)
        most = min(1 / least, WIDEST) if least > 0 else WIDEST  # times a side: no more than another one may be
        heads, following, cells, cluster = (np.full(length, -1) for length in (side * side, n, n, n))
        means, totals, count = np.empty((n, 4)), np.empty(n), np.zeros(1, np.int64)
        given = (
            n,
            place(boxes),
            place(weights),
            threshold,
            (most - 1) / 2,
            least,
            most,
            float(np.abs(boxes).max()) * SLACK,
            *map(float, low),
            *map(float, per),
            side - 1.0,
            side,
        )
        self._kernel(_pack(*given, *map(place, (heads, following, cells, cluster, means, totals, count))))
        return cluster, means[: count[0]].copy()


@functools.lru_cache(maxsize=8)
def clusters(formula: Formula) -> Clusters:
    return Clusters(formula)
