"""Speed on a GPU: `python -m benchmarks.gpu [--out FOLDER]` prints a page in Markdown; in the folder it leaves gpu.md and gpu.json.

`--tune` times the kernels' sizes instead (pairs and warps of a program, and so on), and prints a line for each: what stands in the sources is to be the best.

- CIoU, mean, forward and backward, for 1e3 to 1e7 pairs of float32, beside torchvision (where it is installed), the plain formula eagerly, and
  the plain formula under torch.compile; and how long a device copy of the bytes takes that cannot but be moved
- what the parts of that take, and what the text for all pairs takes alone, without the short one for tame pairs
- the matrix of 10,000 by 10,000 boxes, and the best of 2,000 boxes for each of 1,000,000

Times are CUDA events' around several calls in a row, after a warm-up, the contenders in turn: the median and the quartiles. Before anything is timed,
results are compared with the formula's in float64. The whole takes less than eight minutes; what `--minutes` leaves no time for is left out, and said so.
Without a GPU it says so in one line, and the exit code is 2.
"""

import argparse
import datetime
import importlib
import importlib.metadata
import importlib.util
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Call = Callable[[], object]

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
MATRIX = (10_000, 10_000)
NEAREST = (1_000_000, 2_000)
CHUNK = 50_000
"""Rows of the matrix at a time where a contender needs one to find the best: 400 MB."""
SAMPLE_MS = 2.0
LEAST, MOST = 7, 201
"""Samples of a contender, as far as its seconds reach."""


@dataclass(frozen=True)
class Timing:
    median_ms: float
    low_ms: float
    high_ms: float
    n_samples: int
    n_calls: int


@dataclass
class Table:
    title: str
    what: str
    columns: tuple[str, ...]
    """The contenders."""
    rows: dict[str, dict[str, Timing | str]] = field(default_factory=dict)
    """Size -> contender -> its time, or why there is none."""
    notes: list[str] = field(default_factory=list)


class Clock:
    """Times calls, contenders in turn, until it is time to end."""

    def __init__(self, minutes: float, seconds: float):
        self.end, self.seconds = time.monotonic() + 60 * minutes, seconds

    def race(self, makers: dict[str, Callable[[], Call]]) -> dict[str, Timing | str]:
        """Each contender's time, or why there is none: makers prepare a call, and may find that they cannot."""
        found: dict[str, Timing | str] = {}
        calls: dict[str, tuple[Call, int, int]] = {}
        for name, make in makers.items():
            if time.monotonic() > self.end:
                found[name] = "no time left"
                continue
            try:
                call = make()
                once = self._warmed(call)
                n_calls = max(1, round(SAMPLE_MS / once))
                calls[name] = call, n_calls, min(MOST, max(LEAST, round(1000 * self.seconds / (n_calls * once))))
            except Exception as error:  # out of memory, no compiler: the others are measured all the same
                found[name] = reason(error)
        samples: dict[str, list[float]] = {name: [] for name in calls}
        for k in range(max((wanted for *_, wanted in calls.values()), default=0)):
            for name, (call, n_calls, wanted) in calls.items():
                if name not in found and k < wanted and (k < LEAST or time.monotonic() < self.end):
                    try:
                        samples[name].append(sample(call, n_calls))
                    except Exception as error:
                        found[name] = reason(error)
        for name, times in samples.items():
            if name in found:
                continue
            low, median, high = statistics.quantiles(times, n=4)
            found[name] = Timing(median, low, high, len(times), calls[name][1])
        return {name: found[name] for name in makers}

    def _warmed(self, call: Call) -> float:
        """Milliseconds of a call, once everything is compiled and the clocks are up."""
        for _ in range(3):
            sample(call, 1)
        times: list[float] = []
        start = time.monotonic()
        while len(times) < 3 or (time.monotonic() - start < 0.1 and len(times) < 1000):
            times.append(sample(call, 1))
        return max(min(times), 1e-4)


def sample(call: Call, n_calls: int) -> float:
    """Milliseconds of one of `n_calls` in a row."""
    import torch

    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    torch.cuda.synchronize()
    start.record()
    for _ in range(n_calls):
        call()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / n_calls


def reason(error: Exception) -> str:
    if "out of memory" in str(error):
        import torch

        torch.cuda.empty_cache()
        return "out of memory"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:80]}"


