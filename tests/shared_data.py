"""Where the shared files lie: `../shared` beside the project's root. Tests that need them skip without them, except in CI."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def shared(*parts: str) -> Path:
    path = ROOT.parent.joinpath("shared", *parts)
    if not path.exists():
        message = f"needs the shared files: {path} is not there"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path
