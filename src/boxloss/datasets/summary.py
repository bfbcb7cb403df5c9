"""What a data set holds, in numbers: counts, sizes, aspect ratios, overlaps, and what is odd about it."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from boxloss.datasets.types import Boxes, Dataset, Labels
from boxloss.losses import pairwise
from boxloss.words import plural

# COCO's borders between small, medium and large, as the root of the area in pixels.
SMALL, LARGE = 32.0, 96.0
# From here on two boxes of a picture are hard to tell apart, for a detector and for NMS.
CROWDED = 0.5
QUANTILES = {"min": 0.0, "5%": 0.05, "25%": 0.25, "median": 0.5, "75%": 0.75, "95%": 0.95, "max": 1.0}

Values = npt.NDArray[np.float64]


class Measures(NamedTuple):
    """Numbers for each box, (n,), and for each picture, (m,); pictures split after split, boxes in their order.

    root_area: square root of the box's area in pixels. aspect: width / height, NaN for boxes without size. labels: positions in the classes.
    overlap: the largest IoU with another box of the same picture, 0 where there is none. widths, heights: pixels.
    per_picture: number of boxes. overlap_per_picture: the largest IoU of any two of its boxes.
    """

    root_area: Values
    aspect: Values
    widths: Values
    heights: Values
    overlap: Values
    labels: Labels
    per_picture: Values
    overlap_per_picture: Values


@dataclass(frozen=True)
class Summary:
    """A data set in numbers; ignored boxes count like others. Quantiles and shares are NaN where there is nothing to count.

    pictures: split to number of pictures. boxes: split to class to number of boxes. picture_sizes: the commonest five ("640 x 480") to number of pictures.
    shares: COCO's small, medium and large to their share of the boxes. root_area, aspect, per_picture, overlap: quantiles of `Measures`.
    crowded: share of the pictures in which two boxes have an IoU beyond 0.5. class_root_area: class to the median root of the area.
    """

    name: str
    format: str
    fingerprint: str
    pictures: dict[str, int]
    boxes: dict[str, dict[str, int]]
    n_ignored: int
    picture_sizes: dict[str, int]
    n_picture_sizes: int
    shares: dict[str, float]
    root_area: dict[str, float]
    class_root_area: dict[str, float]
    aspect: dict[str, float]
    per_picture: dict[str, float]
    overlap: dict[str, float]
    crowded: float
    notes: tuple[str, ...]

    @property
    def n_pictures(self) -> int:
        return sum(self.pictures.values())

    @property
    def n_boxes(self) -> int:
        return sum(sum(counts.values()) for counts in self.boxes.values())

    def as_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers, ready for JSON: None stands where a number is not defined."""
        result = _plain(asdict(self))
        assert isinstance(result, dict)
        return {"name": result.pop("name"), "n_pictures": self.n_pictures, "n_boxes": self.n_boxes, **result}


