"""Ten thousand calls later a process is as large as before."""

import sys

import pytest

from kernels.processes import run

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the size of a process is read from /proc"),
    pytest.mark.thread_unsafe(reason="a process of its own"),
]

# Both ways into the kernels, with each reduction, weights, and broadcasting; sizes in pages before and after.
CODE = """
import gc, resource
import numpy as np, torch
import boxloss as bl
from boxloss.kernels import switch
from strategies import hazard

n = {n}
a, b = hazard("coco", n, "float32")
w = np.ones(n, "float32")
x, y, v = torch.from_numpy(a).requires_grad_(), torch.from_numpy(b), torch.from_numpy(w)
loss = bl.loss("ciou")

def call(k):
    reduction = ("mean", "sum", "none")[k % 3]
    weighted = k % 2 == 0
    loss.value_and_gradient(a, b[:1] if k % 5 == 0 else b, wrt=("pred", "both")[k % 2], reduction=reduction, weight=w if weighted else None)
    value = loss(x, y[:1] if k % 5 == 0 else y, reduction=reduction, weight=v if weighted else None)
    value.backward(torch.ones_like(value))
    x.grad = None
    if k % 100 == 0:
        bl.loss("ciou")(a, b)
        try:
            loss(a, b[:3], weight=w[:2])
        except bl.BoxLossError:
            pass

def size():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

for k in range(1000):
    call(k)
before = size()
for k in range(10_000):
    call(k)
assert switch.cpu_kernels()
print(size() - before)
"""


@pytest.mark.parametrize("n", [300, pytest.param(30, marks=pytest.mark.slow)])
def test_calls_leave_nothing_behind(n: int) -> None:
    assert int(run(CODE.replace("{n}", str(n)))) < 2**20


@pytest.mark.slow
def test_the_test_would_notice() -> None:
    """Some hundred bytes a call."""
    leak = CODE.replace("{n}", "30").replace("def call(k):", "kept = []\n\ndef call(k):\n    kept.append(bytes(300))")
    assert int(run(leak)) > 2**20
