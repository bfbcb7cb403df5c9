"""Who is asked, how each is installed, and what a reader should know of its ways before reading its row."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    name: str
    licence: str
    package: str  # whose version the page gives
    installs: tuple[tuple[str, ...], ...] = ()  # arguments of `pip install`, one call after the other; none: our own environment
    torch: bool = True
    remarks: tuple[str, ...] = ()  # in the page, before the examples


# torch comes first and by itself: else some packages pull in another build of it.
TORCH = ("torch==2.13.0", "numpy")

PEERS = (
    Peer(
        "boxloss",
        "Apache-2.0",
        "boxloss",
        remarks=("It is judged by the code that judges all others.",),
    ),
    Peer(
        "torchvision",
        "BSD-3-Clause",
        "torchvision",
        (("--no-deps", "torchvision==0.28.0"), ("pillow",)),
        remarks=(
            "The losses add `eps=1e-7` to areas and to a squared diagonal, on purpose, against 0/0. An area of 1e-8 (unit coordinates, sides of 1e-4) "
            "is smaller than that.",
            "The pairwise functions are other code: `box_iou` and `generalized_box_iou` have no eps, `distance_box_iou` and `complete_box_iou` have it "
            "in the diagonal.",
        ),
    ),
    Peer(
        "mmdet",
        "Apache-2.0",
        "mmdet",
        (("--no-deps", "mmdet==3.3.0", "mmcv-lite==2.1.0"), ("mmengine", "six", "terminaltables", "tqdm")),
        remarks=(
            "mmcv has no wheel with compiled operators for this torch, so mmcv-lite stands in, and the losses' files are imported without the packages "
            "around them, which need those operators. The losses themselves need none.",
            "Functions are called with their own defaults (`eps=1e-7`; 1e-6 in the classes `DIoULoss`, `CIoULoss` and others).",
            "`ciou_loss` has the journal's gate (alpha is 0 unless IoU > 0.5): it is judged as `ciou_gated`. It also clamps 1 - loss to [-1, 1].",
            "`eiou_loss` is Extended IoU, which is another loss than Efficient IoU.",
            "`siou_loss` has `neg_gamma=False` by default: the distance term's sign is turned, so that distance is rewarded; `neg_gamma=True` is the paper's. "
            "The default is judged against the paper, and by its own formula where boxloss has it (`siou_mmdet`).",
            "`smooth_l1_loss`, `balanced_l1_loss` and `bounded_iou_loss` give four numbers a box; their sum is judged.",
        ),
    ),
    Peer(
        "fvcore",
        "Apache-2.0",
        "fvcore",
        (("fvcore",),),
        remarks=("`giou_loss` adds `eps=1e-7` to the union and to the hull. Inverted boxes are refused by an assertion.",),
    ),
    Peer(
        "transformers",
        "Apache-2.0",
        "transformers",
        (("transformers==5.24.0",),),
        remarks=("DETR and its descendants use the diagonal of `generalized_box_iou`. No eps.",),
    ),
    Peer(
        "torchmetrics",
        "Apache-2.0",
        "torchmetrics",
        (("--no-deps", "torchvision==0.28.0"), ("pillow", "torchmetrics")),
        remarks=("It calls torchvision's pairwise functions. They are metrics: a gradient is not what they are for, though there is one.",),
    ),
    Peer(
        "keras",
        "Apache-2.0",
        "keras",
        (("keras",),),
        remarks=(
            "Run on torch tensors (`KERAS_BACKEND=torch`), with `floatx` as it comes: float32. `keras.backend.epsilon()`, 1e-7, is added to unions, "
            "heights and the diagonal.",
            "`compute_ciou` lets the gradient flow through alpha, which the paper holds constant: its gradients are another decision, not rounding.",
        ),
    ),
    Peer(
        "keras-cv",
        "Apache-2.0",
        "keras-cv",
        (("tensorflow-cpu", "keras-cv"),),
        remarks=(
            "Archived since 2024. Run on torch tensors; it needs TensorFlow to be imported at all. Asked for one pair at a time.",
            "`CIoULoss` squares the factor 4 / pi^2 too: its values are another formula's. Its gradient flows through alpha, as keras's does.",
        ),
    ),
    Peer(
        "kornia",
        "Apache-2.0",
        "kornia",
        (("kornia",),),
        remarks=("`mean_iou_bbox` refuses boxes without area by an assertion, and with them the whole call.",),
    ),
    Peer(
        "supervision",
        "MIT",
        "supervision",
        (("supervision",),),
        torch=False,
        remarks=("NumPy; computed in float64, returned as float32 always, and judged as float32. Boxes without area have IoU 0 there.",),
    ),
    Peer(
        "powerboxes",
        "MIT",
        "powerboxes",
        (("powerboxes==0.3.1",),),
        torch=False,
        remarks=(
            "Rust behind NumPy; distances, 1 - similarity, always returned as float64. No gradients.",
            "`diou_distance` divides by the diagonal of the overlap instead of the hull's; it and `ciou_distance` are 1 "
            "for all boxes apart, whatever lies between them.",
        ),
    ),
    Peer(
        "fastbbox",
        "MIT",
        "fastbbox",
        (("fastbbox",),),
        torch=False,
        remarks=(
            "C++ behind NumPy; float32 alone. No gradients.",
            "`complete_iou` leaves the aspect term out where boxes are apart. A box without area has IoU 0 with itself.",
        ),
    ),
)

NOT_ASKED = (
    ("detectron2", "its authors release no wheel that pip finds by that name"),
    ("PaddleDetection", "its `paddledet` needs PaddlePaddle, another framework, for which there is no adapter here yet"),
    ("ultralytics, yolov5, mmyolo, yolov9", "AGPL or GPL: not installed by this script; ask them yourself with a few lines in `inside/adapters.py`"),
)


def by_name(name: str) -> Peer | None:
    return next((peer for peer in PEERS if peer.name == name), None)
