"""A throw-away virtual environment for each peer, with one torch for those that need it, and what is asked inside."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.conformance.peers import TORCH, Peer
from benchmarks.conformance.truth import ROOT, Question

RUN = Path(__file__).parent / "inside" / "run.py"
CONSTRAINTS = ROOT / "constraints.txt"
TOOLS = ROOT.parent / "shared" / "tools"
INSTALL_SECONDS, ASK_SECONDS = 1200, 1200
Tell = Callable[[str], None]


class FailedError(RuntimeError):
    """A peer could not be installed or asked; the message is the last that it said of why."""


class Environments:
    """Made in `folder`, or found there from an earlier run."""

    def __init__(self, folder: Path):
        self.folder = folder

    def python(self, peer: Peer, tell: Tell) -> Path:
        """The interpreter to ask `peer` with: our own for boxloss itself."""
        if not peer.installs:
            return Path(sys.executable)
        place = self.folder / peer.name
        if (place / "complete").exists():
            return place / "bin" / "python"
        python = make(place)
        if peer.torch:
            # What lies in torch's environment is found after the peer's own packages, and pip takes it for installed.
            (site_packages(place) / "torch.pth").write_text(f"{site_packages(self.with_torch(tell))}\n")
        for arguments in peer.installs:
            tell(f"installing {' '.join(arguments)}")
            install(python, arguments)
        (place / "complete").touch()
        return python

    def with_torch(self, tell: Tell) -> Path:
        place = self.folder / "torch"
        if not (place / "complete").exists():
            tell("installing torch, once for all")
            install(make(place), TORCH)
            (place / "complete").touch()
        return place


@contextmanager
def environments(keep: Path | None) -> Iterator[Environments]:
    """In a temporary folder that is removed afterwards, or in the folder `keep`, which stays."""
    folder = Path(tempfile.mkdtemp(prefix="boxloss-conformance-")) if keep is None else keep.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield Environments(folder)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def make(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    call([sys.executable, "-m", "venv", str(place)], INSTALL_SECONDS)
    return place / "bin" / "python"


def site_packages(place: Path) -> Path:
    return next((place / "lib").glob("python*/site-packages"))


def install(python: Path, arguments: tuple[str, ...]) -> None:
    call([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", str(CONSTRAINTS), *arguments], INSTALL_SECONDS)


def call(command: list[str], seconds: float, tell: Tell = lambda what: None) -> None:
    """Run a command, telling what it prints; raises `FailedError` with its last words."""
    started, last = time.monotonic(), ""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    variables = clean | {"CONFORMANCE_TOOLS": str(TOOLS), "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=variables)
        assert process.stdout is not None
        for line in process.stdout:
            tell(line.strip())
            if time.monotonic() - started > seconds:
                process.kill()
        rc = process.wait(timeout=seconds)
        errors.seek(0)
        lines = [line.strip() for line in errors.read().splitlines() if line.strip()]
    if rc != 0:
        last = next((line for line in lines if line.startswith("ERROR:")), lines[-1] if lines else f"it ended with status {rc}")
        raise FailedError(last.removeprefix("ERROR: ")[:300])


def ask(python: Path, peer: Peer, questions: dict[str, Question], tell: Tell) -> dict[str, Any]:
    """{"versions", "functions"} as `inside/run.py` has them, with the numbers in their places."""
    with tempfile.TemporaryDirectory(prefix="boxloss-conformance-") as folder:
        asked, answered = Path(folder, "questions"), Path(folder, "answers")
        np.savez(asked.with_suffix(".npz"), **{f"{q.name}/{part}": getattr(q, part) for q in questions.values() for part in ("a", "b")})
        asked.with_suffix(".json").write_text(json.dumps([question.spec() for question in questions.values()]))
        call([str(python), str(RUN), peer.name, str(asked), str(answered)], ASK_SECONDS, tell)
        said: dict[str, Any] = json.loads(answered.with_suffix(".json").read_text())
        with np.load(answered.with_suffix(".npz")) as file:
            for key, function in said["functions"].items():
                for name, got in function["answers"].items():
                    got |= {part: file[stem] for part in ("value", "gradient") if (stem := f"{key}/{name}/{part}") in file}
    return said
