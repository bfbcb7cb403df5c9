"""Files of a data set: found without ever leaving its folder, read as UTF-8, refused when empty or huge."""

import os
from pathlib import Path, PurePosixPath, PureWindowsPath

from boxloss.datasets.images import SUFFIXES
from boxloss.datasets.where import Where

# A VOC or YOLO file of one picture, or a list of files, has some kilobytes; 64 MiB is a mistake or an attack.
LARGEST_TEXT = 64 * 2**20
# File systems take 255 bytes in a name, less what we append, such as `.xml`; asking them about more is an OSError.
LONGEST_NAME = 240
LONGEST_PATH = 2000
# How other people call the splits that we call train, val and test.
SPLIT_NAMES = {"valid": "val", "validation": "val", "training": "train", "testing": "test"}


def split_name(word: str) -> str:
    """The split that a file or folder name stands for: `valid` is `val`."""
    return SPLIT_NAMES.get(word, word)


def inside(root: Path, relative: str, where: Where, field: str) -> Path:
    """`root / relative`, if that is a path inside `root` and no link leads out of it; refused at `where` otherwise."""
    parts = PurePosixPath(relative).parts
    if not relative.strip() or "\0" in relative:
        where.refuse(field, relative, "must be a path", "it is empty or holds a NUL character")
    if len(relative.encode(errors="surrogatepass")) > LONGEST_PATH or any(len(part.encode(errors="surrogatepass")) > LONGEST_NAME for part in parts):
        where.refuse(field, relative, f"must have at most {LONGEST_NAME} bytes in each part, and {LONGEST_PATH} together", "is this a path at all?")
    if PurePosixPath(relative).is_absolute() or PureWindowsPath(relative).drive or relative.startswith("~"):
        where.refuse(field, relative, "must be a path inside the data set's folder", "it is absolute: write it relative to that folder")
    if "\\" in relative:
        where.refuse(field, relative, "must be a path with forward slashes", "write a/b.jpg, not a\\b.jpg")
    if ".." in parts:
        where.refuse(field, relative, "must be a path inside the data set's folder", "it climbs out by '..': write it relative to that folder")
    return no_way_out(root, root / relative, where, field)


def no_way_out(root: Path, path: Path, where: Where, field: str) -> Path:
    """The path, unless symbolic links lead it out of `root`."""
    try:
        real = path.resolve()
    except (OSError, RuntimeError):  # a loop of links
        where.refuse(field, path.name, "must be a file that can be reached", "symbolic links in a circle?")
    if not real.is_relative_to(root.resolve()):
        where.refuse(field, path.name, "must lie inside the data set's folder", "it is a symbolic link that leads out: copy the file in")
    return path


def read_bytes(path: Path, root: Path, largest: int = LARGEST_TEXT) -> bytes:
    """A file's content; refused when it is not there, not readable, empty, or larger than `largest` bytes."""
    where = Where(path)
    no_way_out(root, path, where, "path")
    try:
        if not path.is_file():  # a pipe would be waited for for ever
            where.refuse("file", path.name, "must be a file", "is it a folder, a pipe or a device, or not there?")
        size = path.stat().st_size
        if size > largest:
            where.refuse("size", size, f"must be at most {largest} bytes", "is this the right file?")
        data = path.read_bytes()
    except OSError as error:
        where.refuse("file", error.strerror or type(error).__name__, "must be a file that can be read", "check that it is there and its permissions")
    return data


def read_text(path: Path, root: Path, largest: int = LARGEST_TEXT) -> str:
    """A file's text; refused when it is not UTF-8. A byte-order mark is dropped."""
    data = read_bytes(path, root, largest)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        Where(path).refuse(f"byte {error.start}", data[error.start : error.start + 1], "must be UTF-8 text", "save the file as UTF-8")


def read_lines(path: Path, root: Path) -> list[tuple[int, str]]:
    """(line number from 1, stripped text) of every line that is not blank."""
    # str.splitlines would also split at form feeds and Unicode separators, which editors do not number as lines
    lines = read_text(path, root).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]


def walk(folder: Path, root: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Every file under `folder` with one of the suffixes: name without suffix (forward slashes) to path, sorted by name.

    Hidden files are passed over. Two files of one name are refused, and links out of `root` as well.
    """
    found: dict[str, Path] = {}
    no_way_out(root, folder, Where(folder, "folder"), "path")
    for here, folders, files in os.walk(folder):
        for sub in folders:
            no_way_out(root, Path(here, sub), Where(Path(here, sub), "folder"), "path")
        for file in sorted(files):
            path = Path(here, file)
            if file.startswith(".") or path.suffix.lower() not in suffixes:
                continue
            no_way_out(root, path, Where(path), "path")
            if not file.isprintable() or not path.is_file():
                Where(Path(here), "folder").refuse("name", ascii(file), "must be a regular file with a name in Unicode", "rename or remove it")
            name = stem(path.relative_to(folder).as_posix())
            if name in found:
                rule = f"must have a name of its own, apart from the suffix; there is also {found[name].name}"
                Where(path).refuse("name", path.name, rule, "rename or remove one of the two")
            found[name] = path
    return dict(sorted(found.items()))


def walk_images(folder: Path, root: Path) -> dict[str, Path]:
    """Every image file under `folder`, by name."""
    return walk(folder, root, SUFFIXES)


def stem(relative: str) -> str:
    """A relative path without its last suffix: `a/b.c.jpg` is `a/b.c`."""
    return PurePosixPath(relative).with_suffix("").as_posix()
