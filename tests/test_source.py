"""`bl.source`: the text stands by itself, and computes what the library computes, to the bit."""

import os
import subprocess
import sys

import numpy as np
import pytest

import boxloss as bl
from boxloss.boxes import corners
from boxloss.calculus.trace import SIDES
from boxloss.pair import Pair
from each import each_loss
from properties.asking import same_bits
from properties.samples import sample
from strategies import CLASSES

NAMES = each_loss()
KINDS = tuple(name for name in CLASSES if name not in ("subnormal", "identical"))


def function(text):
    """The function that the text defines last, after running it with nothing but Python and NumPy."""
    names = {}
    exec(compile(text, "<source>", "exec"), names)
    return list(names.values())[-1]


def columns(dtype, n=40, classes=CLASSES):
    boxes = sample(classes, n, dtype)
    return [np.ascontiguousarray(x) for x in (*boxes.a.T, *boxes.b.T)]


def array_path(name, at, format="xyxy", similarity=False, **parameters):
    record = bl.catalogue()[name]
    pair = Pair(corners(tuple(at[:4]), format), corners(tuple(at[4:]), format))
    with np.errstate(all="ignore"):
        return (record.measure if similarity else record)(pair, **parameters)


def run(text, at):
    with np.errstate(all="ignore"):
        return function(text)(*at)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numba_text_runs_on_numpy_arrays_and_has_their_bits(dtype, name):
    at = columns(dtype)
    got = run(bl.source(name, dtype=dtype), at)
    assert got.dtype == dtype
    assert same_bits(got, array_path(name, at)).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numba_gradient_has_the_bits_of_the_graph(dtype, name):
    from boxloss.calculus.evaluate import evaluate
    from boxloss.calculus.trace import trace

    at = columns(dtype, 20)
    got = run(bl.source(name, dtype=dtype, gradient=True), at)
    want = evaluate(trace(bl.catalogue()[name], {}, dtype=dtype, wrt="ab"), at)
    assert len(got) == 9
    for g, w in zip(got, want, strict=True):
        assert same_bits(g, w).all()


@pytest.mark.parametrize("format", ["xywh", "cxcywh", "ltrb"])
def test_formats_and_similarity(format):
    at = columns("float64", 20, ("coco", "integers"))
    text = bl.source("giou", dtype="float64", format=format, similarity=True)
    assert f"def giou({', '.join(f'{box}_{side}' for box in 'ab' for side in SIDES[format])}):" in text
    assert same_bits(run(text, at), array_path("giou", at, format, similarity=True)).all()


def test_parameters():
    at = columns("float32", 20)
    assert same_bits(run(bl.source("smooth_l1", beta=0.25), at), array_path("smooth_l1", at, beta=0.25)).all()


@pytest.mark.parametrize("name", ["ciou", "iou_log"])
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
def test_numba_compiles_the_text_to_the_same_bits(dtype, name, tmp_path):
    """On numbers, one pair at a time; helpers and function are compiled as a user would: by putting @njit before each."""
    pytest.importorskip("numba")
    text = bl.source(name, dtype=dtype, gradient=True)
    decorated = "from numba import njit\n" + text.replace("\ndef ", '\n@njit(error_model="numpy")\ndef ')
    kernel, at = function(decorated), columns(dtype, 6)
    got = np.array([kernel(*row) for row in zip(*at, strict=True)])
    assert same_bits(got, np.stack(run(text, at), -1)).all()


LAUNCH = """
import numpy as np, sys, torch, triton, triton.language as tl
sys.path.insert(0, {folder!r})
from triton_text import {name}

@triton.jit
def kernel(at, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    {results} = {name}({loads})
{stores}

at = torch.from_numpy(np.load({folder!r} + "/at.npy"))
out = torch.zeros({n_results}, at.shape[1], dtype=at.dtype)
kernel[(triton.cdiv(at.shape[1], 128),)](at, out, at.shape[1], BLOCK=128)
np.save({folder!r} + "/out.npy", out.numpy())
"""


