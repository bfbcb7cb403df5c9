"""The benchmark for GPUs, as far as a machine without one can tell."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT))
gpu = pytest.importorskip("benchmarks.gpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu() -> None:
    """One line, and the exit code 2."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.gpu"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "benchmarks.gpu: there is no GPU here: torch.cuda.is_available() is false\n"


def test_contenders_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A contender that fails, at first or later, has its reason, and the others their times; when the time is over, nothing new is begun."""
    order: list[str] = []

    def sample(call: object, n_calls: int) -> float:
        call()  # type: ignore[operator]
        return 1.5

    monkeypatch.setattr(gpu, "sample", sample)

    def fails() -> None:
        raise RuntimeError("CUDA error:\nan illegal | address")

    def fails_later() -> None:
        if order:
            fails()

    makers = {
        "later": lambda: fails_later,
        "one": lambda: lambda: order.append("one"),
        "two": lambda: lambda: order.append("two"),
        "never": lambda: fails,
    }
    found = gpu.Clock(1, 0.02).race(makers)
    assert list(found) == list(makers)
    assert found["one"] == gpu.Timing(1.5, 1.5, 1.5, 13, 1)
    assert order[-4:] == ["one", "two"] * 2
    assert found["never"] == found["later"] == "RuntimeError: CUDA error: an illegal | address"
    assert set(gpu.Clock(0, 1).race(makers).values()) == {"no time left"}


def test_the_page() -> None:
    table = gpu.Table("Title", "what", ("boxloss", "peer"), {"1,000": {"boxloss": gpu.Timing(0.012345, 0.0123, 0.0124, 9, 3), "peer": "a | b"}}, ["A note."])
    page = gpu.page({"gpu": "none"}, {"value": 2.0}, [table])
    assert "| | boxloss | peer |\n|---|---|---|\n| 1,000 | 0.0123 (0.0123 to 0.0124) | a / b |\n\n- A note." in page
