"""The compiled loops against the formula on arrays, and against the graph's derivative: the same bits, on boxes of all classes."""

from typing import Any

import numpy as np
import pytest

import boxloss as bl
from boxloss.boxes import FORMATS
from boxloss.kernels import switch
from boxloss.kernels.cpu.elementwise import BLOCK, CHUNK
from boxloss.kernels.switch import plain
from each import REPRESENTATIVES, each_loss, each_way
from kernels.cpu.loops import bits
from kernels.graphs import slopes
from properties.samples import sample
from strategies import CLASSES, inverted

Array = np.ndarray
FLOATS = ("float32", "float64")


@pytest.fixture(autouse=True)
def with_kernels() -> None:
    assert switch.cpu_kernels()


def every_kind(dtype: str, n: int = 60) -> tuple[Array, Array]:
    """Boxes of each class, upright and not, of all sizes, with ties; the largest numbers, and NaN. `n` of a class."""
    drawn = sample(CLASSES, n, dtype)
    crossed = inverted(n, dtype)
    tied = np.random.default_rng(7).integers(-2, 4, (2, 8 * n, 4)).astype(dtype)
    limits = np.finfo(dtype)
    largest = limits.max / 4  # whose corners are finite in every format
    odd = np.array([np.nan, 0, -0.0, largest, -largest, limits.smallest_normal, limits.smallest_subnormal, 1, 2, 3, 4], dtype)
    wild = np.random.default_rng(8).choice(odd, (2, 4 * n, 4))
    return tuple(np.concatenate([x, y, z, w]) for x, y, z, w in zip((drawn.a, drawn.b), crossed, tied, wild, strict=True))  # type: ignore[return-value]


def assert_same_bits(got: Array, want: Array, a: Array, b: Array) -> None:
    """Row by row; 0 and -0 are the same."""
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    differ = (bits(got + 0) != bits(want + 0)).reshape(len(got), -1).any(1)
    if differ.any():
        row = int(np.argmax(differ))
        raise AssertionError(f"{differ.sum()} of {len(got)} differ; first {got[row]!r}, not {want[row]!r}, for {a[row].tolist()}, {b[row].tolist()}")


@pytest.mark.parametrize(("name", "parameters", "dtype"), [way for way in each_way() if way.values[0] in REPRESENTATIVES or way.values[2] == "float32"])
def test_values_have_the_array_paths_bits(name: str, parameters: dict[str, Any], dtype: str) -> None:
    """In float64, and as a similarity, of some: of the others, the next test and `test_matrix.py` have these."""
    a, b = every_kind(dtype)
    loss, measure = bl.loss(name, **parameters), getattr(bl, name)
    ill = np.isnan(a).any(1) | np.isnan(b).any(1)
    calls = [lambda: loss(a, b, reduction="none"), lambda: measure(a, b, **parameters)]
    for call in calls if name in REPRESENTATIVES else calls[:1]:
        got = call()
        with plain():
            want = call()
        assert np.isnan(got[ill]).all()
        assert_same_bits(got, want, a, b)


@pytest.mark.parametrize(("name", "parameters", "dtype"), each_way())
def test_gradients_are_the_graphs(name: str, parameters: dict[str, Any], dtype: str) -> None:
    """Along both boxes, which is the kernel that the contract asks, too; along the prediction alone, another kernel, of some."""
    a, b = every_kind(dtype)
    loss = bl.loss(name, **parameters)
    value, both = loss.value_and_gradient(a, b, wrt="both", reduction="none")
    with plain():
        assert_same_bits(value, loss(a, b, reduction="none"), a, b)
    for got, want in zip(both, slopes(name, parameters, a, b, "ab"), strict=True):
        assert_same_bits(got, want, a, b)
    if name in REPRESENTATIVES:
        assert_same_bits(loss.value_and_gradient(a, b, reduction="none")[1], both[0], a, b)


def in_formats() -> list[Any]:
    cases = [(name, format) for name in REPRESENTATIVES for format in FORMATS if format != "xyxy"]
    return [pytest.param(*case, marks=[] if case[0] == "giou" else [pytest.mark.slow]) for case in cases]


@pytest.mark.parametrize(("name", "format"), in_formats())
def test_formats(name: str, format: str) -> None:
    for dtype in FLOATS:
        a, b = every_kind(dtype, 20)
        loss = bl.loss(name)
        value, both = loss.value_and_gradient(a, b, wrt="both", reduction="none", format=format)
        with plain():
            assert_same_bits(value, loss(a, b, reduction="none", format=format), a, b)
        for got, want in zip(both, slopes(name, {}, a, b, "ab", format), strict=True):
            assert_same_bits(got, want, a, b)


@pytest.mark.parametrize("name", ["iou", "ciou"])
def test_tame_and_wild_chunks_side_by_side(name: str) -> None:
    """One wild pair sends its chunk through the other kernel: the rows around it keep their bits."""
    n = 3 * CHUNK
    drawn = sample(("coco",), 997, "float32")
    a, b = np.resize(drawn.a, (n, 4)), np.resize(drawn.b, (n, 4))
    loss = bl.loss(name)
    before = [x.copy() for x in (a, b)]
    value, gradient = loss.value_and_gradient(a, b, reduction="none")
    for rows in ([0], [BLOCK], [CHUNK - 1], [CHUNK], [2 * CHUNK - 1], [n - 1], range(0, n, CHUNK), range(5, n, 7)):
        a, b = (x.copy() for x in before)
        a[rows] *= np.float32(2.0**-20)
        b[rows] *= np.float32(2.0**-20)
        tame = np.ones(n, bool)
        tame[rows] = False
        new_value, new_gradient = loss.value_and_gradient(a, b, reduction="none")
        assert_same_bits(new_value, value, a, b)  # a unit that is 2^20 times larger changes no value
        assert_same_bits(new_gradient[tame], gradient[tame], a[tame], b[tame])
        assert_same_bits(new_gradient[~tame], gradient[~tame] * np.float32(2.0**20), a[~tame], b[~tame])


@pytest.mark.parametrize("name", each_loss())
def test_integers_with_ties(name: str) -> None:
    """Every way in which the edges of two small boxes may lie."""
    edges = [(low, high) for low in range(4) for high in range(low, 4)]
    boxes = np.array([(x[0], y[0], x[1], y[1]) for x in edges for y in edges], "float32")
    a, b = (x.reshape(-1, 4) for x in np.broadcast_arrays(boxes[:, None], boxes[None]))
    value, gradients = bl.loss(name).value_and_gradient(a, b, wrt="both", reduction="none")
    with plain():
        assert_same_bits(value, bl.loss(name)(a, b, reduction="none"), a, b)
    for got, want in zip(gradients, slopes(name, {}, a, b, "ab"), strict=True):
        assert_same_bits(got, want, a, b)
