"""The ratios that boxloss is to reach, each judged from the results of one run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
MIB = 2**20


class Results:
    """The rows of every work that was measured, found by work, case and contender."""

    def __init__(self, works: dict[str, Any]):
        self.works = works
        self._rows = {(work, row["case"], row["contender"]): row for work, section in works.items() for row in section["rows"]}

    def row(self, work: str, case: str, contender: str) -> Row | None:
        """None where there is no measurement."""
        found = self._rows.get((work, case, contender))
        return None if found is None or "left_out" in found else found


@dataclass(frozen=True)
class Measured:
    """A number with the range that the quartiles span."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Figure:
    """`target` is the least, where more is better ("x faster"), else the most. `unit` follows both numbers."""

    work: str
    against: str
    target: float
    unit: str
    more_is_better: bool
    read: Callable[[Results], Measured | None]

    def reached(self, measured: Measured) -> bool:
        return measured.value >= self.target if self.more_is_better else measured.value <= self.target


Place = tuple[str, str, str]


def ratio(above: Place, below: Place) -> Callable[[Results], Measured | None]:
    """How many times as long the first takes as the second."""

    def read(results: Results) -> Measured | None:
        a, b = results.row(*above), results.row(*below)
        return None if a is None or b is None else Measured(a["median_s"] / b["median_s"], a["low_s"] / b["high_s"], a["high_s"] / b["low_s"])

    return read


def faster(work: str, against: str, target: float, peers: Iterable[Place], ours: Place) -> Figure:
    """Against the quickest of the peers."""
    ratios = [ratio(peer, ours) for peer in peers]

    def read(results: Results) -> Measured | None:
        return min((found for one in ratios if (found := one(results)) is not None), key=lambda found: found.value, default=None)

    return Figure(work, against, target, "x faster", True, read)


def within(work: str, against: str, target: float, ours: Place, limit: Place) -> Figure:
    return Figure(work, against, target, "x its time", False, ratio(ours, limit))


def at_most(work: str, against: str, target: float, unit: str, place: Place, per_unit: float, n: int = 1) -> Figure:
    """A time: n of them in a call, in units of so many seconds."""

    def read(results: Results) -> Measured | None:
        row = results.row(*place)
        return None if row is None else Measured(*(row[key] / n / per_unit for key in ("median_s", "low_s", "high_s")))

    return Figure(work, against, target, unit, False, read)


def peak(work: str, target: float, place: Place) -> Figure:
    def read(results: Results) -> Measured | None:
        row = results.row(*place)
        if row is None or row["peak_bytes"] is None:
            return None
        size = row["peak_bytes"] / MIB
        return Measured(size, size, size)

    return Figure(work, "peak memory over the inputs", target, "MiB", False, read)


def leaner(work: str, against: str, target: float, peer: Place, ours: Place) -> Figure:
    """How many times as much memory the peer takes."""

    def read(results: Results) -> Measured | None:
        a, b = results.row(*peer), results.row(*ours)
        if a is None or b is None or not (a["peak_bytes"] and b["peak_bytes"]):
            return None
        size = a["peak_bytes"] / b["peak_bytes"]
        return Measured(size, size, size)

    return Figure(work, against, target, "x less memory", True, read)


