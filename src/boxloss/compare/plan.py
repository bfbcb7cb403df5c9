"""What a comparison does, decided before the first trial and kept in `plan.json`, so that the same command goes on with the same run."""

import math
import shlex
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from boxloss.compare import files
from boxloss.compare.chosen import Choice, changed, choose, choose_all, formulas_of
from boxloss.compare.splits import median_size, splits_of
from boxloss.datasets import Dataset
from boxloss.detectors.assigning import find_assigner
from boxloss.errors import CompareError
from boxloss.evaluate.suppressed import THRESHOLD, check
from boxloss.words import plural

MODES = ("equal-gradient", "one")
STEP = 16  # pixels: a default image size is a multiple of this
LONG_SIDE = 192  # pixels: the default image size's longer side is at most this
LEAST_SIDE, MOST_SIDE = 32, 4096  # pixels; the detector's coarsest stride is 32
PACKAGES = ("boxloss", "torch", "numpy", "numba", "lightning", "faster-coco-eval", "pillow")  # those whose release can change a figure
FIGURES = (  # our own source that can change a figure
    *("ops.py", "boxes.py", "pair/*.py", "formulas/*.py", "losses/*.py", "anchors/*.py", "assign/*.py", "suppress/*.py", "evaluate/*.py", "datasets/*.py"),
    *("written.py", "from_file.py", "calculus/*.py", "kernels/*.py", "kernels/*/*.py"),
    *("detectors/*.py", "compare/chosen.py", "compare/splits.py", "compare/weights.py", "compare/workshop.py", "compare/fit.py"),
)
# What a run may choose now, and the choice that all runs had before there was one: records that lack it mean that.
DEFAULTS: dict[str, Any] = {"assigner": "centre_sampling", "nms": "greedy", "nms_threshold": THRESHOLD}
FIXED = ("epochs", "image_size", "batch_size", "weights", "train", "evaluate", "eval_every", *DEFAULTS)  # what a run cannot change half way
REPORT = ("report.html", "report.md", "results.csv", "results.json")  # what a run's report is written to
GROWING = ("losses", "seeds")  # what a run may get more of


@dataclass(frozen=True)
class Plan:
    """What is trained, on what, how long, and how it is judged. Every field counts: nothing else may change a figure.

    `evaluate` empty means: a fifth of the `train` split is held out (see `splits.share`), because the data set has no other split.

    Raises:
        CompareError, UnknownNameError, ParameterError: a field that makes no sense; the message names it.
    """

    data: str  # the path, or the data set's name, as the user gave it
    losses: tuple[str, ...]  # canonical spellings, see `chosen.Choice`
    seeds: tuple[int, ...]
    epochs: int
    image_size: tuple[int, int]  # (width, height) in pixels, to which every picture is resized
    batch_size: int
    weights: str  # "equal-gradient", "one", or the path of a JSON file {loss: weight}
    baseline: str
    train: str
    evaluate: tuple[str, ...]
    eval_every: int  # epochs between two evaluations; the last epoch is always evaluated
    assigner: str  # who learns from whom, see `detectors.assigning`
    nms: str  # the kind of suppression of detections, see `evaluate.suppressed`
    nms_threshold: float

    def __post_init__(self) -> None:
        _whole("epochs", self.epochs, 1)
        _whole("batch_size", self.batch_size, 1)
        _whole("eval_every", self.eval_every, 1)
        for side in self.image_size:
            _whole("image_size", side, LEAST_SIDE, MOST_SIDE)
        if not self.seeds:
            raise CompareError("seeds: none is given; give at least 1, better 3 or more: with fewer than 3 no verdict is possible")
        for seed in self.seeds:
            _whole("seeds", seed, 0, 2**31 - 1)
        if len(set(self.seeds)) < len(self.seeds):
            raise CompareError(f"seeds: {', '.join(map(str, self.seeds))} has one twice; a second trial with the same seed would repeat the first")
        if self.baseline not in self.losses:
            raise CompareError(f"baseline: {self.baseline} is not among the losses compared: {', '.join(self.losses)}")
        find_assigner(self.assigner)
        check([self.nms], self.nms_threshold)

    @property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(map(choose, self.losses))

    @property
    def trials(self) -> list[tuple[str, int]]:
        """(loss, seed) of every trial, seed by seed: a run that is stopped half way then has all losses at some seeds, not some losses at all seeds."""
        return [(loss, seed) for seed in self.seeds for loss in self.losses]

    def command(self, out: Path) -> str:
        """The shell command that runs this plan."""
        seeds = str(len(self.seeds)) if self.seeds == tuple(range(len(self.seeds))) else ",".join(map(str, self.seeds))
        words = ["boxloss", "compare", self.data, "--losses", ",".join(self.losses), "--seeds", seeds, "--epochs", str(self.epochs)]
        words += ["--image-size", "{}x{}".format(*self.image_size), "--batch-size", str(self.batch_size), "--weights", self.weights]
        words += ["--baseline", self.baseline, "--train", self.train, "--eval-every", str(self.eval_every)]
        words += ["--evaluate-on", ",".join(self.evaluate)] if self.evaluate else []
        words += ["--assigner", self.assigner, "--nms", self.nms, "--nms-threshold", str(self.nms_threshold)]
        return shlex.join([*words, "--out", str(out)])


