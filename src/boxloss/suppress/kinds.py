"""Every kind of suppression by its name."""

from collections.abc import Callable
from typing import Any

from boxloss.errors import ParameterError, UnknownNameError
from boxloss.formulas import Formula, find
from boxloss.kernels import switch
from boxloss.losses.inputs import check_number
from boxloss.ops import Array, check_same_kind, is_torch
from boxloss.suppress.averaging import Fused, cluster_weighted_nms, weighted_nms
from boxloss.suppress.decaying import cluster_spm_nms, matrix_nms
from boxloss.suppress.dropping import adaptive_nms, cluster_nms, fast_nms
from boxloss.suppress.greedy import DIOU, greedy
from boxloss.suppress.inputs import Measure, checked, detections, options_of
from boxloss.suppress.soft import soft_nms


def nms(boxes: Array, scores: Array, labels: Array | None = None, *, threshold: float | None = None, kind: str = "greedy", **options: Any) -> Array:
    """The rows that stay, best score first: non-maximum suppression, within each class where `labels` are given.

    `kind`, with its `options`:

    - "greedy": from the best score down (equal scores in the order given), a box is dropped if its IoU with one that stays is greater than `threshold`
      (0.5): an IoU equal to the threshold stays, 0 lets no two boxes overlap, 1 drops nothing. `measure`: another similarity of the catalogue in place of
      the IoU ("giou", "nwd", ...) or a formula, with its parameters
    - "diou": greedy by IoU - (offset2 / hull_diagonal2)^beta > threshold, `beta` 1: boxes whose centres differ may overlap more
    - "cluster": what greedy keeps, by another way; "fast": dropped boxes drop others, too; "adaptive": greedy with `densities` that raise the threshold
      (`cluster_nms`, `fast_nms`, `adaptive_nms`)
    - "soft", "matrix", "spm": scores fall instead (`soft_nms`, `matrix_nms`, `cluster_spm_nms`, whose options they take); the rows that stay above
      `min_score`, in the order of their new scores. "matrix" has no threshold, "soft" one with `decay="linear"` alone

    `boxes`: (N, 4) xyxy in any unit, `scores`: (N,), `labels`: (N,) integers. NumPy or torch in, rows (K,) int64 of the same kind out. float16 and bfloat16 are
    computed in float32; the threshold is rounded to the type that is computed in. A box that is not finite overlaps nothing, and so does an inverted one (by
    IoU and DIoU): both stay. Time grows with N log N where few boxes overlap one another.
    Greedy kinds of tensors on a GPU stay there, and are waited for once: the number of rows is known only then.
    Kinds that move boxes have functions of their own: `boxloss.suppress.weighted_nms`, `cluster_weighted_nms`, `weighted_box_fusion`.
    Raises ShapeError, DTypeError, UnknownNameError, and ParameterError for a NaN among the scores, a threshold outside the measure's range, and an option that
    is another kind's.

    >>> nms([[0, 0, 10, 10], [0, 0, 10, 8], [20, 0, 30, 10]], [0.6, 0.9, 0.5], threshold=0.7).tolist()
    [1, 2]
    >>> nms([[0, 0, 10, 10], [4, 0, 14, 10]], [0.9, 0.8], threshold=0.4).tolist()  # IoU 3/7
    [0]
    >>> nms([[0, 0, 10, 10], [4, 0, 14, 10]], [0.9, 0.8], threshold=0.4, kind="diou").tolist()  # 3/7 - 16/296
    [0, 1]

    Reference: for "diou" Zheng et al., "Distance-IoU Loss", AAAI 2020, arXiv:1911.08287, section "Non-Maximum Suppression using DIoU".
    """
    if kind in MOVING:
        raise ParameterError(f"nms: kind {kind!r} moves boxes, and so gives no rows: call boxloss.suppress.{MOVING[kind].__name__}")
    if kind not in KINDS:
        raise UnknownNameError("kind of nms", kind, KINDS)
    if threshold is not None:
        options["threshold"] = threshold
    _check_options(kind, options)
    found = KINDS[kind](boxes, scores, labels=labels, **options)
    return found[0] if kind in LOWERING else found


def _check_options(kind: str, options: dict[str, Any]) -> None:
    """Raises `ParameterError` for what the kind cannot do without, and for what another kind takes. What none takes its function refuses."""
    own = options_of(KINDS[kind])
    for name, has_default in own.items():
        if not has_default and name not in options:
            raise ParameterError(f"nms: kind {kind!r} needs {name}=..., see boxloss.suppress.{KINDS[kind].__name__}")
    for name in options.keys() - own:
        others = [other for other, function in KINDS.items() if name in options_of(function)]
        if others and name not in find(options.get("measure", "iou")).parameters:
            raise ParameterError(f"nms: kind {kind!r} takes no {name}, which is for the kind{'s' if others[1:] else ''} {', '.join(others)}")


def _greedy(boxes: Array, scores: Array, labels: Array | None, *, threshold: float = 0.5, measure: str | Formula = "iou", **parameters: Any) -> Array:
    return _dropped(boxes, scores, labels, threshold, Measure("nms", measure, parameters, _greedy))


def _diou(boxes: Array, scores: Array, labels: Array | None, *, threshold: float = 0.5, beta: float = 1.0, **modifiers: Any) -> Array:
    check_number("nms", "beta", beta, 0, above_low=True)
    # Without what is the default, so that both ways to ask for it have one kernel
    return _dropped(boxes, scores, labels, threshold, Measure("nms", DIOU, modifiers | ({} if beta == 1 else {"beta": beta}), _diou))


def _dropped(boxes: Array, scores: Array, labels: Array | None, threshold: float, measure: Measure) -> Array:
    bar = measure.threshold(threshold)
    on_gpu = _on_gpu(boxes, scores, labels, measure, bar)
    if on_gpu is not None:
        return on_gpu
    found = detections("nms", boxes, scores, labels)
    return found.back(greedy(found, measure, bar))


@switch.or_plain
def _on_gpu(boxes: Array, scores: Array, labels: Array | None, measure: Measure, threshold: float) -> Array | None:
    """The rows, for tensors on a GPU; None for all others, and where there are no kernels for it."""
    if not (is_torch(boxes) and boxes.is_cuda and switch.gpu_kernels()):
        return None
    from boxloss.kernels import gpu

    if not gpu.available(boxes):
        return None
    from boxloss.suppress import greedy_torch

    boxes, scores, labels = checked("nms", boxes, scores, labels)
    if labels is not None:
        check_same_kind("nms", ("boxes", "labels"), boxes, labels)
    return greedy_torch.greedy("nms", boxes, scores, labels, measure, threshold)


DROPPING: dict[str, Callable[..., Array]] = {"greedy": _greedy, "diou": _diou, "cluster": cluster_nms, "fast": fast_nms, "adaptive": adaptive_nms}
"""Kinds that drop boxes, by name: functions of boxes, scores, labels or None, and options, that give rows, best first."""
LOWERING: dict[str, Callable[..., tuple[Array, Array]]] = {"soft": soft_nms, "matrix": matrix_nms, "spm": cluster_spm_nms}
"""Kinds that lower scores: they give rows and scores."""
MOVING: dict[str, Callable[..., Fused]] = {"weighted": weighted_nms, "cluster_weighted": cluster_weighted_nms}
"""Kinds that move boxes, which `nms`, whose answer is rows, does not have."""
KINDS: dict[str, Callable[..., Any]] = DROPPING | LOWERING
"""Those of `nms`."""
