"""A comparison from end to end: plan, weights, trials, report. The main job of the package."""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxloss.compare import files, weights
from boxloss.compare.engine import Engine, cores
from boxloss.compare.events import Failed, Key, Prepare
from boxloss.compare.plan import DEFAULTS, Plan, describe, keep, planned, previous
from boxloss.compare.results import Results, read
from boxloss.compare.tally import DONE, Row, Tally
from boxloss.compare.trial import config_of, finished, folder_of
from boxloss.datasets import Dataset, load
from boxloss.errors import CompareError, MissingExtraError
from boxloss.places import check_folder
from boxloss.words import plural

if TYPE_CHECKING:
    from boxloss.compare.progress import Display

PACKAGES = {
    "torch": "torch",
    "lightning": "lightning",
    "faster_coco_eval": "faster-coco-eval",
    "PIL": "Pillow",
    "scipy": "scipy",
    "matplotlib": "matplotlib",
    "rich": "rich",
}
LOSSES = ("smooth_l1", "iou", "giou", "diou", "ciou")


class Interrupted(KeyboardInterrupt):
    """Ctrl-C: workers are stopped, nothing is lost but the running epochs. The message says how to go on. A program ends with exit code 130 on it."""


class TrialsFailed(CompareError):
    """Some trials ended in an error; the others are finished, and reported where every seed of a loss is. A program ends with exit code 1 on it.

    failed: what failed, each with its key (loss, seed), its message, and the path of its log.
    """

    def __init__(self, message: str, failed: Sequence[Failed]) -> None:
        super().__init__(message)
        self.failed = list(failed)


def compare(
    data: str | Path | Dataset,
    losses: str | Iterable[str] = LOSSES,
    *,
    out: str | Path,
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
    nms_threshold: float = DEFAULTS["nms_threshold"],
    jobs: int | None = None,
    quiet: bool = False,
    command: str | None = None,
) -> Results:
    """Trains the small detector with each loss over several seeds, and reports which loss the data need, or that there is no difference.

    data: a path (VOC, COCO or YOLO), "embedded", or a `Dataset`. losses: names, or FILE.py:NAME, with parameters like "smooth_l1:beta=0.5".
    out: the run's folder.
    seeds: how many, or which. image_size: (width, height), or "192x144", to which pictures are resized. weights: "equal-gradient", "one", or a JSON
    file {loss: weight} (see `boxloss.compare.weights`). baseline: the loss that the others are compared with. train, evaluate: splits.
    assigner: the rule that decides who learns from whom. nms, nms_threshold: the kind of suppression of detections, and the overlap beyond which it acts.
    jobs: trials side by side, by default one a core.
    command: how the user spelled all this, for the report. What is left open is filled in by `boxloss.compare.plan.planned`.

    Trials with the same seed start from the same weights and see the same pictures in the same order, whatever the loss. Stopped anywhere, even by
    kill -9, the same call goes on, to the same figures to the digit; a finished trial is never run again. Asked for more losses or seeds in the same
    folder, it runs those that are missing.

    Writes report.html, report.md, results.csv and results.json into `out`.

    Raises:
        MissingExtraError: a package is not installed.
        BoxLossError: the data, a name or a setting is wrong, or `out` holds another run, or one at work. Nothing was trained.
        TrialsFailed: some trials failed, after all others were finished.
        Interrupted: Ctrl-C.
    """
    _need_packages()
    from boxloss.compare.progress import display_for

    out = Path(out)
    if jobs is not None and jobs < 1:
        raise CompareError(f"jobs: {jobs} trials side by side is not possible; give at least 1")
    check_folder(out)
    if not isinstance(data, Dataset) and Path(data).resolve() == out.resolve():
        raise CompareError(f"{out} is the data's own folder, and no place for a run; choose another --out")
    name = data.name if isinstance(data, Dataset) else str(data)
    options: dict[str, Any] = {"epochs": epochs, "image_size": image_size, "batch_size": batch_size, "weights": weights, "baseline": baseline}
    options |= {"train": train, "evaluate": evaluate, "eval_every": eval_every, "assigner": assigner, "nms": nms, "nms_threshold": nms_threshold}
    plan_on = planned(data=name, losses=losses, seeds=seeds, **options)
    dataset = data if isinstance(data, Dataset) else load(data)
    plan = plan_on(dataset)
    try:
        with files.locked(out) as lock:
            failed = Run(plan, dataset, out, jobs or cores(), lock, display_for(quiet)).trials(command)
            results = read(out)
            if results.trials:
                _report(results, dataset, out)
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; finished trials and epochs are kept, and the same command goes on: {command or plan.command(out)}") from None
    if failed:
        raise TrialsFailed(_blame(failed, len(plan.trials), out), failed)
    return results