@pytest.mark.parametrize("name", ["ciou", pytest.param("iou_log", marks=pytest.mark.slow)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_triton_text_has_the_bits_of_the_numba_text(dtype, name, tmp_path):
    """By Triton's interpreter, which needs no GPU; in a process of its own, since that is chosen before Triton is imported."""
    pytest.importorskip("triton")
    (tmp_path / "triton_text.py").write_text(bl.source(name, target="triton", dtype=dtype, gradient=True))
    at = columns(dtype, 12)
    np.save(tmp_path / "at.npy", np.stack(at))
    names = [f"r{k}" for k in range(9)]
    script = LAUNCH.format(
        folder=str(tmp_path),
        name=name,
        results=", ".join(names),
        n_results=9,
        loads=", ".join(f"tl.load(at + {k} * n + i, mask=inside, other=1.0)" for k in range(8)),
        stores="\n".join(f"    tl.store(out + {k} * n + i, {r}, mask=inside)" for k, r in enumerate(names)),
    )
    (tmp_path / "launch.py").write_text(script)
    done = subprocess.run([sys.executable, tmp_path / "launch.py"], env={**os.environ, "TRITON_INTERPRET": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    want = np.stack(run(bl.source(name, dtype=dtype, gradient=True), at))
    assert same_bits(np.load(tmp_path / "out.npy"), want).all()


def user_formula(function):
    return bl.formula(title="A user's", paper="none", bounds="[0, inf)", symmetric=True, scale_free=True)(function)


def test_a_formula_of_ones_own_with_names_that_are_taken():
    def sqrt(p):
        half = bl.ops.exp(-p.iou)
        where = half + bl.ops.sqrt(p.jaccard) + half * float("inf")
        return bl.ops.where(where > half, half, bl.ops.minimum(where, p.iou)) + bl.ops.sin(where - where)

    at = columns("float32", 20, ("coco", "integers"))
    text = bl.source(user_formula(sqrt))
    assert "def sqrt_2(" in text
    with np.errstate(all="ignore"):
        want = sqrt(Pair(tuple(at[:4]), tuple(at[4:])))
    assert same_bits(run(text, at), want).all()


def test_the_text_says_what_it_is():
    lines = bl.source("ciou").splitlines()
    assert lines[0] == "# ciou: Complete IoU loss"
    assert "arXiv:1911.08287" in lines[1]
    assert "loss = jaccard + offset2 / hull_diagonal2 + alpha v" in lines[2]
    assert max(map(len, lines)) <= 160
    assert "boxloss" not in bl.source("ciou", target="triton", gradient=True)


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({"target": "cuda"}, bl.errors.UnknownNameError, "unknown target of source 'cuda': there are: javascript, numba, triton"),
        ({"target": "tritone"}, bl.errors.UnknownNameError, "unknown target of source 'tritone': did you mean triton?"),
        ({"dtype": "float16"}, bl.errors.ParameterError, "source: dtype is 'float16', expected float32 or float64"),
        (
            {"format": "xyzw"},
            bl.errors.FormatError,
            "source: format is 'xyzw', expected one of xyxy, xywh, cxcywh, ltrb; for segments xx, xw, cxw, lr; for volumes xyzxyz, xyzwhd, cxcyczwhd",
        ),
        (
            {"gamma": 2},
            bl.errors.UnknownNameError,
            "unknown parameter of iou 'gamma': there are: focal, focal_inverse, focaler, inner, log, power, squared, wise",
        ),
    ],
)
def test_errors(how, error, message):
    with pytest.raises(error) as refusal:
        bl.source("iou", **how)
    assert str(refusal.value) == message


def test_an_unknown_loss():
    with pytest.raises(bl.errors.UnknownNameError, match="did you mean giou"):
        bl.source("gio")