# ---- contenders


def boxes(n: int, seed: int, device: str) -> Any:
    """Of all sides between 4 and 400 pixels, in a picture of 640."""
    import torch

    generator = torch.Generator(device).manual_seed(seed)
    corner, size = (torch.rand((n, 2), generator=generator, device=device) for _ in range(2))
    corner, size = 640 * corner, 4 * 100**size
    return torch.cat([corner, corner + size], 1)


def pairs(n: int, device: str) -> tuple[Any, Any]:
    """Half of them near one another, the others anywhere."""
    a = boxes(n, 0, device)
    b = boxes(n, 1, device)
    b[::2] = a[::2] + 0.05 * (b[::2] - a[::2])
    return a, b


def plainly(call: Callable[..., Any]) -> Callable[..., Any]:
    """The formula on tensors, without a kernel of ours."""
    from boxloss.kernels.switch import plain

    def plain_call(*args: Any, **how: Any) -> Any:
        with plain():
            return call(*args, **how)

    return plain_call


def torchvision_ops() -> Any:
    return importlib.import_module("torchvision.ops") if importlib.util.find_spec("torchvision") else None


def step(loss: Callable[..., Any], pred: Any, target: Any) -> Call:
    def forward_and_backward() -> None:
        pred.grad = None
        loss(pred, target).backward()

    return forward_and_backward


def in_a_graph(call: Call) -> Call:
    """`call`, recorded as a CUDA graph: without what Python and the launches cost."""
    import torch

    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    replay: Call = graph.replay
    return replay


def loss_makers(contenders: dict[str, Callable[..., Any]], n: int, device: str) -> dict[str, Callable[[], Call]]:
    import torch

    a, target = pairs(n, device)
    pred = a.requires_grad_()
    # Two rows are read and one is written: 48 bytes. A copy of 24 reads and writes as much.
    source, copied = (torch.empty(24 * n, dtype=torch.uint8, device=device) for _ in range(2))

    def maker(loss: Callable[..., Any]) -> Callable[[], Call]:
        return lambda: step(loss, pred, target)

    ours, *others = contenders
    return {
        ours: maker(contenders[ours]),
        f"{ours}, CUDA graph": lambda: in_a_graph(step(contenders[ours], pred, target)),
        **{name: maker(contenders[name]) for name in others},
        "copy": lambda: lambda: copied.copy_(source),
    }


def losses(clock: Clock, device: str, sizes: tuple[int, ...] = SIZES) -> Table:
    import torch

    import boxloss as bl

    peer = torchvision_ops()
    compiled = torch.compile(lambda pred, target: bl.ciou_loss(pred, target), dynamic=True)
    contenders: dict[str, Callable[..., Any]] = {"boxloss": bl.ciou_loss}
    if peer is not None:
        contenders["torchvision"] = lambda pred, target: peer.complete_box_iou_loss(pred, target, reduction="mean")
    contenders |= {"formula, eager": plainly(bl.ciou_loss), "formula, torch.compile": compiled}
    table = Table(
        "CIoU loss, mean, forward and backward",
        "pairs of float32 boxes; the gradient along the prediction. Milliseconds a call.",
        ("boxloss", "boxloss, CUDA graph", *list(contenders)[1:], "copy"),
    )
    for n in sizes:
        row = table.rows[f"{n:,}"] = clock.race(loss_makers(contenders, n, device))
        copy, ours = row["copy"], row["boxloss, CUDA graph"]
        if isinstance(copy, Timing) and isinstance(ours, Timing):
            rates = [48 * n / timing.median_ms / 1e6 for timing in (ours, copy)]
            table.notes.append(
                f"{n:,} pairs, CUDA graph: {rates[0]:,.0f} GB/s of the bytes that must be moved; a copy: {rates[1]:,.0f} GB/s; {rates[0] / rates[1]:.0%} of it."
            )
    table.notes.append("The copy moves 48 bytes a pair: two boxes read, one gradient written. Up to some 500,000 pairs all of it stays in an H100's cache.")
    return table