def _whole(name: str, value: Any, least: int, most: float = math.inf) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        limit = f"at least {least}" if most == math.inf else f"{least} to {most}"
        raise CompareError(f"{name}: {value!r} is not a whole number of {limit}")


def make_plan(dataset: Dataset, **options: Any) -> Plan:
    """The plan of what `planned` takes for `options`, on a data set."""
    return planned(**options)(dataset)


def planned(
    *,
    data: str,
    losses: str | Iterable[str],
    seeds: int | Iterable[int] = 3,
    epochs: int = 25,
    image_size: tuple[int, int] | str | None = None,
    batch_size: int = 16,
    weights: str | Path = "equal-gradient",
    baseline: str | None = None,
    train: str | None = None,
    evaluate: Iterable[str] | None = None,
    eval_every: int | None = None,
    assigner: str = DEFAULTS["assigner"],
    nms: str = DEFAULTS["nms"],
    nms_threshold: float = THRESHOLD,
) -> Callable[[Dataset], Plan]:
    """What makes the plan, given the data set, from which it fills in what the user left open. All else is checked before: data may take long to read.

    Defaults: train on the split "train" and evaluate on all others together; the median picture's shape with a longer side of at most 192 px; the
    baseline is `iou` where it is compared, else the first loss; five evaluations over the training.

    Raises:
        CompareError, UnknownNameError, FormulaError: something asked for is not there, or makes no sense.
    """
    names = tuple(map(str, choose_all(losses)))
    if isinstance(seeds, int):
        _whole("seeds", seeds, 1)
        seeds = range(seeds)
    _whole("epochs", epochs, 1)
    size = _size(image_size) if image_size is not None else None
    asked = None if evaluate is None else tuple(evaluate)
    draft = Plan(
        data=data,
        losses=names,
        seeds=tuple(seeds),
        epochs=epochs,
        image_size=size or (LONG_SIDE, LONG_SIDE),
        batch_size=batch_size,
        weights=str(weights),
        baseline=str(choose(baseline)) if baseline else ("iou" if "iou" in names else names[0]),
        train=train or "",
        evaluate=asked or (),
        eval_every=eval_every if eval_every is not None else math.ceil(epochs / 5),
        assigner=assigner,
        nms=nms,
        nms_threshold=float(nms_threshold),
    )

    def on(dataset: Dataset) -> Plan:
        name, held = splits_of(dataset, train, asked)
        return replace(draft, train=name, evaluate=held, image_size=size or _default_size(dataset, name))

    return on


def _size(image_size: tuple[int, int] | str) -> tuple[int, int]:
    """Reads `192x144`, or passes (192, 144) on."""
    sides = image_size.lower().split("x") if isinstance(image_size, str) else image_size
    try:
        width, height = (int(side) for side in sides)
    except (ValueError, TypeError) as error:
        raise CompareError(f"image_size: {image_size!r} is not WIDTHxHEIGHT in pixels, for instance 192x144") from error
    return width, height


def _default_size(dataset: Dataset, train: str) -> tuple[int, int]:
    width, height = median_size(dataset.splits[train])
    scale = min(1.0, LONG_SIDE / max(width, height))

    def side(pixels: float) -> int:
        return max(LEAST_SIDE, round(pixels * scale / STEP) * STEP)

    return side(width), side(height)


# ---- plan.json


