"""The first call in a new process, with nothing compiled before and with what an earlier process left; and what the import takes."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from benchmarks.clock import Budget, summary

# Each prints the seconds of what is timed. The boxes are small: what is timed is not the loss.
NUMPY = """
import time
import numpy as np
import boxloss as bl
a, b = np.array([[0, 0, 2, 2]], np.float32), np.array([[0, 0, 3, 2]], np.float32)
start = time.perf_counter()
{call}
print(time.perf_counter() - start)
"""
TORCH = """
import time
import torch
import boxloss as bl
a, b = torch.tensor([[0., 0, 2, 2]], requires_grad=True), torch.tensor([[0., 0, 3, 2]])
start = time.perf_counter()
bl.ciou_loss(a, b).backward()
print(time.perf_counter() - start)
"""
IMPORT = """
import time
import numpy
start = time.perf_counter()
import boxloss
print(time.perf_counter() - start)
"""
CALLS = {
    "value, NumPy": NUMPY.format(call="bl.ciou_loss(a, b)"),
    "value and gradient, NumPy": NUMPY.format(call="bl.ciou_loss.value_and_gradient(a, b)"),
    "forward and backward, PyTorch": TORCH,
}


def seconds(code: str, cache: str) -> float:
    """What the code says of itself, in a process of its own whose kernels lie in `cache`."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | {"BOXLOSS_CACHE": cache})
    return float(done.stdout)


class FirstCall:
    name = "first_call"
    title = "First call in a new process"
    story = (
        "CIoU of one pair, each in a process of its own, timed there. Cold: no kernel was ever compiled on this machine; warm: an earlier process left it "
        "on disk. Loading Numba is part of it where it is needed. The import: `import boxloss` where NumPy is imported already."
    )

    def measure(self, budget: Budget, n_threads: int, quick: bool, tell: Callable[[str], object]) -> list[dict[str, Any]]:
        samples: dict[tuple[str, str], list[float]] = {(case, contender): [] for case in ("cold", "warm") for contender in CALLS}
        samples["import", "import boxloss"] = []
        n_rounds = 1 if quick else 7
        for k in range(n_rounds):
            tell(f"round {k + 1} of {n_rounds}")
            for contender, code in CALLS.items():
                with tempfile.TemporaryDirectory() as cache:
                    for case in ("cold", "warm"):
                        samples[case, contender].append(seconds(code, cache))
            samples["import", "import boxloss"].append(seconds(IMPORT, ""))
        return [{"case": case, "n": 1, "contender": who} | asdict(summary(times)) | {"peak_bytes": None} for (case, who), times in samples.items()]


WORK = FirstCall()