def parts(clock: Clock, device: str, n: int = SIZES[-1]) -> Table:
    """What the largest loss is made of, each part in a graph of its own."""
    import torch

    import boxloss as bl
    from boxloss.kernels import gpu

    a, b = pairs(n, device)
    ciou, one, half = bl.catalogue()["ciou"], torch.ones((), device=device), torch.full((), 0.5, device=device)
    common, _ = pairs(n, device)
    touched = common.clone()
    touched[::1000, 2] = touched[::1000, 0]  # an edge without length

    def fused(pred: Any = a, wrt: str = "a", reduction: str = "mean") -> Call:
        return lambda: gpu.value_and_gradient(ciou, {}, pred, b, wrt=wrt, reduction=reduction, scale=1 / n)

    with_factor = torch.empty_like(a)
    makers: dict[str, Callable[[], Call]] = {
        "value and gradient": lambda: in_a_graph(fused()),
        "both gradients": lambda: in_a_graph(fused(wrt="ab")),
        "value alone": lambda: in_a_graph(fused(wrt="")),
        "values": lambda: in_a_graph(fused(wrt="", reduction="none")),
        "a pair in 1,000 not tame": lambda: in_a_graph(fused(touched)),
        "no short text": lambda: without_short(lambda: in_a_graph(fused())),
        "multiply by 1": lambda: in_a_graph(lambda: gpu.multiply(with_factor, one)),
        "multiply by 0.5": lambda: in_a_graph(lambda: gpu.multiply(with_factor, half)),
    }
    table = Table("The parts of it", f"{n:,} pairs, each part in a CUDA graph of its own. Milliseconds.", tuple(makers))
    table.rows["ciou"] = clock.race(makers)
    return table


def without_short(make: Callable[[], Call]) -> Call:
    """A call recorded with the text for all pairs alone."""
    from boxloss.kernels.gpu import launch

    made, launch.short = launch.short, lambda *_, **__: None
    launch._kernel_of.cache_clear()
    try:
        return make()
    finally:
        launch.short = made
        launch._kernel_of.cache_clear()


def tuned(clock: Clock, device: str) -> list[Table]:
    """The kernels' sizes, beside others."""
    import torch

    import boxloss as bl
    from boxloss.kernels import gpu
    from boxloss.kernels.gpu import best, elementwise, matrix

    n = SIZES[-1]
    a, b = pairs(n, device)
    catalogue = bl.catalogue()
    some, many, few = boxes(MATRIX[0], 0, device), boxes(NEAREST[0], 0, device), boxes(NEAREST[1], 1, device)

    def set_to(module: Any, call: Call, graph: bool = True, **sizes: int) -> Callable[[], Call]:
        def make() -> Call:
            before = {name: getattr(module, name) for name in sizes}

            def with_sizes() -> object:
                for name, size in sizes.items():
                    setattr(module, name, size)
                try:
                    return call()
                finally:
                    for name, size in before.items():
                        setattr(module, name, size)

            return in_a_graph(with_sizes) if graph else with_sizes

        return make

    def told(**sizes: int) -> str:
        return ", ".join(f"{name} {size}" for name, size in sizes.items())

    def loss() -> object:
        return gpu.value_and_gradient(catalogue["ciou"], {}, a, b, wrt="a", reduction="mean", scale=1 / n)

    pair_by_pair = [
        {"BLOCK": 32 * warps * each, "WARPS": warps, "MOST_BLOCKS": blocks, "AHEAD": ahead}
        for ahead, warps, each, blocks in (
            *((True, 1, 1, blocks) for blocks in (16, 4, 8, 32)),
            *((False, 1, 1, blocks) for blocks in (4, 8, 16)),
            (True, 1, 2, 8),
            (False, 1, 2, 8),
            (False, 2, 1, 8),
            (False, 4, 1, 4),
            (True, 4, 1, 4),
            (False, 8, 1, 2),
        )
    ]
    across = [{"TILE": tile, "TILES": tiles} for tile, tiles in ((128, 8), (64, 8), (256, 8), (128, 4), (128, 32))]
    searched = [{"TILE": tile} for tile in (128, 64, 256)]
    programs = [{"PROGRAMS_ONE_WAY": count} for count in (4096, 16384, 32768)]
    both_ways = [{"PROGRAMS": count} for count in (2048, 1024, 4096)]
    asked: list[tuple[str, dict[str, Callable[[], Call]]]] = [
        (f"CIoU, mean and gradient, {n:,} pairs", {told(**sizes): set_to(elementwise, loss, **sizes) for sizes in pair_by_pair}),
        *(
            (f"pairwise {name}", {told(**sizes): set_to(matrix, lambda name=name: gpu.pairwise(catalogue[name], {}, some, some), **sizes) for sizes in across})
            for name in ("iou", "ciou")
        ),
        (
            "nearest by IoU",
            {
                **{told(**sizes): set_to(matrix, lambda: gpu.nearest(catalogue["iou"], {}, many, few), graph=False, **sizes) for sizes in searched},
                **{told(**sizes): set_to(best, lambda: gpu.nearest(catalogue["iou"], {}, many, few), graph=False, **sizes) for sizes in programs},
            },
        ),
        ("both ways", {told(**sizes): set_to(best, lambda: gpu.nearest_both(catalogue["iou"], {}, many, few), graph=False, **sizes) for sizes in both_ways}),
    ]
    tables = []
    for title, makers in asked:
        torch.cuda.empty_cache()
        found = clock.race(makers)
        tables.append(Table(title, "Milliseconds; the first is what the sources have.", ("time",), {what: {"time": timing} for what, timing in found.items()}))
    return tables


