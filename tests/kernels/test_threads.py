"""The pool of threads: each part once, the same bits whatever the number, and a fork is no end."""

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.errors import ParameterError
from boxloss.kernels import threads
from boxloss.kernels.cpu.elementwise import CHUNK
from boxloss.kernels.cpu.run import PART
from boxloss.kernels.threads import get_num_threads, run_parts, set_num_threads
from kernels.processes import run
from strategies import hazard

pytestmark = pytest.mark.thread_unsafe(reason="the number of threads is the process's")


@pytest.fixture(autouse=True)
def unchosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = torch.get_num_threads()
    monkeypatch.setattr(threads, "_chosen", None)
    yield
    torch.set_num_threads(before)


# How many


def test_as_many_as_pytorch_has() -> None:
    for n in (1, 3):
        torch.set_num_threads(n)
        assert get_num_threads() == n
    set_num_threads(2)
    assert get_num_threads() == 2


ASK = "from boxloss.kernels.threads import get_num_threads; print(get_num_threads())"


@pytest.mark.parametrize(("given", "n"), [("3", 3), ("5,2", 5), (" 4 ", 4)])
def test_as_many_as_openmp_is_told(given: str, n: int) -> None:
    assert run(ASK, OMP_NUM_THREADS=given) == str(n)


@pytest.mark.parametrize("given", ["", "0", "-1", "many"])
def test_as_many_as_there_are_cores(given: str) -> None:
    assert run(ASK, OMP_NUM_THREADS=given) == str(len(os.sched_getaffinity(0)))


def test_pytorch_heeds_openmp_and_so_do_kernels() -> None:
    assert run("import torch\n" + ASK, OMP_NUM_THREADS="1") == "1"


@pytest.mark.parametrize("n", [0, -1, 2.0, "2", None])
def test_a_number_of_threads_is_a_whole_number(n: Any) -> None:
    with pytest.raises(ParameterError, match=f"set_num_threads: n is {n!r}, expected a whole number >= 1"):
        set_num_threads(n)


# Each part once


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8, 33])
@pytest.mark.parametrize("n_parts", [0, 1, 2, 7, 500])
def test_each_part_runs_once(n_threads: int, n_parts: int) -> None:
    set_num_threads(n_threads)
    for _ in range(5):
        done: list[int] = []
        run_parts(done.append, n_parts)
        assert sorted(done) == list(range(n_parts))


def test_parts_run_side_by_side() -> None:
    set_num_threads(3)
    together = threading.Barrier(3)
    run_parts(lambda _: together.wait(timeout=10) and None, 3)


def test_the_number_of_threads_may_change() -> None:
    for n in (2, 8, 1, 3, 8):
        set_num_threads(n)
        done: list[int] = []
        run_parts(done.append, 50)
        assert sorted(done) == list(range(50))


def test_threads_are_kept() -> None:
    set_num_threads(4)
    for _ in range(20):
        run_parts(lambda _: None, 8)
    before = threading.active_count()
    for _ in range(20):
        run_parts(lambda _: None, 8)
    assert threading.active_count() == before


def test_many_threads_may_ask_at_once() -> None:
    set_num_threads(4)
    done: list[list[int]] = [[] for _ in range(8)]
    asking = [threading.Thread(target=lambda mine=mine: [run_parts(mine.append, 40) for _ in range(20)]) for mine in done]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert all(sorted(mine) == sorted(list(range(40)) * 20) for mine in done)


def test_a_part_may_have_parts() -> None:
    set_num_threads(3)
    done: list[tuple[int, int]] = []
    run_parts(lambda i: run_parts(lambda j: done.append((i, j)), 4), 5)
    assert sorted(done) == [(i, j) for i in range(5) for j in range(4)]


@pytest.mark.parametrize("n_threads", [1, 2, 8])
def test_errors_arrive(n_threads: int) -> None:
    set_num_threads(n_threads)

    def work(k: int) -> None:
        if k == 7:
            raise LookupError("part 7")

    for _ in range(20):
        with pytest.raises(LookupError, match="part 7"):
            run_parts(work, 20)


def test_an_error_waits_for_the_others() -> None:
    """Their memory is let go of once the error is out."""
    set_num_threads(8)
    running: set[int] = set()
    begun = threading.Barrier(4)

    def work(k: int) -> None:
        running.add(k)
        begun.wait(timeout=10)
        if k % 2:
            running.remove(k)
            raise LookupError
        time.sleep(0.05)
        running.remove(k)

    with pytest.raises(LookupError):
        run_parts(work, 4)
    assert not running


def test_where_no_thread_can_be_started_one_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "_pool", threads._Pool())
    monkeypatch.setattr(threading.Thread, "start", start)
    set_num_threads(4)
    done: list[int] = []
    run_parts(done.append, 10)
    assert done == list(range(10))


# The same bits

SIZES = sorted({0, 1, PART * CHUNK} | {k * CHUNK + d for k in (1, 2, PART, 2 * PART, 9) for d in (-1, 0, 1)})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits_do_not_depend_on_the_threads(dtype: str) -> None:
    a, b = (np.resize(x, (max(SIZES), 4)) for x in hazard("coco", 4999, dtype))
    a[CHUNK + 5] *= 2.0**-40  # a chunk that is not tame
    weight = np.resize(np.linspace(0.5, 2, 97), len(a)).astype(dtype)
    loss = bl.loss("giou")
    for n in SIZES:
        found = []
        for n_threads in (1, 2, 3, 8):
            set_num_threads(n_threads)
            results = []
            for reduction in ("mean", "sum", "none"):
                for given in (None, weight[:n]):
                    value, gradients = loss.value_and_gradient(a[:n], b[:n], wrt="both", reduction=reduction, weight=given)
                    x, y = torch.from_numpy(a[:n]).requires_grad_(), torch.from_numpy(b[:n]).requires_grad_()
                    tensor = loss(x, y, reduction=reduction, weight=None if given is None else torch.from_numpy(given))
                    slopes = torch.autograd.grad(tensor, (x, y), torch.ones_like(tensor))
                    results += [value, *gradients, tensor.detach().numpy(), *(g.numpy() for g in slopes)]
            found.append([np.asarray(x).tobytes() for x in results])
        assert all(one == found[0] for one in found), f"{n} boxes"


