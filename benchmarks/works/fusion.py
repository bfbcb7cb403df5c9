"""What several detectors say, fused into one list: an ensemble's last step."""

import warnings
from typing import Any

import numpy as np

from benchmarks import boxes
from benchmarks.clock import Call
from benchmarks.contest import Case, Contender, Contest, Seen

Inputs = tuple[list[boxes.Boxes], list[boxes.Boxes], list[boxes.Boxes]]
N_MODELS = 5
BY_CLASS = ", 80 classes"


def inputs(case: Case) -> Inputs:
    """Each model's boxes (n, 4) around the same objects, a share of the picture's longer side; scores; and labels."""
    random = boxes.rng(7)
    objects = boxes.objects(max(case.n // 7, 1)).astype(np.float64)
    classes = random.integers(0, 80 if case.name.endswith(BY_CLASS) else 1, len(objects))
    found: Inputs = ([], [], [])
    for _ in range(N_MODELS):
        of = random.integers(0, len(objects), case.n)
        size = objects[of, 2:] - objects[of, :2]
        centre = objects[of, :2] + size / 2 + random.normal(0, 0.1, (case.n, 2)) * size
        half = size / 2 * np.exp(random.normal(0, 0.15, (case.n, 2)))
        corners = np.clip(np.concatenate([centre - half, centre + half], axis=-1), 0, [640, 480, 640, 480]) / 640
        seen = (corners[:, 2:] > corners[:, :2]).all(1)  # the others are outside the picture
        for one, part in zip(found, (corners, random.uniform(0.01, 1, case.n), classes[of]), strict=True):
            one.append(part[seen])
    return found


def ours(x: Inputs) -> Call:
    from boxloss.suppress import weighted_box_fusion

    return lambda: weighted_box_fusion(*x)


def ensemble_boxes(name: str) -> Any:
    def prepare(x: Inputs) -> Call:
        import ensemble_boxes

        warnings.filterwarnings("ignore", module="ensemble_boxes")
        fuse = getattr(ensemble_boxes, name)
        return lambda: fuse(*x, iou_thr=0.55)

    return prepare


def see(result: Any, x: Inputs) -> Seen:
    """The scores, best first, and each coordinate's sum: where two scores are equal, the boxes may come in either order."""
    fused, scores, _ = result
    return np.asarray(scores), np.asarray(fused).sum(axis=0)


def no_fusion() -> str:
    import boxloss.suppress

    return "" if hasattr(boxloss.suppress, "weighted_box_fusion") else "this boxloss has no `weighted_box_fusion`"


WORK = Contest(
    name="fusion",
    title="Weighted box fusion",
    story=f"{N_MODELS} models with N boxes each around the same N / 7 objects in a picture of 640 x 480, float64: `bl.suppress.weighted_box_fusion` "
    "and ensemble-boxes' `weighted_boxes_fusion`, both at a threshold of 0.55. ensemble-boxes' `weighted_boxes_fusion_experimental` clusters around the "
    "best box instead of the running mean, so that its result is another one and is not compared; its matrices of all pairs do not fit larger sizes.",
    cases=(Case("5 x 200", 200), Case("5 x 2,000", 2000), Case(f"5 x 2,000{BY_CLASS}", 2000)),
    quick_cases=(Case("5 x 50", 50),),
    inputs=inputs,
    contenders=(
        Contender("boxloss", ours, see, hinders=no_fusion),
        Contender("ensemble-boxes", ensemble_boxes("weighted_boxes_fusion"), see, needs=("ensemble_boxes",)),
        Contender("ensemble-boxes, experimental", ensemble_boxes("weighted_boxes_fusion_experimental"), needs=("ensemble_boxes",), until=200),
    ),
    memory_from=2000,
)
