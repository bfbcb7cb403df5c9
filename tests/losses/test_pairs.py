"""All pairs: the matrix, the best of it and its large numbers, by kernels and without, on every kind of array; the matrix itself is the reference."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import boxloss as bl
from each import REPRESENTATIVES
from strategies import CLASSES, hazard

DTYPES = ("float32", "float64")
NAMES = [*((name, "float32") for name in (*REPRESENTATIVES, "l1")), ("giou", "float64")]


def boxes(seed, n, dtype="float32", whole=False, spread=640):
    rng = np.random.default_rng(seed)
    centre, side = rng.uniform(0, spread, (n, 2)), np.exp(rng.uniform(np.log(8), np.log(300), (n, 2)))
    made = np.hstack([centre - side / 2, centre + side / 2])
    return (np.round(made / 40) * 40 if whole else made).astype(dtype)


def spoiled(made):
    """With boxes that need care among them: NaN, points, inverted, infinite and huge ones."""
    rows = [[np.nan, 0, 1, 1], [0, 0, 0, 0], [5, 5, 1, 1], [np.inf, 1, 2, 3], [1e30, 1, 2e30, 3], [0, 0, 1e-6, 1e-7], [3, 3, 3, 9]]
    made = made.copy()
    made[1 : 1 + len(rows)] = np.array(rows, made.dtype)[: len(made) - 1]
    return made


def plain_matrix(name, a, b, **how):
    with bl.plain():
        return bl.pairwise(name, a, b, **how)


def best(matrix, k):
    """The k best of each row, of equal ones the lowest index first; NaN never; -infinity and -1 where there are fewer."""
    ranked = np.where(np.isnan(matrix), -np.inf, matrix)
    ranked = np.concatenate([ranked, np.full((len(ranked), k), -np.inf, ranked.dtype)], 1)
    order = np.argsort(-ranked, 1, kind="stable")[:, :k]
    values = np.take_along_axis(ranked, order, 1)
    order = np.where(values == -np.inf, -1, order)
    return (values[:, 0], order[:, 0]) if k == 1 else (values, order)


def same(got, want):
    for x, y in zip(got, want, strict=True):
        x = np.asarray(x)
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)


def check_searches(name, a, b, k=1, threshold=0.3, **how):
    matrix = plain_matrix(name, a, b, **how)
    same(bl.nearest(name, a, b, k=k, **how), best(matrix, k))
    of_a, of_b = bl.nearest(name, a, b, k=k, both=True, **how)
    same(of_a, best(matrix, k))
    same(of_b, best(matrix.T, k))
    rows, columns = np.nonzero(matrix > threshold)
    same(bl.pairs_above(name, a, b, threshold, **how), (rows, columns, matrix[rows, columns]))


@pytest.mark.parametrize(("name", "dtype"), NAMES)
def test_the_matrix_has_the_bits_of_the_plain_formula(name, dtype):
    for kind in CLASSES:
        a, b = hazard(kind, 70, dtype)[0], hazard(kind, 40, dtype, seed=1)[1]
        a[3, 2] = np.nan
        for measure in (name, f"{name}_loss"):
            np.testing.assert_array_equal(bl.pairwise(measure, a, b), plain_matrix(measure, a, b))


@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (65, 1023), (64, 1024), (130, 2050), (0, 3), (3, 0)])
def test_the_matrix_of_any_size(n, m, n_threads, threads):
    threads(n_threads)
    a, b = boxes(0, n), boxes(1, m)
    if n > 20 and m > 20:
        a, b = spoiled(a), spoiled(b)
    np.testing.assert_array_equal(bl.pairwise("giou", a, b), plain_matrix("giou", a, b))


@pytest.fixture
def threads(monkeypatch):
    from boxloss.kernels import threads

    return lambda n: monkeypatch.setattr(threads, "_chosen", n)


@pytest.mark.parametrize("format", ["xywh", "cxcywh", "ltrb"])
def test_the_matrix_in_other_formats_and_any_memory(format):
    a, b = np.abs(boxes(0, 50)), np.abs(boxes(1, 60))
    want = plain_matrix("ciou", a, b, format=format)
    for x, y in ((a, b), (np.asfortranarray(a), b[::-1][::-1]), (np.repeat(a, 2, 0)[::2], np.hstack([b, b])[:, :4])):
        np.testing.assert_array_equal(bl.pairwise("ciou", x, y, format=format), want)


def test_batches_broadcast():
    a, b = boxes(0, 2 * 3 * 5).reshape(2, 3, 5, 4), boxes(1, 3 * 7).reshape(3, 7, 4)
    got = bl.pairwise("iou", a, b)
    assert got.shape == (2, 3, 5, 7)
    np.testing.assert_array_equal(got, plain_matrix("iou", a, b))
    np.testing.assert_array_equal(got[1, 2], bl.pairwise("iou", a[1, 2], b[2]))


@pytest.mark.parametrize(("name", "dtype"), NAMES)
def test_every_measure(name, dtype):
    """Enough pairs for the bounds to be at work."""
    a, b = boxes(0, 1100, dtype), boxes(1, 130, dtype)
    check_searches(name, a, b, threshold=-20.0 if name == "l1" else 0.3)


@pytest.mark.parametrize("k", [1, 3, 70])
@pytest.mark.parametrize(("n", "m"), [(900, 150), (150, 900), (40, 9), (1, 1), (5, 5000)])
def test_boxes_that_need_care_and_ties(n, m, k):
    """Whole rows are ties, among boxes on a coarse grid; and more are asked for than there are."""
    for whole in (False, True):
        check_searches("iou", spoiled(boxes(0, n, whole=whole)), spoiled(boxes(1, m, whole=whole)), k)
        check_searches("giou", spoiled(boxes(2, n, whole=whole)), spoiled(boxes(3, m, whole=whole)), k)


@pytest.mark.parametrize("kind", CLASSES)
def test_hazards(kind):
    for dtype in DTYPES:
        check_searches("ciou", hazard(kind, 600, dtype)[0], hazard(kind, 120, dtype, seed=1)[1], k=2)


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 1500),
    m=st.integers(1, 300),
    whole=st.booleans(),
    k=st.sampled_from([1, 1, 2]),
    spread=st.sampled_from([50, 640, 5000]),
)
def test_any_boxes(seed, n, m, whole, k, spread):
    a, b = boxes(seed, n, whole=whole, spread=spread), boxes(seed + 1, m, whole=whole, spread=spread)
    check_searches("iou", a, b, k)
    check_searches("diou", a, b, k)


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
def test_searches_on_any_number_of_threads(n_threads, threads):
    threads(n_threads)
    check_searches("giou", spoiled(boxes(0, 9000, whole=True)), spoiled(boxes(1, 70, whole=True)), k=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iou", "giou", "smooth_l1"])
def test_many_boxes(name):
    a, b = boxes(0, 20_000, spread=3000), boxes(1, 700, spread=3000)
    check_searches(name, a, b)
    check_searches(name, a, b, k=9)


@pytest.mark.parametrize("format", ["xywh", "cxcywh", "ltrb"])
def test_searches_in_other_formats(format):
    a, b = np.abs(boxes(0, 900)), np.abs(boxes(1, 140))
    check_searches("iou", a, b, format=format)


def test_a_users_formula_that_is_not_symmetric():
    @bl.formula(title="One", paper="none", bounds="[0, 1]", symmetric=False, scale_free=True)
    def covered(p):
        return 1.0 - bl.ops.ratio(p.overlap, p.x.a_side * p.y.a_side)

    for n, m in ((900, 140), (140, 900)):
        check_searches(covered, boxes(0, n), boxes(1, m))


def test_a_losss_name_gives_the_largest_loss():
    a, b = boxes(0, 60), boxes(1, 50)
    same(bl.nearest("giou_loss", a, b), best(plain_matrix("giou_loss", a, b), 1))


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
@pytest.mark.parametrize("kernels", [True, False])
def test_nothing_to_choose_from(n, m, kernels):
    def check():
        (values, indices), (values_b, indices_b) = bl.nearest("iou", np.zeros((n, 4)), np.zeros((m, 4)), both=True)
        assert (values.tolist(), indices.tolist()) == ([-np.inf] * n, [-1] * n)
        assert (values_b.tolist(), indices_b.tolist()) == ([-np.inf] * m, [-1] * m)
        assert bl.nearest("iou", np.zeros((n, 4)), np.zeros((m, 4)), k=4)[1].shape == (n, 4)
        assert [len(x) for x in bl.pairs_above("iou", np.zeros((n, 4)), np.zeros((m, 4)), 0)] == [0, 0, 0]

    if kernels:
        check()
    else:
        with bl.plain():
            check()


def test_without_kernels_in_chunks(monkeypatch):
    monkeypatch.setattr("boxloss.losses.pairs.CHUNK", 1000)
    with bl.plain():
        check_searches("giou", spoiled(boxes(0, 60, whole=True)), spoiled(boxes(1, 130, whole=True)), k=2)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int32", "uint8"])
def test_tensors(dtype):
    numbers = [np.clip(boxes(seed, n, whole=True), 0, 255) for seed, n in ((0, 400), (1, 300))]
    a, b = (torch.from_numpy(x).to(getattr(torch, dtype)) for x in numbers)
    wide = torch.float64 if dtype in ("float64", "int32") else torch.float32
    with bl.plain():
        matrix = bl.pairwise("iou", a, b)
    assert matrix.dtype == wide
    assert torch.equal(bl.pairwise("iou", a, b), matrix)
    values, indices = bl.nearest("iou", a, b)
    assert isinstance(values, torch.Tensor)
    assert values.dtype == wide
    same((values.numpy(), indices.numpy()), best(matrix.numpy(), 1))
    of_a, of_b, above = bl.pairs_above("iou", a, b, 0.5)
    assert torch.equal(torch.stack([of_a, of_b], 1), torch.nonzero(matrix > 0.5))
    assert torch.equal(above, matrix[matrix > 0.5])


def test_jax_arrays_are_given_back_as_such():
    jnp = pytest.importorskip("jax").numpy
    a, b = boxes(0, 40), boxes(1, 30)
    values, indices = bl.nearest("iou", jnp.asarray(a), jnp.asarray(b))
    assert isinstance(values, type(jnp.asarray(a)))
    want = best(plain_matrix("iou", a, b), 1)
    np.testing.assert_array_equal(np.asarray(indices), want[1])
    np.testing.assert_array_equal(np.asarray(values), want[0])
    of_a, of_b, _ = bl.pairs_above("iou", jnp.asarray(a), jnp.asarray(b), 0.3)
    assert len(of_a) == len(of_b) == (plain_matrix("iou", a, b) > 0.3).sum()


def test_a_gradient_through_the_matrix_is_the_plain_formulas():
    a, b = (torch.from_numpy(boxes(seed, 20, "float64")).requires_grad_() for seed in (0, 1))
    got = bl.pairwise("giou", a, b)
    assert got.requires_grad
    assert torch.autograd.gradcheck(lambda x, y: bl.pairwise("giou", x, y), (a[:3], b[:3]), eps=1e-5)
    with torch.no_grad():
        assert torch.equal(bl.pairwise("giou", a, b), got)
    values, _ = bl.nearest("giou", a, b)
    assert not values.requires_grad


def test_the_matrix_under_compile_and_vmap():
    a, b = torch.from_numpy(boxes(0, 30)), torch.from_numpy(boxes(1, 20))
    want = bl.pairwise("giou", a, b)
    torch._dynamo.reset()
    assert torch.equal(torch.compile(lambda x, y: bl.pairwise("giou", x, y), fullgraph=True, backend="aot_eager")(a, b), want)
    assert torch.equal(torch.vmap(lambda x: bl.pairwise("giou", x[None], b)[0])(a), want)


@pytest.mark.parametrize(("n", "m"), [(400_000, 2_000), (50_000, 50_000)])
def test_memory_without_the_matrix(n, m):
    """Two lists whose matrix would have thousands of millions of numbers."""
    a, b = boxes(0, n, spread=60_000), boxes(1, m, spread=60_000)
    bl.nearest("iou", a[:2000], b)
    tracemalloc.start()
    bl.nearest("iou", a, b, both=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 * (n + m)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: bl.nearest("iou", a, a, k=0), bl.errors.ParameterError, "nearest('iou'): k is 0, expected a whole number >= 1"),
        (lambda a: bl.nearest("iou", a, a, k=1.5), bl.errors.ParameterError, "nearest('iou'): k is 1.5, expected a whole number >= 1"),
        (lambda a: bl.nearest("iou", a[0], a), bl.errors.ShapeError, "nearest('iou'): a has shape (4,), expected (N, 4)"),
        (lambda a: bl.pairs_above("iou", a, a[None], 0.5), bl.errors.ShapeError, "pairs_above('iou'): b has shape (1, 3, 4), expected (N, 4)"),
        (lambda a: bl.pairs_above("iou", a, a, float("nan")), bl.errors.ParameterError, "pairs_above('iou'): threshold is nan, expected a number"),
        (lambda a: bl.pairwise("iou", a[0], a), bl.errors.ShapeError, "pairwise('iou'): a has shape (4,), expected (..., N, 4): for a single box try a[None]"),
        (lambda a: bl.nearest("smoothl1", a, a), bl.errors.UnknownNameError, "unknown loss 'smoothl1': did you mean smooth_l1?"),
        (lambda a: bl.nearest("l1", a, a, gamma=2), bl.errors.ParameterError, "l1 has no parameters, but 'gamma' was given"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error) as refusal:
        call(np.ones((3, 4)))
    assert str(refusal.value).startswith(message.removesuffix("?"))
