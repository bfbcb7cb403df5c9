"""What is measured: one file a work, in the order of the page."""

import importlib
from typing import Any

from benchmarks.contest import Contest

NAMES = ("ciou", "kernel", "pairwise", "nearest", "diagonal", "kmeans", "simulation", "assign", "nms", "soft_nms", "fusion", "first_call")


def find(name: str) -> Any:
    """The work of that name: a `Contest`, or anything else with `name`, `title`, `story` and `measure`."""
    return importlib.import_module(f"benchmarks.works.{name}").WORK


def contest(name: str) -> Contest:
    return find(name)  # type: ignore[no-any-return]
