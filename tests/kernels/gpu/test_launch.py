"""What stands before a launch: the checks, the kernel that is made once, and how it is called."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

import boxloss as bl
from boxloss.errors import DTypeError, FormatError, ShapeError
from boxloss.kernels import gpu
from boxloss.kernels.gpu import best, elementwise, launch, matrix
from boxloss.kernels.gpu.launch import available, boxes, is_packed, kernel_of, run, steps, two_boxes
from boxloss.kernels.gpu.program import elementwise_text, pairwise_text

GIOU = bl.catalogue()["giou"]


def test_available_is_a_question_of_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    x, nowhere = torch.zeros((1, 4)), torch.zeros((1, 4), device="meta")
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    assert not available(x)
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert available(x)
    assert not available(nowhere)
    monkeypatch.setattr(launch, "_has_triton", lambda: False)
    assert not available(x)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (torch.zeros(4), ShapeError, r"f: a has shape \(4,\), expected \(n, 4\)"),
        (torch.zeros((2, 3, 4)), ShapeError, r"f: a has shape \(2, 3, 4\), expected \(n, 4\)"),
        (torch.zeros((2, 5)), ShapeError, r"f: a has shape \(2, 5\)"),
        (torch.zeros((2, 4), dtype=torch.float16), DTypeError, "f: a holds torch.float16, expected float32 or float64"),
        (torch.zeros((2, 4), dtype=torch.complex64), DTypeError, "torch.complex64"),
        (torch.zeros((2, 4), dtype=torch.int64), DTypeError, "torch.int64"),
    ],
)
def test_boxes(x: torch.Tensor, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        boxes("f", "a", x)


def test_two_boxes() -> None:
    x = torch.zeros((2, 4))
    with pytest.raises(DTypeError, match=r"f: a holds torch.float32 on cpu and b torch.float64 on cpu, expected the same"):
        two_boxes("f", x, x.double(), "xyxy")
    with pytest.raises(DTypeError, match="on meta, expected the same"):
        two_boxes("f", x, x.to("meta"), "xyxy")
    with pytest.raises(FormatError, match="yxyx"):
        two_boxes("f", x, x, "yxyx")


def negated(x: torch.Tensor) -> torch.Tensor:
    """-x as PyTorch has it where it would rather not compute: the memory of x, and a bit that says so."""
    return torch._neg_view(x)


@pytest.mark.usefixtures("interpreter")
def test_a_negative_bit_is_heeded() -> None:
    a, b = torch.tensor([[1.0, 2, 4, 6]]), torch.tensor([[2.0, 3, 5, 9]])
    weight = torch.tensor([3.0])
    assert negated(-a).is_neg()
    want = gpu.value_and_gradient(GIOU, {}, a, b, wrt="a", weight=weight)
    got = gpu.value_and_gradient(GIOU, {}, negated(-a), negated(-b), wrt="a", weight=negated(-weight))
    assert all(x is y or torch.equal(x, y) for x, y in zip(got, want, strict=True))
    assert torch.equal(gpu.pairwise(GIOU, {}, negated(-a), b), gpu.pairwise(GIOU, {}, a, b))
    assert torch.equal(gpu.nearest(GIOU, {}, a, negated(-b))[0], gpu.nearest(GIOU, {}, a, b)[0])


@pytest.mark.usefixtures("interpreter")
def test_what_asks_for_a_gradient_is_taken_as_numbers() -> None:
    a = torch.rand((3, 4), requires_grad=True)
    outputs = gpu.value_and_gradient(GIOU, {}, a, a * 2, wrt="ab", weight=a.sum(1), scale=a.sum())
    assert not any(x.requires_grad for x in outputs if x is not None)


def test_steps_and_packing() -> None:
    x = torch.zeros((6, 4))
    assert steps(x[::2]) == (8, 1)
    assert is_packed(x)
    assert is_packed(x[1:])
    for apart in (x[::2], torch.zeros((6, 5))[:, :4], torch.zeros((4, 6)).t(), x[:1].expand(6, 4)):
        assert not is_packed(apart)


@pytest.mark.usefixtures("interpreter")
def test_a_kernel_is_made_once() -> None:
    x = torch.zeros((1, 4))
    smooth = bl.catalogue()["smooth_l1"]

    def made(**how: Any) -> Any:
        asked = {"format": "xyxy", "similarity": False, "wrt": "ab"} | how
        return kernel_of(elementwise_text, smooth, asked.pop("parameters", {"beta": 0.5}), asked.pop("like", x), **asked)

    with ThreadPoolExecutor(8) as pool:
        assert len({id(kernel) for kernel in pool.map(lambda _: made(), range(16))}) == 1
    others = [
        made(parameters={"beta": 0.25}),
        made(like=x.double()),
        made(format="xywh"),
        made(similarity=True),
        made(wrt="a"),
        kernel_of(pairwise_text, smooth, {"beta": 0.5}, x, format="xyxy", similarity=False),
    ]
    assert len({id(kernel) for kernel in [made(), *others]}) == 7


def test_run() -> None:
    """Without contraction, whatever the environment says."""
    called: list[Any] = []

    class Kernel:
        def __getitem__(self, grid: tuple[int, ...]) -> Any:
            return lambda *arguments, **constants: called.append((grid, arguments, constants))

    run(Kernel(), (3, 2), torch.zeros(1), 1, None, BLOCK=8, num_warps=4)
    assert called == [((3, 2), (1, None), {"BLOCK": 8, "num_warps": 4, "enable_fp_fusion": False})]


@pytest.mark.usefixtures("interpreter")
@pytest.mark.parametrize("n", [1, 256, 257, 10**6, 2**31, 2**36])
def test_grids_are_within_the_limits(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """2^31 - 1 programs along the first axis and 65,535 along the second, for as many boxes as a GPU's memory could ever hold."""
    grids: list[tuple[int, ...]] = []

    def look(kernel: Any, grid: tuple[int, ...], *_: Any, **__: Any) -> None:
        grids.append(grid)

    for module in (best, elementwise, matrix):
        monkeypatch.setattr(module, "run", look)
    many = torch.empty((n, 4), device="meta")
    gpu.value_and_gradient(GIOU, {}, many, many, wrt="ab", reduction="sum")
    for m in (1, 60, 10**4):
        few = torch.empty((m, 4), device="meta")
        for a, b in ((many, few), (few, many)):
            if n * m < 2**40:  # a matrix of 4 TiB
                gpu.pairwise(GIOU, {}, a, b)
            gpu.nearest(GIOU, {}, a, b, k=2)
            gpu.nearest_both(GIOU, {}, a, b)
    for grid in grids:
        assert all(isinstance(programs, int) and programs >= 1 for programs in grid)
        assert grid[0] < 2**31
        assert grid[1:] <= (65535,)
