"""Torch as the rest of the tests expect it, after tests that run trials in this process."""

from collections.abc import Iterator

import pytest


@pytest.fixture
def one_thread() -> Iterator[None]:
    torch = pytest.importorskip("torch")
    pytest.importorskip("lightning")
    pytest.importorskip("faster_coco_eval")
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)