def _all() -> list[Figure]:
    def ciou(case: str, who: str) -> Place:
        return ("ciou", case, who)

    small, large = "CIoU loss forward + backward, N = 1,000", "CIoU loss forward + backward, N = 1,000,000"
    square, grid = "10,000 x 10,000", "1,000,000 on a grid"
    pairs, both = "pairwise IoU, 10,000 x 10,000", "`nearest` both ways, 1,000,000 anchors x 2,000 objects"
    max_iou, matcher, on_matrix = "max-IoU, 200,000 x 500", "torchvision `Matcher`", "on the whole matrix, PyTorch"
    box_ns = "value and gradient of {}, one thread, N = 100,000"
    return [
        faster(small, "torchvision", 15, [ciou("1,000", "torchvision")], ciou("1,000", "boxloss")),
        within(small, "`p.sum().backward()`", 1.8, ciou("1,000", "boxloss"), ciou("1,000", "p.sum().backward()")),
        faster(small, "clean formula, `torch.compile`", 5, [ciou("1,000", "clean formula, torch.compile")], ciou("1,000", "boxloss")),
        faster(large, "torchvision", 25, [ciou("1,000,000", "torchvision")], ciou("1,000,000", "boxloss")),
        within(large, "copying the bytes", 2.5, ciou("1,000,000", "boxloss"), ciou("1,000,000", "copy")),
        *(
            at_most(box_ns.format(name), "-", 12 if name == "ciou" else 8, "ns a box", ("kernel", "100,000", f"{name}, float32"), 1e-9, 100_000)
            for name in ("iou", "giou", "diou", "ciou")
        ),
        faster(pairs, "torchvision", 12, [("pairwise", square, "torchvision")], ("pairwise", square, "boxloss, PyTorch")),
        faster(
            pairs, "powerboxes", 6, [("pairwise", square, who) for who in ("powerboxes", "powerboxes, parallel")], ("pairwise", square, "boxloss, NumPy")
        ),
        within(pairs, "filling the matrix", 1.3, ("pairwise", square, "boxloss, NumPy"), ("pairwise", square, "fill, NumPy")),
        faster(
            both, "torchvision in chunks", 30,
            [("nearest", grid, f"torchvision in chunks of {size}") for size in ("100 MB", "2 MB")], ("nearest", grid, "boxloss, PyTorch"),
        ),
        peak(both, 100, ("nearest", grid, "boxloss, PyTorch")),
        faster(
            "GIoU loss of 1,000 matched boxes, forward + backward", "Transformers' diagonal", 500,
            [("diagonal", "1,000", "Transformers' diagonal")], ("diagonal", "1,000", "boxloss"),
        ),
        *_suppression(),
        faster(
            "weighted box fusion, 5 models x 2,000 boxes", "ensemble-boxes", 20,
            [("fusion", "5 x 2,000", "ensemble-boxes")], ("fusion", "5 x 2,000", "boxloss"),
        ),
        faster(max_iou, matcher, 15, [("assign", max_iou, on_matrix)], ("assign", max_iou, "boxloss, PyTorch")),
        leaner(max_iou, matcher, 50, ("assign", max_iou, on_matrix), ("assign", max_iou, "boxloss, PyTorch")),
        *(
            faster(case, "the paper's rule on the matrix of pairs", 5, [("assign", case, on_matrix)], ("assign", case, "boxloss, PyTorch"))
            for case in (f"{rule}, 8,400 x 300" for rule in ("ATSS", "SimOTA", "task-aligned"))
        ),
        faster(
            "k-means anchors, 1,000,000 boxes, k = 9", "scikit-learn KMeans", 2,
            [("kmeans", "1,000,000", "scikit-learn KMeans")], ("kmeans", "1,000,000", "boxloss, all boxes from the start"),
        ),
        peak("k-means anchors, 10,000,000 boxes, k = 9", 8192, ("kmeans", "10,000,000", "boxloss, ten starts")),
        *(
            at_most(f"the DIoU paper's simulation, 1,715,000 cases, {name}", "-", 6, "s", ("simulation", "1,715,000", f"boxloss, {name}"), 1)
            for name in ("iou", "giou", "diou", "ciou")
        ),
        peak("the DIoU paper's simulation, 1,715,000 cases, ciou", 1024, ("simulation", "1,715,000", "boxloss, ciou")),
        at_most("first call in a new process, cold cache", "-", 1.5, "s", ("first_call", "cold", "value, NumPy"), 1),
        at_most("first call in a new process, warm cache", "-", 0.15, "s", ("first_call", "warm", "value, NumPy"), 1),
        at_most("`import boxloss`", "NumPy alone", 50, "ms more", ("first_call", "import", "import boxloss"), 1e-3),
    ]  # fmt: skip


def _suppression() -> list[Figure]:
    def greedy(case: str, who: str = "boxloss, NumPy") -> Place:
        return ("nms", case, who)

    def work(case: str) -> str:
        return f"greedy suppression, {case} clutter"

    def soft(case: str) -> Figure:
        return faster(f"soft suppression, {case}", "ensemble-boxes", 5, [("soft_nms", case, "ensemble-boxes")], ("soft_nms", case, "boxloss, NumPy"))

    large = ("10,000 sparse", "100,000 sparse")
    of_torchvision = {"1,000 sparse": 4, "10,000 sparse": 50, "100,000 sparse": 500, "10,000 dense": 5}
    return [
        *(faster(work(case), "torchvision", least, [greedy(case, "torchvision")], greedy(case, "boxloss, PyTorch")) for case, least in of_torchvision.items()),
        *(faster(work(case), "powerboxes, R-tree", 5, [greedy(case, "powerboxes, R-tree")], greedy(case)) for case in large),
        *(faster(work(case), "lsnms", 8, [greedy(case, "lsnms")], greedy(case)) for case in large),
        *(within(work(case), "sorting the scores", 10, greedy(case), greedy(case, "sorting the scores")) for case in large),
        *(soft(f"10,000 {kind}, {decay}") for kind in ("sparse", "dense") for decay in ("linear", "gaussian")),
    ]


FIGURES = _all()


def rows(results: Results) -> list[tuple[Figure, Measured | None]]:
    return [(figure, figure.read(results)) for figure in FIGURES]
