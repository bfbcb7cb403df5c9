"""Adding a loss is one file: it is put into a copy of the package, and is then in every list, and works everywhere, with nothing else edited."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import boxloss as bl

FILE = '''\
"""Sided IoU: a loss that nobody has published."""

from boxloss.formulas.record import Terms, formula
from boxloss.ops import ratio
from boxloss.pair import Pair


@formula(
    title="Sided IoU loss",
    paper="Nobody, a test",
    bounds="[0, 3]",
    symmetric=True,
    scale_free=True,
    math=r"1 - \\mathrm{IoU} + |w - w^g| / w_c + |h - h^g| / h_c",
    aliases=("sided",),
    cases=(
        ((0, 0, 2, 2), (0, 0, 2, 2), 0.0),
        ((0, 0, 4, 4), (0, 0, 2, 4), 1.0),
    ),
)
def sided_iou(p: Pair) -> Terms:
    """1 - IoU plus the boxes' lengths outside each other over the hull's; smaller is better, in [0, 3].

    loss = jaccard + excess / hull along x and y

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...).
    Gradient: everywhere.
    """
    return p.jaccard, ratio(p.x.a_excess + p.x.b_excess, p.x.hull) + ratio(p.y.a_excess + p.y.b_excess, p.y.hull)
'''

SCRIPT = """
import json
import numpy as np, torch
import boxloss as bl
from boxloss.compare.chosen import choose
from boxloss.formulas import find

a, b = np.array([[0.0, 0, 4, 4]]), np.array([[0.0, 0, 2, 4]])
pred = torch.tensor(a, requires_grad=True)
loss = bl.sided_iou_loss(pred, torch.tensor(b))
loss.backward()
module = bl.nn.SidedIoULoss()
print(json.dumps({
    "place": bl.__file__,
    "listed": "sided_iou" in bl.catalogue(),
    "in dir": {"sided_iou", "sided_iou_loss", "sided"} <= set(dir(bl)) and "SidedIoULoss" in dir(bl.nn),
    "alias": find("sided").name,
    "numpy": float(bl.sided_iou_loss(a, b)),
    "torch": loss.item(),
    "similarity": float(bl.sided(a, b)[0]),
    "gradient": np.abs(pred.grad.numpy() - bl.sided_iou_loss.value_and_gradient(a, b)[1]).max().item(),
    "module": module(torch.tensor(a), torch.tensor(b)).item(),
    "modified": float(bl.loss("sided_iou", power=2)(a, b)),
    "pairwise": bl.pairwise("sided_iou", a, b).tolist(),
    "nearest": bl.nearest("sided_iou", a, b)[1].tolist(),
    "texts": [len(bl.source("sided_iou", target=target, gradient=True)) > 100 for target in ("numba", "triton", "javascript")],
    "chosen": choose("sided_iou").name,
}))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the package and one more loss in it."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(Path(bl.__file__).parent, folder / "boxloss", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "boxloss" / "formulas" / "sided_iou.py").write_text(FILE)
    return folder


def run(package: Path, *words: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(package), "BOXLOSS_CACHE": str(package / "cache")}
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, env=environment, cwd=package, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_found_and_works_everywhere(package: Path) -> None:
    found = json.loads(run(package, "-c", SCRIPT))
    assert found.pop("place").startswith(str(package))
    assert found == {
        "listed": True,
        "in dir": True,
        "alias": "sided_iou",
        "numpy": 1.0,
        "torch": 1.0,
        "similarity": 0.0,
        "gradient": 0.0,
        "module": 1.0,
        "modified": 1.0,  # 1 - (1/2)^2 + (1/2)^2
        "pairwise": [[0.0]],
        "nearest": [0],
        "texts": [True, True, True],
        "chosen": "sided_iou",
    }


def test_the_command_line_has_it(package: Path) -> None:
    assert "sided_iou" in [row["name"] for row in json.loads(run(package, "-m", "boxloss", "list", "--json"))]
    assert "Sided IoU loss" in run(package, "-m", "boxloss", "show", "sided_iou")
    assert "def sided_iou(" in run(package, "-m", "boxloss", "show", "sided_iou", "--source", "numba")


def test_the_contract_asks_it_and_misses_its_oracle(package: Path) -> None:
    """Its tests come by themselves: only the text-book form is missing, and that is said."""
    tests = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(package), "BOXLOSS_CACHE": str(package / "cache")}
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests / "properties" / "test_contract.py"), "-k", "oracle or (sided_iou and symmetric)"]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, env=environment, cwd=tests.parent, timeout=300)
    assert "test_every_loss_has_an_oracle" in done.stdout
    assert "sided_iou" in done.stdout
    assert done.stdout.count("FAILED") == 1
