"""Files that survive being killed: written whole or not at all, sealed by a digest, and one run a folder.

A run may end at any instant (kill -9, a power cut, a full disk). Three rules make that harmless, and every file of a run keeps them:

1. *Atomic*: a file is written under a temporary name beside its place, flushed to the disk, and renamed. It is there whole, or not there.
2. *Sealed*: what a run reads back carries the SHA-256 of its content. A file that was torn or changed is as good as missing, and what it held is
computed again.
3. *Locked*: one process a folder, by `flock`, which the kernel lets go when its last holder dies, however it dies.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from boxloss.errors import CompareError

DIGEST_BYTES = 32  # SHA-256
TEMPORARY = ".tmp-"
PATIENCE = 5.0  # seconds that a run waits for the workers of a killed one to be gone; they die within moments


def write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` to `path`, whole or not at all; makes the folder if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # before the rename: else a power cut may keep the new name and lose the content
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise CompareError(f"cannot write {path}: {error.strerror or error}") from error
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the folder's list of names durable, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clean(folder: Path) -> None:
    """Removes the temporary files that a killed process left in `folder`."""
    for path in folder.glob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digest_of(path: Path) -> str | None:
    """The SHA-256 of a file's content, or None where it cannot be read."""
    try:
        return digest(path.read_bytes())
    except OSError:
        return None


# ---- sealed bytes: the content, then its SHA-256


def write_sealed(path: Path, content: bytes) -> None:
    write_bytes(path, content + hashlib.sha256(content).digest())


def read_sealed(path: Path) -> bytes | None:
    """The content that `write_sealed` wrote, or None where the file is missing, torn or changed."""
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    content, seal = whole[:-DIGEST_BYTES], whole[-DIGEST_BYTES:]
    return content if hashlib.sha256(content).digest() == seal else None


# ---- sealed records: a JSON object with its own digest in it, so that it stays one readable file


def encode(record: Any, indent: int | None = 1) -> bytes:
    """Strict JSON (no NaN), with keys in the order given. A float is written in the fewest digits that read back to the same float."""
    return (json.dumps(record, indent=indent, allow_nan=False, ensure_ascii=False) + "\n").encode()


def seal_of(record: dict[str, Any]) -> str:
    """The digest of a record's content: of its compact JSON with sorted keys, without the entry `sha256`."""
    content = {key: value for key, value in record.items() if key != "sha256"}
    return digest(json.dumps(content, sort_keys=True, allow_nan=False, separators=(",", ":")).encode())


def write_record(path: Path, record: dict[str, Any]) -> None:
    write_bytes(path, encode({**record, "sha256": seal_of(record)}))


def read_record(path: Path) -> dict[str, Any] | None:
    """The record that `write_record` wrote, without its digest, or None where the file is missing, torn or changed."""
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError):  # ValueError: not JSON, or not UTF-8
        return None
    try:
        intact = isinstance(record, dict) and record.pop("sha256", None) == seal_of(record)
    except ValueError:  # a NaN, which we never write
        return None
    return record if intact else None


# ---- one run a folder


@contextlib.contextmanager
def locked(folder: Path, patience: float | None = None) -> Iterator[int]:
    """Holds the folder for one run, and gives the lock's file descriptor, to be inherited by the run's workers.

    The lock belongs to all that hold the descriptor: while a worker of a killed run is still alive, nobody else writes here. Workers die with their
    run within moments, so we wait `patience` seconds before refusing.

    Raises:
        CompareError: another process holds the folder; the message names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, folder, time.monotonic() + (PATIENCE if patience is None else patience))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, folder: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            message = f"{folder}: another run (process {holder}) is at work here; wait for it, stop it, or choose another output folder"
            raise CompareError(message) from None
