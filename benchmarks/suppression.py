"""`python -m benchmarks.suppression`: what each kind of suppression does to AP on the detections in `../shared`: docs/suppression.md's tables and picture."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benchmarks.peers import ROOT
from boxloss import suppress
from boxloss.draw.colours import FAINT, INK, look
from boxloss.draw.style import new_figure, save, styled
from boxloss.evaluate import evaluate

DATA = ROOT.parent / "shared" / "data" / "detections"
PICTURE = ROOT / "docs" / "suppression.png"
DETECTORS = {"centernet": "CenterNet", "yolov3_tiny": "YOLOv3-tiny"}

Found = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Boxes (n, 4), scores and labels of one picture."""
Kind = Callable[..., object]


def dropping(kind: Kind, **options: object) -> Callable[..., Found]:
    def found(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray) -> Found:
        rows = kind(boxes, scores, labels, **options)
        return boxes[rows], scores[rows], labels[rows]

    return found


def decaying(kind: Kind, **options: object) -> Callable[..., Found]:
    def found(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray) -> Found:
        rows, lowered = kind(boxes, scores, labels, **options)  # type: ignore[misc]
        return boxes[rows], lowered, labels[rows]

    return found


KINDS: dict[str, Callable[..., Found]] = {
    "none": lambda *found: found,  # type: ignore[dict-item]
    "greedy = cluster": dropping(suppress.cluster_nms),
    "fast": dropping(suppress.fast_nms),
    "matrix, linear": decaying(suppress.matrix_nms, decay="linear", min_score=0),
    "matrix, gaussian": decaying(suppress.matrix_nms, min_score=0),
    "cluster SPM": decaying(suppress.cluster_spm_nms, min_score=0),
    "cluster SPM, distance": decaying(suppress.cluster_spm_nms, beta=0.6, min_score=0),
    "weighted": suppress.weighted_nms,  # type: ignore[dict-item]
    "cluster weighted": suppress.cluster_weighted_nms,  # type: ignore[dict-item]
}


def detections(detector: str) -> dict[int, Found]:
    """By picture."""
    records: dict[int, list[dict]] = {}
    for one in json.loads((DATA / f"{detector}.json").read_text()):
        records.setdefault(one["image_id"], []).append(one)
    found = {}
    for image, of in records.items():
        xywh = np.array([one["bbox"] for one in of])
        scores, labels = np.array([one["score"] for one in of]), np.array([one["category_id"] for one in of])
        found[image] = np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]), scores, labels
    return found


def figures(found: dict[int, Found]) -> str:
    """Boxes, AP, AP50 and AP75 as cells of a row."""
    records = []
    for image, (boxes, scores, labels) in found.items():
        sides = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]).tolist()
        rows = zip(sides, scores.tolist(), labels.tolist(), strict=True)
        records += [{"image_id": image, "category_id": label, "bbox": box, "score": score} for box, score, label in rows]
    metrics = evaluate(DATA / "ground_truth.json", records)
    return f"{len(records):,} | " + " | ".join(f"{x:.3f}".lstrip("0") for x in (metrics.ap, metrics.ap50, metrics.ap75))


def table() -> None:
    of = {detector: detections(detector) for detector in DETECTORS}
    head = " | ".join(f"{title} boxes | AP | AP50 | AP75" for title in DETECTORS.values())
    print(f"| kind | {head} |\n|---|{'---:|' * 4 * len(of)}")
    for name, kind in KINDS.items():
        cells = " | ".join(figures({image: kind(*one) for image, one in found.items()}) for found in of.values())
        print(f"| {name} | {cells} |")
    both = {image: tuple(zip(*(of[detector][image] for detector in DETECTORS), strict=True)) for image in of["centernet"]}
    together = {image: tuple(map(np.concatenate, one)) for image, one in both.items()}
    print("\n| both detectors | boxes | AP | AP50 | AP75 |\n|---|---:|---:|---:|---:|")
    print(f"| their boxes in one list, greedy | {figures({image: KINDS['greedy = cluster'](*one) for image, one in together.items()})} |")
    for title, weights in (("weighted box fusion", None), ("weighted box fusion, CenterNet counts twice", (2, 1))):
        print(f"| {title} | {figures({image: suppress.weighted_box_fusion(*one, weights=weights) for image, one in both.items()})} |")


