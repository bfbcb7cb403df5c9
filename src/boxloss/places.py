"""Places that a user wants written, looked at before the work for them begins. Nothing is made here: who writes makes the folders."""

import os
from collections.abc import Collection
from pathlib import Path

from boxloss.errors import ParameterError


def check_file(path: str | Path, suffixes: Collection[str] = (), option: str = "--out") -> None:
    """Raises `ParameterError` where no file can be written at `path`, or where it has none of `suffixes`, if there are any. An existing file is fine.

    option: what the user gave it by, for the message.
    """
    path = Path(path)
    if path.is_dir():
        raise _refusal(option, path, f"it is a folder; give a file's name, such as {path / ('NAME' + next(iter(suffixes), ''))}")
    if suffixes:
        check_suffix(path, suffixes, option)
    _check_way(path, path.parent, option)
    if path.exists() and not os.access(path, os.W_OK):
        raise _refusal(option, path, "the file that is there may not be written; choose another name")


def check_folder(path: str | Path, option: str = "--out") -> None:
    """Raises `ParameterError` where `path` is no folder that can be written into, or made. What a folder that exists may hold is the caller's affair."""
    _check_way(Path(path), Path(path), option)


def check_suffix(path: str | Path, suffixes: Collection[str], option: str = "--out") -> None:
    """Raises `ParameterError` where `path` ends in none of `suffixes`, which are small and have their dot. Large ones in `path` are fine."""
    found = Path(path).suffix
    if found.lower() not in suffixes:
        *others, last = suffixes
        known = f"{', '.join(others)} or {last}" if others else last
        raise _refusal(option, path, f"its suffix is {found}, expected {known}" if found else f"it has no suffix, expected {known}")


def _check_way(path: Path, folder: Path, option: str) -> None:
    """`folder` is there and may be written into, or can be made where it ought to be."""
    there = folder
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise _refusal(option, path, f"{'it' if there == path else there} is a file, where a folder has to be; choose another place")
    if not os.access(there, os.W_OK | os.X_OK):
        raise _refusal(option, path, f"the folder {there.resolve()} may not be written into; choose another place")


def _refusal(option: str, path: str | Path, why: str) -> ParameterError:
    return ParameterError(f"{option}: cannot write {path}: {why}")
