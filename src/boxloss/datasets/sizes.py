"""Widths and heights of a data set's boxes as a network sees them, in pixels of its input."""

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from boxloss.datasets.load import Format, load
from boxloss.datasets.types import Dataset
from boxloss.datasets.where import Where
from boxloss.errors import ParameterError

Sizes = npt.NDArray[np.float32]
CHUNK = 2**18
"""Rows of a file that are looked at at a time."""


def sizes(dataset: Dataset, input_size: tuple[int, int], *, stretch: bool = False) -> Sizes:
    """The width and height, (N, 2) float32, of every box that has both, in pixels of an input of `input_size` (width, height).

    Letterbox: a picture is scaled until it just fits the input, its sides' ratio kept. `stretch`: each side is scaled to the input's, as SSD does it.
    Boxes to ignore count like others.
    """
    parts = [np.zeros((0, 2))]
    for picture in dataset:
        across, down = input_size[0] / picture.width, input_size[1] / picture.height
        scale = np.array([across, down] if stretch else [min(across, down)] * 2)
        parts.append(((picture.boxes[:, 2:] - picture.boxes[:, :2]) * scale).astype(np.float32))
    found = np.concatenate(parts).astype(np.float32)
    return found[(found > 0).all(axis=1)]


def sizes_from(data: str | Path, input_size: tuple[int, int], *, stretch: bool = False, split: str | None = None, format: Format | None = None) -> Sizes:
    """`sizes` of what `load` reads; or of a NumPy file (.npy), which is read in pieces: (N, 2) widths and heights or (N, 4) xyxy, in pixels of the input.

    Raises `DataError` for what cannot be read, and for a row of an array that is no box; `UnknownNameError` where there is no such split; `ParameterError`
    for what an array has no use for.
    """
    if str(data).endswith(".npy"):
        for option, given in (("split", split), ("format", format), ("stretch", stretch)):
            if given:
                raise ParameterError(f"{option}: goes with a data set, and {data} is an array, in pixels of the input already: leave it out")
        return np.concatenate([np.zeros((0, 2), np.float32), *_from_array(Path(data))])
    found = load(data, format=format, pixels=False)
    return sizes(found if split is None else found.only(split), input_size, stretch=stretch)


def _from_array(path: Path) -> Iterator[Sizes]:
    """Piece by piece: the file may be larger than the memory that is left."""
    where = Where(path, "array")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        where.refuse("path", str(path), "must exist", "is it spelt right, and relative to the current folder?")
    except PermissionError as error:
        where.refuse("path", str(path), f"must be a file that can be read: {error.strerror}", "whose is it?")
    except (OSError, ValueError) as error:
        where.refuse("content", str(error), "must be an array as np.save writes it", "was it saved with np.savez, or cut off?")
    if array.ndim != 2 or array.shape[1] not in (2, 4) or array.dtype.kind not in "fiu":
        where.refuse("array", f"{array.dtype} {array.shape}", "must be numbers (N, 2), widths and heights, or (N, 4), xyxy", "boxes in another format?")
    for start in range(0, len(array), CHUNK):
        part = np.asarray(array[start : start + CHUNK])
        found = (part[:, 2:].astype(np.float64) - part[:, :2] if part.shape[1] == 4 else part).astype(np.float32)
        fit = (found > 0).all(axis=1) & np.isfinite(found).all(axis=1)
        if not fit.all():
            bad = int(fit.argmin())
            _refuse_row(where.at(f"row {start + bad}"), part[bad].tolist())
        yield found


def _refuse_row(where: Where, row: list[float]) -> NoReturn:
    wanted = "left, top, right, bottom, with left < right and top < bottom" if len(row) == 4 else "a width and a height above 0"
    hint = "drop such rows" + ("; or are these boxes xywh, or cxcywh? boxloss.boxes.convert makes them xyxy" if len(row) == 4 else "")
    where.refuse("box" if len(row) == 4 else "size", row, f"must be {wanted}, all finite in float32", f"rows count from 0; {hint}")