OBJECTS = np.array([[12.0, 10, 52, 92], [23, 14, 63, 94], [34, 8, 74, 90], [92, 48, 124, 92]])
"""Three people in a row, each close behind the next (IoU about .55; the outer two .27), and someone apart."""
CROWDED = np.array([0.6, 0.6, 0.6, 0.0])
SHOWN = 0.45
"""Scores from here up are written beside their boxes."""


def scene() -> list[Found]:
    """What three detectors say: each two boxes an object, the second of them worse and with a lower score."""
    random, models = np.random.default_rng(8), []
    true, n = np.repeat(OBJECTS, 2, axis=0), 2 * len(OBJECTS)
    for _ in range(3):
        off = random.normal(0, np.tile([0.8, 2.2], len(OBJECTS))[:, None], (n, 4))
        scores = np.repeat([0.95, 0.88, 0.84, 0.9], 2) - np.tile([0, 0.12], len(OBJECTS)) - 0.03 * np.abs(off).mean(1)
        models.append((true + off, scores, np.zeros(n, int)))
    return models


@styled
def picture() -> Figure:
    """The scene before and after each kind."""
    models = scene()
    boxes, scores, labels = (np.concatenate(part) for part in zip(*models, strict=True))
    kept = suppress.adaptive_nms(boxes, scores, np.tile(np.repeat(CROWDED, 2), 3), labels)
    panels = {
        "Before": (boxes, scores, labels),
        "Greedy = cluster": KINDS["greedy = cluster"](boxes, scores, labels),
        "Fast": KINDS["fast"](boxes, scores, labels),
        "Adaptive": (boxes[kept], scores[kept], labels[kept]),
        "Matrix": decaying(suppress.matrix_nms)(boxes, scores, labels),
        "Cluster SPM": decaying(suppress.cluster_spm_nms)(boxes, scores, labels),
        "Weighted": suppress.weighted_nms(boxes, scores, labels),
        "Weighted box fusion": suppress.weighted_box_fusion(*zip(*models, strict=True), threshold=0.65),  # type: ignore[arg-type]
    }
    figure = new_figure(12.8, 6.1)
    for axes, (title, (some, of, _)) in zip(figure.subplots(2, 4).ravel(), panels.items(), strict=True):
        _panel(axes, title, np.asarray(some), np.asarray(of))
    figure.supxlabel("grey: the four objects    blue: detections, the stronger the higher their score    numbers: scores ≥ .45", fontsize=10, color=FAINT)
    return figure


def _panel(axes: Axes, title: str, boxes: np.ndarray, scores: np.ndarray) -> None:
    colour = look("giou").colour
    for left, top, right, bottom in OBJECTS:
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, facecolor="#00000010", edgecolor=FAINT, linestyle=(0, (2, 2)), linewidth=0.9))
    for (left, top, right, bottom), score in sorted(zip(boxes, scores, strict=True), key=lambda one: float(one[1])):
        strength = float(np.clip(score, 0.05, 1))
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=0.6 + 2 * strength, alpha=strength))
        if title != "Before" and score >= SHOWN:
            axes.text(left, top - 1, f"{score:.2f}".lstrip("0"), fontsize=8, color=INK, va="bottom")
    n_high, n = int((scores >= SHOWN).sum()), len(scores)
    axes.set_title(f"{title}: {n}" if n_high == n else f"{title}: {n_high} of {n} ≥ .45")
    axes.set(xlim=(4, 132), ylim=(99, 0), xticks=[], yticks=[], aspect="equal")
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def main(out: Path = PICTURE) -> None:
    save(picture(), out)
    print(f"{out} is drawn.\n")
    table()


if __name__ == "__main__":
    main()
