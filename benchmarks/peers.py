"""Who is compared, which of them are installed, and how to get those that are not."""

import importlib
import importlib.metadata
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT.parent / "shared" / "tools"


@dataclass(frozen=True)
class Peer:
    name: str
    install: str
    module: str = ""
    """Its name where it is imported, if that is another."""

    @property
    def version(self) -> str | None:
        """None where it is not installed."""
        if importlib.util.find_spec(self.module or self.name) is None:
            return None
        return importlib.metadata.version(self.name)


PEERS = (
    Peer("boxloss", "pip install -e '.[benchmarks]'"),
    Peer("numpy", "pip install -e '.[benchmarks]'"),
    Peer("numba", "pip install -e '.[benchmarks]'"),
    Peer("torch", "pip install -e '.[benchmarks]'"),
    # With its dependencies pip would replace a CPU build of torch by one for CUDA.
    Peer("torchvision", "pip install --no-deps -c constraints.txt torchvision"),
    Peer("ensemble_boxes", "pip install -c constraints.txt ensemble-boxes"),
    Peer("powerboxes", "pip install -c constraints.txt powerboxes"),
    Peer("lsnms", "pip install -c constraints.txt lsnms"),
    Peer("ensemble_boxes", "pip install -c constraints.txt ensemble-boxes"),
    Peer("transformers", "pip install -c constraints.txt transformers"),
    Peer("scikit-learn", "pip install -c constraints.txt scikit-learn", "sklearn"),
)


def missing(names: tuple[str, ...]) -> str:
    """Why contenders that need these packages are left out; empty where they are all there."""
    absent = [peer for peer in PEERS if peer.name in names and peer.version is None]
    return "; ".join(f"{peer.name} is not installed: {peer.install}" for peer in absent)


def torchvision() -> ModuleType:
    """torchvision, also where its wheel was built for CUDA and torch was not: `../shared/tools/torchvision_cpu` gives it what it looks for."""
    _let_torchvision_load()
    return importlib.import_module("torchvision")


def no_operators() -> str:
    """Why torchvision's C++ operators are not to be had; empty where they are. `torchvision_cpu` then declares some of its own."""
    if missing(("torchvision",)):
        return ""
    import torch

    torchvision()
    if torch.version.cuda is not None or not hasattr(sys.modules.get("torchvision_cpu"), "_keep_alive"):
        return ""
    return "torchvision's C++ operators cannot be loaded: pip install nvidia-cuda-runtime==13.0.96, and gcc"


def transformers_generalized_box_iou() -> object:
    """The function behind DETR's box loss and its many descendants'."""
    if missing(("torchvision",)) == "":
        _let_torchvision_load()  # transformers imports it where it finds it
    return importlib.import_module("transformers.loss.loss_for_object_detection").generalized_box_iou


def _let_torchvision_load() -> None:
    import torch

    if torch.version.cuda is None and "torchvision" not in sys.modules and (TOOLS / "torchvision_cpu").is_dir():
        sys.path.append(str(TOOLS))
        importlib.import_module("torchvision_cpu")