def matrices(clock: Clock, device: str, size: tuple[int, int] = MATRIX) -> Table:
    import torch

    import boxloss as bl
    from boxloss.kernels import gpu

    n, m = size
    peer = torchvision_ops()
    a, b = boxes(n, 0, device), boxes(m, 1, device)
    table = Table(
        "Every box with every box",
        f"{n:,} by {m:,} boxes of float32, their similarity. Milliseconds a call.",
        ("boxloss", *(("torchvision",) if peer else ()), "formula, eager", "fill"),
    )
    filled = torch.empty((n, m), device=device)
    peers = {"iou": "box_iou", "giou": "generalized_box_iou", "ciou": "complete_box_iou"}
    for name, theirs in peers.items():
        formula = bl.catalogue()[name]
        makers: dict[str, Callable[[], Call]] = {
            "boxloss": lambda formula=formula: lambda: gpu.pairwise(formula, {}, a, b),  # type: ignore[misc]
            "torchvision": lambda theirs=theirs: lambda: getattr(peer, theirs)(a, b),  # type: ignore[misc]
            "formula, eager": lambda name=name: lambda: plainly(bl.pairwise)(name, a, b),  # type: ignore[misc]
            "fill": lambda: lambda: filled.fill_(0.5),
        }
        table.rows[name] = clock.race({contender: makers[contender] for contender in table.columns})
    table.notes.append("Fill: as many numbers written and none computed.")
    return table


def bests(clock: Clock, device: str, size: tuple[int, int] = NEAREST, chunk: int = CHUNK) -> Table:
    import torch

    import boxloss as bl
    from boxloss.kernels import gpu

    n, m = size
    peer = torchvision_ops()
    a, b = boxes(n, 0, device), boxes(m, 1, device)
    iou = bl.catalogue()["iou"]

    def by_matrix(pairwise: Callable[..., Any]) -> Call:
        def in_chunks() -> Any:
            found = [pairwise(part, b).max(1) for part in a.split(chunk)]
            return torch.cat([values for values, _ in found]), torch.cat([indices for _, indices in found])

        return in_chunks

    makers: dict[str, Callable[[], Call]] = {
        "boxloss": lambda: lambda: gpu.nearest(iou, {}, a, b),
        "boxloss, both ways": lambda: lambda: gpu.nearest_both(iou, {}, a, b),
        "matrix by boxloss": lambda: by_matrix(lambda x, y: gpu.pairwise(iou, {}, x, y)),
    }
    if peer:
        makers["matrix by torchvision"] = lambda: by_matrix(peer.box_iou)
    makers["matrix by formula, eager"] = lambda: by_matrix(lambda x, y: plainly(bl.pairwise)("iou", x, y))
    table = Table("The best of many, by IoU", f"the best of {m:,} boxes for each of {n:,}. Milliseconds a call.", tuple(makers))
    row = clock.race(makers)
    table.rows["iou"] = row
    if isinstance(row["boxloss"], Timing):
        table.notes.append(f"boxloss: {n * m / row['boxloss'].median_ms / 1e6:,.0f} thousand million pairs a second, and no matrix.")
    table.notes.append(f"A matrix is made of {chunk:,} rows at a time; torch's max takes any of equal ones, boxloss the first.")
    return table