def _need_packages() -> None:
    """Said here, and not by every worker: imports nothing."""
    for module, package in PACKAGES.items():
        if find_spec(module) is None:
            raise MissingExtraError(package, "compare", "a comparison")


def _report(results: Results, dataset: Dataset, out: Path) -> None:
    from boxloss.compare import report  # Matplotlib: not needed until there is something to report

    report.write(results, dataset, out)


def _blame(failed: Sequence[Failed], n_trials: int, out: Path) -> str:
    """What failed, on one line."""
    first = failed[0]
    name = f"{first.key[0]} seed {first.key[1]}" if first.key else "preparation"
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return f"{len(failed)} of {plural(n_trials, 'trial')} failed: {name}: {first.message} (see {first.log}){more}; the same command tries them again"


class Run:
    """Brings a run's folder to the end of its plan."""

    def __init__(self, plan: Plan, dataset: Dataset, out: Path, jobs: int, lock: int, display: "Display") -> None:
        self.plan, self.dataset, self.out = plan, dataset, out
        self.jobs, self.lock, self.display = jobs, lock, display
        self.record: dict[str, Any] = {}

    def trials(self, command: str | None) -> list[Failed]:
        """Runs every trial that is not finished yet; gives those that failed."""
        now = describe(self.plan, self.dataset, command or self.plan.command(self.out))
        before = previous(self.out, now)
        self.record = now if before is None else {**now, "versions": before["versions"]}
        weighed = weights.known(self.plan, self.out)
        done = self.finished(weighed)
        trials_left = len(done) < len(self.plan.trials)
        self.record = keep(self.out, now, before, trials_left)
        if not trials_left:
            return []
        tally = Tally(self.plan.epochs, {key: Row(key) for key in self.plan.trials})
        tally.add_finished(done)
        self.display.start(tally)
        try:
            return self.train(weighed, tally)
        finally:
            self.display.stop()

    def finished(self, weighed: dict[str, float]) -> dict[Key, dict[str, Any]]:
        """The results of the trials that are finished, with the weights that hold now."""
        found = {}
        for loss, seed in self.plan.trials:
            if loss in weighed:
                result = finished(folder_of(self.out, loss, seed), config_of(self.record, loss, seed, weighed[loss]))
                if result is not None:
                    found[loss, seed] = result
        return found

    def train(self, weighed: dict[str, float], tally: Tally) -> list[Failed]:
        prepare = Prepare(self.plan, self.dataset, self.out, self.record)
        n_left = len(tally.rows) - tally.count(DONE)
        with Engine(prepare, min(self.jobs, n_left), self.lock, self.display.event, self.display.tick) as engine:
            unknown = [loss for loss in self.plan.losses if loss not in weighed]
            if unknown:
                tally.stage = "measuring the weights of the losses"
                gradients = engine.weigh(unknown)
                weighed = weights.add_measured(self.plan, self.out, gradients)
                tally.add_finished(self.finished(weighed))  # where weights.json was lost, and is now as it was
            tally.stage = "starting the trials"
            return engine.run([(key, weighed[key[0]]) for key, row in tally.rows.items() if row.state != DONE])
