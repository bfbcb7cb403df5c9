"""k-means anchors: nine sizes for a million boxes, and ten million for the memory."""

from typing import Any

import numpy as np

import boxloss as bl
from benchmarks import boxes
from benchmarks.clock import Call
from benchmarks.contest import Case, Contender, Contest, Seen

K = 9
MOST = 1_000_000
"""Boxes up to which scikit-learn takes part: beyond it takes minutes."""


def inputs(case: Case) -> Any:
    """Widths and heights, (n, 2) float32."""
    found = boxes.objects(case.n, seed=7)
    return found[:, 2:] - found[:, :2]


def ours(restarts: int = 1, on_all: bool = False) -> Any:
    def prepare(sizes: Any) -> Call:
        more: dict[str, int] = {"sample": len(sizes)} if on_all else {}
        return lambda: bl.anchors.kmeans(sizes, K, restarts=restarts, **more)

    return prepare


def scikit_learn(sizes: Any) -> Call:
    from sklearn.cluster import KMeans

    return lambda: KMeans(K, n_init=1, random_state=0).fit(sizes)


def see(result: Any, sizes: Any) -> Seen:
    """The mean IoU: other starts find other anchors, which are worth about the same."""
    return (np.float64(result.mean_iou),)


WORK = Contest(
    name="kmeans",
    title="k-means anchors",
    story=f"{K} anchors for N boxes of COCO's sizes, widths and heights in float32: k-means++ and passes until nothing is gained, by each one's own default "
    "rule. scikit-learn: `KMeans(9, n_init=1)` on the same two features, whose distance is Euclidean; a pass of it is less work than one of ours, which has "
    "a quotient for each pair and slopes for each box, and it takes another number of passes. boxloss starts on a sample of 131,072 boxes and goes on with "
    "all; the row *all boxes from the start* is without that, as scikit-learn does it; *ten starts* is the command's default.",
    cases=(Case("1,000,000", 1_000_000), Case("10,000,000", 10_000_000)),
    quick_cases=(Case("20,000", 20_000),),
    inputs=inputs,
    contenders=(
        Contender("boxloss", ours(), see),
        Contender("boxloss, all boxes from the start", ours(on_all=True), see),
        Contender("boxloss, ten starts", ours(restarts=10), see),
        Contender("scikit-learn KMeans", scikit_learn, needs=("scikit-learn",), until=MOST),
    ),
    memory_from=1_000_000,
    relative=0.02,
)
