"""What four numbers say of a box: that decoding undoes encoding, that torch and NumPy agree, that slopes are right, and that torchvision has the same."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxloss.anchors import (
    SSD_WEIGHTS,
    decode_deltas,
    decode_linear,
    decode_ltrb,
    decode_yolo,
    encode_deltas,
    encode_linear,
    encode_ltrb,
    encode_yolo,
)
from boxloss.errors import DTypeError, InvalidBoxError, ParameterError, ShapeError, UnknownNameError
from close import close
from torchvision_peer import torchvision

torch = pytest.importorskip("torch")

CODERS = {
    "deltas": (encode_deltas, decode_deltas),
    "deltas, SSD": (lambda boxes, at: encode_deltas(boxes, at, weights=SSD_WEIGHTS), lambda t, at: decode_deltas(t, at, weights=SSD_WEIGHTS)),
    "linear": (encode_linear, decode_linear),
    "linear, pixels": (lambda boxes, at: encode_linear(boxes, at, normalise=False), lambda t, at: decode_linear(t, at, normalise=False)),
    "ltrb": (lambda boxes, at: encode_ltrb(boxes, at[..., :2], 8), lambda t, at: decode_ltrb(t, at[..., :2], 8)),
    "YOLOv3": (lambda boxes, at: encode_yolo(boxes, at, 32), lambda t, at: decode_yolo(t, at, 32)),
    "YOLOv5": (lambda boxes, at: encode_yolo(boxes, at, 32, "v5"), lambda t, at: decode_yolo(t, at, 32, "v5")),
}
numbers = st.integers(-400, 400)


@st.composite
def pairs(draw):
    """Boxes and anchors whose centres are less than half a cell of 32 apart, with sides within a factor of 3.5: what every coder can say."""
    n = draw(st.integers(0, 5))
    rows = []
    for _ in range(n):
        x, y, dx, dy = draw(numbers), draw(numbers), draw(st.integers(-15, 15)), draw(st.integers(-15, 15))
        w, h, fw, fh = draw(st.integers(1, 300)), draw(st.integers(1, 300)), draw(st.floats(0.3, 3.5)), draw(st.floats(0.3, 3.5))
        at = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
        rows.append((at, [x + dx - w * fw / 2, y + dy - h * fh / 2, x + dx + w * fw / 2, y + dy + h * fh / 2]))
    anchors, boxes = (np.array([row[side] for row in rows], np.float64).reshape(-1, 4) for side in (0, 1))
    return boxes, anchors


# Properties


@pytest.mark.parametrize("name", CODERS)
@settings(max_examples=20)
@given(pair=pairs())
def test_decoding_undoes_encoding(name, pair):
    (encode, decode), (boxes, anchors) = CODERS[name], pair
    close(decode(encode(boxes, anchors), anchors), boxes, "float64", "coded", scale=np.full(boxes.shape, 1000.0))


@pytest.mark.parametrize("name", CODERS)
@settings(max_examples=20)
@given(pair=pairs())
def test_torch_and_numpy_agree(name, pair):
    (encode, decode), (boxes, anchors) = CODERS[name], pair
    t = encode(boxes, anchors)
    as_torch = [torch.from_numpy(x) for x in (boxes, anchors)]
    theirs = encode(*as_torch)
    assert theirs.dtype == torch.float64
    close(theirs, t, "float64", "coded", scale=np.maximum(np.abs(t), 1))
    close(decode(theirs, as_torch[1]), boxes, "float64", "coded", scale=np.full(boxes.shape, 1000.0))


@pytest.mark.parametrize("name", CODERS)
def test_decoders_are_differentiable(name):
    rng = np.random.Generator(np.random.PCG64(1))
    t = torch.from_numpy(rng.normal(0, 1, (6, 4))).requires_grad_()
    anchors = torch.tensor([[0.0, 0.0, 10.0, 20.0]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: CODERS[name][1](x, anchors), (t,))


@pytest.mark.parametrize("name", CODERS)
def test_far_outputs_decode_to_finite_boxes_with_finite_slopes(name):
    t = torch.tensor([[1e4] * 4, [-1e4] * 4, [0.0] * 4], requires_grad=True)
    boxes = CODERS[name][1](t, torch.tensor([[0.0, 0.0, 10.0, 20.0]]))
    boxes.sum().backward()
    assert bool(torch.isfinite(boxes).all())
    assert bool(torch.isfinite(t.grad).all())


def test_encoders_go_through_transformations():
    boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 5, 6]])
    assert torch.vmap(encode_deltas)(boxes, boxes).tolist() == [[0.0] * 4] * 2
    _, slopes = torch.func.jvp(lambda x: encode_linear(x, boxes), (boxes,), (torch.ones_like(boxes),))
    close(slopes, [[-0.25, -0.25, 0.25, 0.25], [-1 / 5, -1 / 6, 1 / 5, 1 / 6]], "float32")


@pytest.mark.parametrize("name", CODERS)
def test_half_types_are_computed_in_float32_and_shapes_broadcast(name):
    encode, decode = CODERS[name]
    boxes, anchors = torch.tensor([[[10.0, 10.0, 30.0, 20.0]]] * 2), torch.tensor([[12.0, 8.0, 28.0, 22.0]] * 3)
    assert encode(boxes.half(), anchors.half()).dtype == torch.float32
    assert encode(boxes, anchors).shape == decode(torch.zeros(2, 3, 4), anchors).shape == (2, 3, 4)


# Pencil cases


def test_zeros_are_the_anchor():
    anchors = np.array([[1.0, 2.0, 5.0, 10.0]])
    zeros = np.zeros((1, 4))
    for decoded in (decode_deltas(zeros, anchors), decode_yolo(zeros, anchors, 8), decode_yolo(zeros, anchors, 8, "v5")):
        assert decoded.tolist() == anchors.tolist()


def test_sides_are_clamped_at_62_and_a_half_anchors():
    boxes = decode_deltas([[0.0, 0.0, 50.0, -50.0]], [[0.0, 0.0, 2.0, 2.0]])
    close(boxes[:, 2] - boxes[:, 0], [125.0])
    assert decode_deltas([[0.0, 0.0, 800.0, 0.0]], [[0.0, 0.0, 2.0, 2.0]], clamp=None)[0, 2] == math.inf


def test_variances_are_inverse_weights():
    boxes, anchors = [[0.0, 0.0, 20.0, 10.0]], [[0.0, 0.0, 10.0, 10.0]]
    close(encode_deltas(boxes, anchors, weights=SSD_WEIGHTS), encode_deltas(boxes, anchors) / np.array([0.1, 0.1, 0.2, 0.2]))


def test_the_reach_of_yolos_centres():
    """v3: from edge to edge of the cell; v5: half a cell further on each side, and sides up to 4 anchors."""
    anchor, most = [[0.0, 0.0, 8.0, 8.0]], [[100.0, -100.0, 100.0, 100.0]]
    centre = [((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for b in (decode_yolo(most, anchor, 8)[0], decode_yolo(most, anchor, 8, "v5")[0])]
    close(centre, [(8.0, 0.0), (12.0, -4.0)], scale=[(100.0, 100.0)] * 2)
    v5 = decode_yolo(most, anchor, 8, "v5")[0]
    close(v5[2:] - v5[:2], [32.0, 32.0], scale=[100.0, 100.0])


def test_what_yolo_cannot_say_is_an_infinity():
    t = encode_yolo([[0.0, 0.0, 100.0, 8.0]], [[0.0, 0.0, 8.0, 8.0]], 8, "v5")
    assert t[0, :3].tolist() == [math.inf, 0.0, math.inf]


# Oracle


def random_pairs(n, dtype):
    rng = np.random.Generator(np.random.PCG64(5))
    corner, size = rng.uniform(0, 600, (2, n, 2)), rng.uniform(1, 200, (2, n, 2))
    return (torch.from_numpy(np.concatenate([c, c + s], axis=1)).to(dtype) for c, s in zip(corner, size, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)])
def test_torchvisions_coder_has_the_same_to_the_last_digit(dtype, weights):
    coder = torchvision("models.detection._utils").BoxCoder(weights)
    boxes, anchors = random_pairs(1000, dtype)
    deltas = coder.encode_single(boxes, anchors)
    assert torch.equal(encode_deltas(boxes, anchors, weights=weights), deltas)
    assert torch.equal(decode_deltas(deltas * 4, anchors, weights=weights), coder.decode_single(deltas * 4, anchors))


@pytest.mark.parametrize("normalise", [True, False])
def test_torchvisions_linear_coder_has_the_same_to_the_last_digit(normalise):
    coder = torchvision("models.detection._utils").BoxLinearCoder(normalise)
    boxes, anchors = random_pairs(1000, torch.float32)
    codes = coder.encode(anchors, boxes)  # torchvision's order: what is seen from, what is seen
    assert torch.equal(encode_linear(boxes, anchors, normalise=normalise), codes)
    assert torch.equal(decode_linear(codes, anchors, normalise=normalise), coder.decode(codes, anchors))


# Errors


@pytest.mark.parametrize("encode", [encode_deltas, encode_linear, lambda boxes, anchors: encode_yolo(boxes, anchors, 8)])
@pytest.mark.parametrize("kind", [np.array, torch.tensor])
@pytest.mark.parametrize("anchor", [[0.0, 0, 0, 4], [0, 4, 4, 0], [0, 0, math.nan, 4], [0, 0, math.inf, 4]])
def test_an_anchor_that_is_none_is_refused_where_it_is_divided_by(encode, kind, anchor):
    anchors = kind([[0.0, 0, 4, 4], anchor])
    with pytest.raises(InvalidBoxError, match="1 of 2 anchors have no width or height above 0, such as"):
        encode(anchors, anchors)
    assert encode_linear(anchors[:1], anchors[1:], normalise=False).shape == (1, 4)


def test_what_is_refused():
    boxes = np.zeros((2, 4))
    with pytest.raises(ShapeError, match="encode_deltas: boxes has shape"):
        encode_deltas(np.zeros((2, 5)), boxes)
    with pytest.raises(ShapeError, match="do not broadcast"):
        decode_linear(boxes, np.zeros((3, 4)))
    with pytest.raises(DTypeError):
        decode_deltas(boxes, torch.zeros(2, 4))
    with pytest.raises(UnknownNameError, match="version"):
        decode_yolo(boxes, boxes, 8, "v4")
    with pytest.raises(ParameterError, match=r"encode_deltas: weights is 10, expected four numbers"):
        encode_deltas([0, 0, 1, 1], [0, 0, 1, 1], weights=10)
    with pytest.raises(ParameterError, match=r"decode_deltas: weights\[1\] is 0, expected a number > 0"):
        decode_deltas(boxes, boxes, weights=(1, 0, 1, 1))
    with pytest.raises(ParameterError, match=r"strides are at least 0\.0"):
        encode_ltrb(boxes, boxes[:, :2], np.array([8, 0]))
    with pytest.raises(ParameterError, match="strides is 0"):
        decode_ltrb(boxes, boxes[:, :2], 0)
