"""Fair weights: after weighting, every loss pushes as hard as plain IoU."""

import json

import pytest

pytest.importorskip("lightning")

import torch

import boxloss as bl
from boxloss.compare import weights
from boxloss.compare.plan import make_plan
from boxloss.detectors.loader import Resized
from boxloss.errors import BoxLossError, CompareError
from close import close
from compare.tiny import tiny
from each import CLASSIC

pytestmark = pytest.mark.usefixtures("one_thread")
LOSSES = sorted(CLASSIC)


@pytest.fixture(scope="module")
def data():
    return Resized(tiny().splits["train"], (64, 64))


@pytest.fixture(scope="module")
def gradients(data):
    torch.set_num_threads(1)
    return weights.measure(LOSSES, data, 2, 8)


def plan(**options):
    return make_plan(tiny(), **{"data": "tiny", "losses": "iou,l1", "seeds": 1, "epochs": 1, **options})


def test_weighted_gradients_are_equal(tmp_path, data, gradients):
    table = weights.add_measured(plan(losses=LOSSES), tmp_path, gradients)
    assert table["iou"] == 1.0
    pairs = [pair for seed in weights.SEEDS for pair in weights.positives(data, 2, 8, seed)]
    pred, target = (torch.cat([pair[side] for pair in pairs]) for side in (0, 1))
    pushes = []
    for loss in LOSSES:
        leaf = pred.clone().requires_grad_()
        (table[loss] * bl.loss(loss)(leaf, target, reduction="none")).sum().backward()
        pushes.append(leaf.grad.double().norm(dim=1).mean().item())
    close(pushes, [pushes[LOSSES.index("iou")]] * len(LOSSES), "float32", "sum")


def test_the_unit_of_a_loss_does_not_matter(data, gradients):
    """Pencil: the gradient of L1 is 1 or -1 in each of four coordinates, its norm 2, wherever the boxes are (but where a coordinate is met exactly)."""
    close([gradients["l1"]], [2.0], "float32", "sum")
    # smooth L1 with a tiny beta is L1
    (tiny_beta,) = [norm for loss, norm in weights.measure(["smooth_l1:beta=1e-9"], data, 2, 8).items() if loss != "iou"]
    close([tiny_beta], [2.0], "float32", "sum")


def test_weights_depend_on_nothing_but_the_data(data, gradients):
    torch.rand(3)
    alone = weights.measure(["giou"], data, 2, 8)
    assert alone == {"iou": gradients["iou"], "giou": gradients["giou"]}


def test_more_losses_keep_the_weights_of_those_before(tmp_path, gradients):
    first = weights.add_measured(plan(), tmp_path, {"iou": 0.5, "l1": 2.0})
    assert first == weights.known(plan(), tmp_path) == {"iou": 1.0, "l1": 0.25}
    more = plan(losses="iou,l1,giou")
    assert weights.known(more, tmp_path) == first
    assert weights.add_measured(more, tmp_path, {"iou": 0.5, "giou": 0.25}) == {**first, "giou": 2.0}


def test_lost_weights_are_measured_again(tmp_path):
    weights.add_measured(plan(), tmp_path, {"iou": 0.5, "l1": 2.0})
    path = tmp_path / "weights.json"
    path.write_bytes(path.read_bytes().replace(b"0.25", b"0.26"))
    assert weights.known(plan(), tmp_path) == {}


def test_given_weights(tmp_path):
    assert weights.known(plan(weights="one"), tmp_path / "one") == {"iou": 1.0, "l1": 1.0}
    path = tmp_path / "w.json"
    path.write_text('{"iou": 1, "l1": 0.02, "smooth_l1 : beta = .5": 3}')
    from_file = plan(weights=path, losses="iou,l1,smooth_l1:beta=0.5")
    assert weights.known(from_file, tmp_path) == {"iou": 1.0, "l1": 0.02, "smooth_l1:beta=0.5": 3.0}
    path.write_text('{"iou": 1, "l1": 0.03, "smooth_l1:beta=0.5": 3}')
    with pytest.raises(CompareError, match=r"the weight of l1 was 0\.02 when .* now 0\.03"):
        weights.known(from_file, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read .*No such file.*equal-gradient, one, or the path"),
        ("{", "not a JSON file"),
        ("[1]", "a list, expected an object"),
        ('{"iou": 1}', "no weight for l1; it has iou"),
        ('{"iou": 1, "l1": 0}', "l1: 0 is not a positive number"),
        ('{"iou": 1, "l1": "2"}', "l1: '2' is not a positive number"),
        ('{"iou": 1, "l1": NaN}', "l1: nan is not a positive number"),
        ('{"iou": 1, "l1": true}', "l1: True is not a positive number"),
        ('{"iou": 1, "l11": 1}', "unknown loss 'l11'"),
    ],
)
def test_errors_in_a_file_of_weights(tmp_path, content, message):
    path = tmp_path / "w.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BoxLossError, match=message) as caught:
        weights.known(plan(weights=path), tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("factor", "message"), [(0.0, "is zero"), (float("inf"), "is not finite"), (float("nan"), "is not finite")])
def test_a_loss_that_cannot_be_weighed(monkeypatch, factor, message):
    class Broken:
        def build(self):
            return lambda pred, target, reduction: factor * pred.sum()

    monkeypatch.setattr(weights, "choose", lambda _: Broken())
    with pytest.raises(CompareError, match=message):
        weights.mean_gradient("broken", [(torch.ones(3, 4), torch.ones(3, 4))])


def test_nothing_to_weigh_with():
    with pytest.raises(CompareError, match="no picture of the first batches has a box"):
        weights.mean_gradient("iou", [(torch.zeros(0, 4), torch.zeros(0, 4))])


def test_the_record_says_how_weights_were_set(tmp_path):
    weights.add_measured(plan(), tmp_path, {"iou": 0.5, "l1": 2.0})
    record = json.loads((tmp_path / "weights.json").read_text())
    assert record["mode"] == "equal-gradient"
    assert record["reference"] == "iou"
    assert record["gradients"] == {"iou": 0.5, "l1": 2.0}
    assert record["measured_on"] == {"seeds": [0, 1, 2], "batches_each": 4}