class Table(NamedTuple):
    """A table of text; `header` and each row have as many cells. The first column is words, the others are numbers."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]


def measure(dataset: Dataset) -> Measures:
    """The numbers behind summary and figures, for every box and picture."""
    pictures = list(dataset)
    boxes = np.concatenate([np.zeros((0, 4)), *(picture.boxes for picture in pictures)])
    labels = np.concatenate([np.zeros(0, dtype=np.int64), *(picture.labels for picture in pictures)])
    overlaps = [_largest_overlaps(picture.boxes) for picture in pictures]
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    sized = (widths > 0) & (heights > 0)
    return Measures(
        root_area=np.sqrt(widths * heights),
        aspect=np.divide(widths, heights, out=np.full(len(boxes), np.nan), where=sized),
        widths=widths,
        heights=heights,
        overlap=np.concatenate([np.zeros(0), *overlaps]),
        labels=labels,
        per_picture=np.array([len(picture.boxes) for picture in pictures], dtype=np.float64),
        overlap_per_picture=np.array([overlap.max(initial=0.0) for overlap in overlaps], dtype=np.float64),
    )


def _largest_overlaps(boxes: Boxes) -> Values:
    """For each box (n, 4) the largest IoU with another one, (n,)."""
    if len(boxes) < 2:
        return np.zeros(len(boxes))
    iou = np.array(pairwise("iou", boxes, boxes), dtype=np.float64)
    np.fill_diagonal(iou, 0.0)
    return np.asarray(iou.max(axis=1))


def summarise(dataset: Dataset, split: str | None = None) -> Summary:
    """What the data set holds; with `split`, that split alone.

    Raises `UnknownNameError` where there is no such split.

    >>> from boxloss.datasets import load
    >>> summarise(load("embedded")).n_pictures > 0
    True
    """
    chosen = dataset if split is None else dataset.only(split)
    numbers = measure(chosen)
    sizes = Counter(f"{picture.width} x {picture.height}" for picture in chosen)
    n_boxes = len(numbers.root_area) or math.nan
    small, large = int((numbers.root_area < SMALL).sum()), int((numbers.root_area > LARGE).sum())
    return Summary(
        name=chosen.name,
        format=chosen.format,
        fingerprint=chosen.fingerprint,
        pictures={name: len(pictures) for name, pictures in chosen.splits.items()},
        boxes={name: _by_class([p.labels for p in pictures], chosen.classes) for name, pictures in chosen.splits.items()},
        n_ignored=sum(int(picture.ignore.sum()) for picture in chosen),
        picture_sizes=dict(sizes.most_common(5)),
        n_picture_sizes=len(sizes),
        shares={"small": small / n_boxes, "medium": (len(numbers.root_area) - small - large) / n_boxes, "large": large / n_boxes},
        root_area=_quantiles(numbers.root_area),
        class_root_area={name: _quantiles(numbers.root_area[numbers.labels == k])["median"] for k, name in enumerate(chosen.classes)},
        aspect=_quantiles(numbers.aspect[np.isfinite(numbers.aspect)]),
        per_picture=_quantiles(numbers.per_picture),
        overlap=_quantiles(numbers.overlap),
        crowded=float((numbers.overlap_per_picture > CROWDED).mean()) if len(numbers.per_picture) else math.nan,
        notes=chosen.notes,
    )


def _by_class(labels: Sequence[Labels], classes: tuple[str, ...]) -> dict[str, int]:
    counts = np.bincount(np.concatenate([np.zeros(0, dtype=np.int64), *labels]), minlength=len(classes))
    return dict(zip(classes, counts.tolist(), strict=True))


def _quantiles(values: Values) -> dict[str, float]:
    return {name: float(np.quantile(values, at)) if len(values) else math.nan for name, at in QUANTILES.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def tables(summary: Summary) -> list[Table]:
    """The summary as tables of text: classes by split, then the distributions. Notes are not in them."""
    splits = list(summary.pictures)
    total = summary.n_boxes or math.nan
    rows = [("pictures", *(f"{summary.pictures[s]:,}" for s in splits), f"{summary.n_pictures:,}", "", "")]
    for name, side in summary.class_root_area.items():
        n_boxes = sum(summary.boxes[s][name] for s in splits)
        counts = (f"{summary.boxes[s][name]:,}" for s in splits)
        rows.append((name, *counts, f"{n_boxes:,}", _percent(n_boxes / total), _short(side)))
    counts = (f"{sum(summary.boxes[s].values()):,}" for s in splits)
    rows.append(("all boxes", *counts, f"{summary.n_boxes:,}", "", _short(summary.root_area["median"])))
    counted = Table("Pictures, and boxes by class", ("", *splits, "together", "share", "median √area, px"), rows)
    if len(splits) == 1:
        counted = Table(counted.title, (counted.header[0], *counted.header[2:]), [(row[0], *row[2:]) for row in rows])
    spread = {
        "√area, px": summary.root_area,
        "width / height": summary.aspect,
        "boxes a picture": summary.per_picture,
        "largest IoU with another box": summary.overlap,
    }
    distributions = Table("Distributions", ("", *QUANTILES), [(name, *(_short(value) for value in values.values())) for name, values in spread.items()])
    facts: list[tuple[str, ...]] = [(f"{name} boxes", _percent(share)) for name, share in summary.shares.items()]
    facts.append((f"pictures with two boxes of IoU > {CROWDED}", _percent(summary.crowded)))
    facts.append(("ignored boxes", f"{summary.n_ignored:,}"))
    facts += [(f"pictures of {size} px", f"{n:,}") for size, n in summary.picture_sizes.items()]
    if summary.n_picture_sizes > len(summary.picture_sizes):
        facts.append(("other picture sizes", f"{summary.n_picture_sizes - len(summary.picture_sizes):,}"))
    return [counted, distributions, Table("Shares and sizes", ("", "value"), facts)]


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.1%}"


def _short(value: float) -> str:
    """Three figures, without exponent: 0.0421, 1.37, 83.2, 640."""
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def as_text(summary: Summary) -> str:
    """The summary in plain lines, columns aligned: for files and pipes."""
    held = plural(summary.n_pictures, "picture"), plural(summary.n_boxes, "box"), plural(len(summary.class_root_area), "class")
    lines = [f"{summary.name} ({summary.format}), {', '.join(held)}"]
    for table in tables(summary):
        cells = [table.header, *table.rows]
        widths = [max(len(row[k]) for row in cells) for k in range(len(table.header))]
        lines += ["", table.title]
        for row in cells:
            lines.append(
                "  ".join(cell.ljust(width) if k == 0 else cell.rjust(width) for k, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip()
            )
    lines += ["", "Notes"] if summary.notes else []
    lines += [f"- {note}" for note in summary.notes]
    return "\n".join(lines) + "\n"
