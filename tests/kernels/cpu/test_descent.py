"""The loop of the regression experiment: the bits of the same steps on arrays, and the steps that PyTorch's optimisers make."""

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.kernels.cpu.bodies import has_tame
from boxloss.kernels.cpu.descent import BLOCK, MOVES, Descent, Update, by_graph
from boxloss.simulate.gradients import as_released, exact
from close import close
from kernels.cpu.loops import bits

STEPS = 12
SIZES = (1, BLOCK - 1, BLOCK, 2 * BLOCK + 5)


def update_of(name, *, optimiser="descent", dtype="float64", format="cxcywh", factor=True):
    full, tame = (exact(bl.catalogue()[name], {}, dtype=dtype, format=format, tame=tame) for tame in (False, True))
    return Update(full, tame if has_tame(bl.catalogue()[name]) else None, format, optimiser, factor)


def cases(n, dtype="float64", seed=0, scale=1.0):
    """(8, n): boxes in cxcywh and their targets."""
    rng = np.random.default_rng(seed)
    found = np.concatenate([rng.uniform(0, 4, (2, n)), rng.uniform(0.2, 2, (2, n)), rng.uniform(1, 3, (2, n)), rng.uniform(0.2, 2, (2, n))])
    return np.ascontiguousarray(scale * found, dtype)


def rates(rate=0.05, dtype="float64"):
    steps = np.arange(1, STEPS + 1)
    return np.ascontiguousarray(np.stack([np.full(STEPS, rate), 1 - 0.9**steps, 1 - 0.999**steps], 1), dtype)


def run(loop, columns, given, path=True):
    """Where the boxes are after the steps, their errors' sums, and their path."""
    moved, sums = columns.copy(), np.zeros((len(given), BLOCK))
    way = np.empty((len(given), 4, columns.shape[1]), columns.dtype) if path else None
    loop(moved, given, sums, way)
    assert (moved[4:] == columns[4:]).all()
    return moved[:4], sums, way


def assert_same_bits(update, columns, given):
    for got, want in zip(run(Descent(update), columns, given), run(lambda *how: by_graph(update, *how), columns, given), strict=True):
        assert (bits(got + 0) == bits(want + 0)).all()


# Few: each is a kernel, and compiling it takes longer than all else here.
WAYS = [
    *({"name": "giou", "optimiser": optimiser} for optimiser in MOVES),
    {"name": "giou", "dtype": "float32"},
    {"name": "giou", "factor": False},
    {"name": "smooth_l1", "format": "xyxy", "optimiser": "adam"},
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(map(str, way.values())))
def test_the_kernel_has_the_array_paths_bits(way):
    dtype = way.get("dtype", "float64")
    for n in SIZES:
        assert_same_bits(update_of(**way), cases(n, dtype), rates(dtype=dtype))


def test_the_released_update_too():
    assert_same_bits(Update(as_released("ciou", dtype="float64"), None, "cxcywh", "descent", True), cases(100), rates())


def test_one_wild_pair_changes_no_other():
    """Its block takes the longer text for all of its pairs."""
    update = update_of("giou")
    columns = cases(3 * BLOCK)
    moved, _, _ = run(Descent(update), columns, rates())
    wild = columns.copy()
    wild[:, BLOCK + 3] *= 2.0**30  # beyond what is tame
    wild[2, 5] *= -1  # inverted
    wild[0, 2 * BLOCK] = np.nan
    assert_same_bits(update, wild, rates())
    got, _, _ = run(Descent(update), wild, rates())
    others = np.setdiff1d(np.arange(3 * BLOCK), [5, BLOCK + 3, 2 * BLOCK])
    assert (got[:, others] == moved[:, others]).all()


def test_a_path_is_all_the_steps_and_its_end_is_the_end():
    columns, given = cases(BLOCK + 1), rates()
    moved, sums, path = run(Descent(update_of("giou")), columns, given)
    assert (path[-1] == moved).all()
    first, _, _ = run(Descent(update_of("giou")), columns, given[:1])
    assert (path[0] == first).all()
    without, same, _ = run(Descent(update_of("giou")), columns, given, path=False)
    assert (without == moved).all()
    assert (same == sums).all()


def test_sums_are_the_errors_of_the_path_and_are_added_to():
    columns, given = cases(2 * BLOCK + 5), rates()
    _, sums, path = run(Descent(update_of("giou")), columns, given)
    close(sums.sum(1), np.abs(path - columns[4:]).sum((1, 2)), "float64", "sum")
    more = sums.copy()
    Descent(update_of("giou"))(columns, given, more, None)
    assert (more >= sums).all()
    close(more, 2 * sums, "float64", "sum")


def by_torch(columns, name, make, schedule, factor):
    """The end of the same steps by autograd and an optimiser of PyTorch's."""
    x, y = (torch.from_numpy(part.T.copy()) for part in (columns[:4], columns[4:]))
    x.requires_grad_()
    optimiser = make([x], lr=1.0)
    for rate in schedule[:, 0]:
        optimiser.param_groups[0]["lr"] = float(rate)
        with bl.plain():
            weight = 2 - bl.iou(x.detach(), y, format="cxcywh") if factor else None
            (x.grad,) = torch.autograd.grad(bl.loss(name)(x, y, reduction="none", weight=weight, format="cxcywh").sum(), x)
        optimiser.step()
    return x.detach().numpy().T


TORCH = {
    "descent": torch.optim.SGD,
    "momentum": lambda parameters, lr: torch.optim.SGD(parameters, lr=lr, momentum=0.9),
    "adam": torch.optim.Adam,
}


@pytest.mark.parametrize(("optimiser", "factor"), [*((optimiser, True) for optimiser in MOVES), ("descent", False)])
def test_steps_are_pytorchs(optimiser, factor):
    columns, given = cases(200), rates(0.01)
    got, _, _ = run(Descent(update_of("giou", optimiser=optimiser, factor=factor)), columns, given)
    want = by_torch(columns, "giou", TORCH[optimiser], given, factor)
    assert (got != columns[:4]).any()
    close(got, want, "float64", "textbook", scale=np.ones(want.shape))