def versions() -> dict[str, str]:
    """The releases of what computes the figures, without importing any of it; of ours also the source's digest, for whoever edits it between two runs."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    found["boxloss"] += f" (source {_source()[:8]})"
    return found


def _source() -> str:
    """The digest of our own source, as far as a figure depends on it."""
    package = Path(__file__).parents[1]
    paths = [path for part in FIGURES for path in sorted(package.glob(part))]
    return files.digest(b"".join(path.relative_to(package).as_posix().encode() + path.read_bytes() for path in paths))


def describe(plan: Plan, dataset: Dataset, command: str) -> dict[str, Any]:
    """What `plan.json` holds: the plan, and what the data set was."""
    counts = {name: len(pictures) for name, pictures in dataset.splits.items()}
    record = {**asdict(plan), "dataset": dataset.name, "format": dataset.format, "classes": list(dataset.classes), "pictures": counts}
    record["formulas"] = formulas_of(plan.choices)
    record |= {"notes": list(dataset.notes), "fingerprint": dataset.fingerprint, "versions": versions(), "command": command}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in record.items()}


def previous(out: Path, record: dict[str, Any]) -> dict[str, Any] | None:
    """What `plan.json` holds from before, checked against what is asked for now; None where the folder is new.

    A run may go on with more losses, more seeds, another baseline, or the same data in another place or format. Anything else would put trials side
    by side that are not comparable. Fewer losses are refused too: the verdict is corrected for the number of losses, and dropping some after seeing
    them would undo that.

    Raises:
        CompareError: the folder holds a run of another plan, or something that is not a run; the message says what differs and what to do.
    """
    before = files.read_record(out / "plan.json") or _rebuilt(out)
    if before is None:
        _refuse_others(out)
        return None
    differences = list(_differences({**DEFAULTS, **before}, record))
    if differences:
        raise CompareError(f"{out} holds a run of another plan ({'; '.join(differences)}); ask for the same again, or choose another --out")
    return before


def _refuse_others(out: Path) -> None:
    """A folder without a run may hold anything but what a report's files would overwrite: `--out .` is fine."""
    others = [name for name in REPORT if (out / name).exists()]
    if others:
        raise CompareError(f"{out} holds {', '.join(others)}, and no run (plan.json is missing or damaged): move them away, or choose another --out")


def _rebuilt(out: Path) -> dict[str, Any] | None:
    """A damaged or missing plan.json, as far as it matters, from what the trials say of themselves."""
    configs = [config for path in sorted((out / "trials").glob("*/config.json")) if (config := files.read_record(path))]
    if not configs:
        return None
    grown: dict[str, Any] = {"losses": sorted({config["loss"] for config in configs}), "seeds": sorted({config["seed"] for config in configs})}
    grown["formulas"] = {config["loss"]: config["formula"] for config in configs if "formula" in config}
    config = {**DEFAULTS, **configs[0]}
    return {**{key: config[key] for key in (*FIXED, "fingerprint", "versions")}, **grown}


def _differences(before: dict[str, Any], now: dict[str, Any]) -> Iterable[str]:
    if before["fingerprint"] != now["fingerprint"]:
        yield f"the data set: it was {_count(before)}, now {_count(now)}"
    for key in FIXED:
        if before[key] != now[key]:
            yield f"{key}: it was {_show(before[key])}, now {_show(now[key])}"
    for key in GROWING:
        gone = [one for one in before[key] if one not in now[key]]
        if gone:
            yield f"{key}: it also has {_show(gone)}; a run can get more {key}, not fewer"
    own = before.get("formulas", {})  # a run from before files were taken has none
    yield from sorted({changed(loss) for loss in own if now["formulas"].get(loss, own[loss]) != own[loss]})


def keep(out: Path, record: dict[str, Any], before: dict[str, Any] | None, trials_left: bool) -> dict[str, Any]:
    """Writes `plan.json`, and gives what it holds.

    Trials computed by different releases are not the same to the digit, and pairing them would be wrong: while there are trials left, the releases
    must be those that the run was begun with. A run that is finished keeps the releases that computed it.

    Raises:
        CompareError: names the releases that changed.
    """
    if before is not None:
        then, now = before["versions"], record["versions"]
        changed = [f"{package} was {then.get(package, 'absent')}, now {now[package]}" for package in now if then.get(package) != now[package]]
        if changed and trials_left:
            raise CompareError(f"{out} was begun with other releases ({'; '.join(changed)}); install those again, or choose another --out")
        record = {**record, "versions": then}
    if before != record:
        files.write_record(out / "plan.json", record)
    return record


def _count(record: dict[str, Any]) -> str:
    pictures = plural(sum(record["pictures"].values()), "picture") if "pictures" in record else "? pictures"
    return f"{record.get('dataset', '?')} with {pictures}, fingerprint {record['fingerprint'][:8]}"


def _show(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