def check(device: str, n: int = 10_000) -> dict[str, float]:
    """How far results are from the formula's in float64: the largest difference, in float32's roundoffs of the value or of the row's largest slope."""
    import torch

    import boxloss as bl

    pred, target = pairs(n, device)
    found = []
    for x, y, loss in ((pred, target, bl.ciou_loss), (pred.cpu().double(), target.cpu().double(), plainly(bl.ciou_loss))):
        given = x.detach().requires_grad_()
        value = loss(given, y, reduction="none")
        value.sum().backward()
        found.append((value.detach().double().cpu(), given.grad.double().cpu()))
    (value, slopes), (right, right_slopes) = found
    off = {
        "value": float(((value - right).abs() / right.abs()).max()) * 2**24,
        "gradient": float(((slopes - right_slopes).abs() / right_slopes.abs().amax(1, keepdim=True)).max()) * 2**24,
    }
    if not torch.isfinite(torch.tensor(list(off.values()))).all() or off["value"] > 8:
        raise SystemExit(f"benchmarks.gpu: wrong results are not timed: {off}")
    return off


# ---- what is told


def described() -> dict[str, Any]:
    import torch

    properties = torch.cuda.get_device_properties(0)
    packages = ("torch", "triton", "torchvision", "numpy")
    versions = {name: importlib.metadata.version(name) for name in packages if importlib.util.find_spec(name)}
    return {
        "gpu": properties.name,
        "memory_gib": round(properties.total_memory / 2**30, 1),
        "capability": f"{properties.major}.{properties.minor}",
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
        **versions,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def page(machine: dict[str, Any], off: dict[str, float], tables: list[Table]) -> str:
    lines = ["# On a GPU", "", ", ".join(f"{name} {value}" for name, value in machine.items()) + ".", ""]
    accuracy = ", ".join(f"{what} {roundoffs:.3g}" for what, roundoffs in off.items())
    lines += [f"Before timing, CIoU beside the formula in float64, off by at most, in roundoffs of float32: {accuracy}.", ""]
    lines += ["Medians, with the quartiles in brackets.", ""]
    for table in tables:
        lines += [f"## {table.title}", "", table.what, "", f"| | {' | '.join(table.columns)} |", f"|---|{'---|' * len(table.columns)}"]
        lines += [f"| {size} | {' | '.join(cell(row[name]) for name in table.columns)} |" for size, row in table.rows.items()]
        lines += ["", *(f"- {note}" for note in table.notes), ""]
    return "\n".join(lines)


def cell(found: Timing | str) -> str:
    if isinstance(found, str):
        return found.replace("|", "/")
    return f"{found.median_ms:.3g} ({found.low_ms:.3g} to {found.high_ms:.3g})"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=str(__doc__), formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="a folder for gpu.md and gpu.json")
    parser.add_argument("--tune", action="store_true", help="time the kernels' sizes instead")
    parser.add_argument("--minutes", type=float, default=6.0, help="after which nothing new is begun (default: 6)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of samples for each contender and size (default: 1)")
    given = parser.parse_args(arguments)
    if importlib.util.find_spec("torch") is None:
        print("benchmarks.gpu: PyTorch is not installed here", file=sys.stderr)
        return 2
    import torch

    if not torch.cuda.is_available():
        print("benchmarks.gpu: there is no GPU here: torch.cuda.is_available() is false", file=sys.stderr)
        return 2
    clock = Clock(given.minutes, given.seconds)
    machine, off = described(), check("cuda")
    if given.tune:
        print(page(machine, off, tuned(clock, "cuda")))
        return 0
    tables = []
    for measure in (losses, parts, matrices, bests):
        tables.append(measure(clock, "cuda"))
        torch.cuda.empty_cache()
        if given.out is not None:  # after each table: a run that is cut off leaves what it had
            given.out.mkdir(parents=True, exist_ok=True)
            (given.out / "gpu.json").write_text(
                json.dumps({"machine": machine, "roundoffs": off, "tables": [asdict(table) for table in tables]}, indent=1) + "\n"
            )
            (given.out / "gpu.md").write_text(page(machine, off, tables) + "\n")
    print(page(machine, off, tables))
    return 0


if __name__ == "__main__":
    sys.exit(main())
