"""Machine code on disk, so that a second process starts warm.

A file's name is the digest of all that its code depends on; its content begins with a digest of the name and the rest, for LLVM ends the process over
bytes that are no code. A file that is damaged or misnamed, or cannot be read or written, costs the time to compile and nothing else. Files appear whole or
not at all, so any number of processes may start at once.
"""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

DIGEST = 32  # bytes


def folder() -> Path:
    """Where compiled kernels are kept: `BOXLOSS_CACHE`, or the platform's folder for caches. Raises `OSError` for a user without a home."""
    given = os.environ.get("BOXLOSS_CACHE")
    if given:
        return Path(given)
    import platformdirs

    place = Path(platformdirs.user_cache_dir("boxloss", appauthor=False))
    if not place.is_absolute():  # "~": neither HOME nor an entry among the users, as in a container that runs under any number
        raise FileNotFoundError(f"{place}: there is no home folder")
    return place


def key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def read(name: str) -> bytes | None:
    """What was kept under `name`; None where there is nothing, or nothing whole."""
    try:
        data = (folder() / name).read_bytes()
    except OSError:
        return None
    kept = data[DIGEST:]
    return kept if _digest(name, kept) == data[:DIGEST] else None


def write(name: str, data: bytes) -> None:
    """Keeps `data` under `name`, if the disk lets us."""
    with contextlib.suppress(OSError):
        place = folder()
        place.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_digest(name, data) + data)
            os.replace(temporary, place / name)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def _digest(name: str, data: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + data).digest()