# The first call

FIRST = """
import threading
import numpy as np, torch
import boxloss as bl
from boxloss.kernels import switch
from boxloss.kernels.cpu import compile as compiling

texts, compile_text = [], compiling.compile_text

def counted(text, *how):
    texts.append(text)
    return compile_text(text, *how)

compiling.compile_text = counted
rows = np.array([[0, 0, 2, 2], [1, 1, 3, 5]], "float32")
start = threading.Barrier(8)
found = []

def one(k):
    a, b = rows.copy(), rows[::-1].copy()
    start.wait()
    if k % 2:
        found.append(float(bl.loss("giou")(a, b)))
    else:
        x = torch.from_numpy(a).requires_grad_()
        value = bl.loss("giou")(x, torch.from_numpy(b))
        value.backward()
        found.append(value.item())

threads = [threading.Thread(target=one, args=(k,)) for k in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert switch.cpu_kernels()
print(len(found), len(set(found)), len(texts), len(set(texts)))
"""


def test_eight_threads_call_first(tmp_path: Path) -> None:
    """Each kernel is compiled once: of values alone, and of values and slopes."""
    assert run(FIRST, BOXLOSS_CACHE=str(tmp_path)) == "8 1 2 2"
    assert run(FIRST, BOXLOSS_CACHE=str(tmp_path)) == "8 1 0 0"


def test_eight_threads_call_first_where_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run(FIRST, BOXLOSS_CACHE=str(tmp_path / "file")) == "8 1 2 2"


# Forks


def losses_of(n: int) -> tuple[float, float]:
    a, b = hazard("coco", n, "float32")
    x = torch.from_numpy(a).requires_grad_()
    value = bl.diou_loss(x, torch.from_numpy(b))
    value.backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    return float(bl.diou_loss(a, b)), float(np.abs(x.grad.numpy()).sum())


def test_a_forked_process_goes_on() -> None:
    set_num_threads(4)
    n = 3 * PART * CHUNK
    before = losses_of(n)
    child = os.fork()
    if child == 0:
        try:
            # PyTorch's own threads do not survive a fork, so its backward is left out.
            a, b = hazard("coco", n, "float32")
            os._exit(0 if float(bl.diou_loss(a, b)) == before[0] else 1)
        finally:
            os._exit(2)
    assert ended(child) == 0
    assert losses_of(n) == before


def ended(child: int) -> int:
    """A child's exit status; it is stopped after a minute."""
    for _ in range(600):
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.kill(child, 9)
    os.waitpid(child, 0)
    raise AssertionError("the child hangs")


def in_a_child(answers: Any, n: int) -> None:
    a, b = hazard("coco", n, "float32")
    answers.put((get_num_threads(), float(bl.diou_loss(a, b)), float(bl.diou_loss.value_and_gradient(a, b)[1].sum())))


def test_forked_processes_have_pools_of_their_own() -> None:
    set_num_threads(4)
    n = 3 * PART * CHUNK
    a, b = hazard("coco", n, "float32")
    want = 4, float(bl.diou_loss(a, b)), float(bl.diou_loss.value_and_gradient(a, b)[1].sum())
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    children = [context.Process(target=in_a_child, args=(answers, n)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(timeout=60)
        assert child.exitcode == 0
    assert [answers.get() for _ in children] == [want] * 3


class Losses(torch.utils.data.Dataset[Any]):
    """Entries that are losses, computed by whoever loads them."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, k: int) -> Any:
        a, b = (torch.from_numpy(x) for x in hazard("coco", 2 * PART * CHUNK, "float32", seed=k))
        return bl.giou_loss(a, b)


def test_a_data_loaders_workers_compute_losses() -> None:
    set_num_threads(4)
    data = Losses()
    want = torch.stack([data[k] for k in range(len(data))])
    loader = torch.utils.data.DataLoader(data, batch_size=3, num_workers=2, multiprocessing_context="fork", timeout=60)
    assert torch.equal(torch.cat(list(loader)), want)


# The end of a process


@pytest.mark.parametrize("ending", ["", "raise SystemExit(0)"])
def test_a_process_ends_though_threads_wait(ending: str) -> None:
    code = (
        f"import boxloss as bl\nfrom boxloss.kernels.threads import *\nset_num_threads(4)\nrun_parts(lambda k: None, 100)\nprint('done', flush=True)\n{ending}"
    )
    assert run(code, OMP_NUM_THREADS="1") == "done"


def test_losses_while_the_interpreter_shuts_down() -> None:
    code = f"""
import atexit, numpy as np, boxloss as bl
from boxloss.kernels.threads import set_num_threads
from strategies import hazard
set_num_threads(3)
a, b = hazard("coco", {3 * PART * CHUNK}, "float64")
want = float(bl.iou_loss(a[:10], b[:10]))
atexit.register(lambda: print(float(bl.iou_loss(a, b)) == float(bl.iou_loss(a, b)), float(bl.iou_loss(a[:10], b[:10])) == want))
"""
    assert run(code) == "True True"
