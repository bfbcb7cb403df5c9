"""Triton's interpreter, for single tests: it is chosen by an environment variable, which the other tests of the process must not see."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")  # imported before the variable is set, as by whoever does not know of the interpreter: no state of Triton's may depend on it


@pytest.fixture(scope="session")
def kernel_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the kernels' files that lives as long as the kernels: the interpreter reads them late."""
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture
def interpreter(monkeypatch: pytest.MonkeyPatch, kernel_files: Path) -> Iterator[None]:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setenv("BOXLOSS_CACHE", str(kernel_files))
    with np.errstate(all="ignore"):  # the interpreter works with NumPy, which warns of what is meant
        yield


@pytest.fixture
def wide_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of many pairs: the interpreter takes as long for a block of any size. Others ask how blocks of the true size begin and end."""
    monkeypatch.setattr("boxloss.kernels.gpu.elementwise.BLOCK", 256)


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch, kernel_files: Path) -> None:
    """Triton's compiler, which needs no GPU."""
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    monkeypatch.setenv("BOXLOSS_CACHE", str(kernel_files))
    monkeypatch.setenv("TRITON_CACHE_DIR", str(kernel_files / "compiled"))
