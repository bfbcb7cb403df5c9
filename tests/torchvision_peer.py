"""torchvision beside boxloss, where it is installed: `pip install --no-deps torchvision`. Digests stand for what it gave where it is not."""

import hashlib
import importlib
import importlib.util
import sys
from typing import Any

import numpy as np
import pytest

from shared_data import ROOT


def torchvision(module: str) -> Any:
    """A module of torchvision, or the test is skipped."""
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("needs torchvision: pip install --no-deps torchvision")
    tools = str(ROOT.parent / "shared" / "tools")
    if tools not in sys.path:
        sys.path.append(tools)
    importlib.import_module("torchvision_cpu")  # torchvision's wheel is built for CUDA, torch may not be
    return importlib.import_module(f"torchvision.{module}")


def digest(boxes: np.ndarray) -> str:
    """Of the bits of float32 boxes: equal digests are equal boxes."""
    assert boxes.dtype == np.float32
    return hashlib.sha256(np.ascontiguousarray(boxes + np.float32(0)).tobytes()).hexdigest()[:16]  # -0 is 0
