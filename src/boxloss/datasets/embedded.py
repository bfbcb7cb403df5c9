"""The embedded data set: drawn shapes on photos that scikit-image ships, the same on every machine, made in a few seconds without a download.

Boxes are exact, backgrounds busy, objects small and slim: telling three shapes apart is easy, saying where they end is not, so box losses have
something to differ in.
"""

import importlib.util
import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from boxloss.datasets.images import read_pixels
from boxloss.datasets.sprites import SHAPES, Coverage, Placed, cover
from boxloss.datasets.types import Dataset, Picture, Pixels
from boxloss.errors import DataError, MissingExtraError

SIDE = 96
"""Width and height of a picture in pixels."""
N_PICTURES = {"train": 400, "val": 160}
SEED = 20
# Inside scikit-image's wheel, PNG (every decoder gives the same pixels). Others of its photos would be downloaded: not here.
PHOTOS = ("astronaut", "brick", "camera", "chelsea", "coffee", "grass", "gravel", "ihc", "motorcycle_left")
SIDES = (8.0, 60.0)
"""Smallest and largest side of a box in pixels."""
STRETCH = 1.2
"""A shape's sides before turning have a ratio from e^-1.2 to e^1.2: 1 to 3.3."""


@cache
def embedded() -> Dataset:
    """The embedded data set: splits train and val, 96 x 96 pixels, three classes, at most six objects a picture.

    Made by a seeded generator, and kept in memory. The photos' left parts are train's backgrounds, their right parts val's.
    No object hides a part of another, and none is cut off.

    Raises MissingExtraError where scikit-image or Pillow is not installed.
    """
    photos = _photos()
    return Dataset("embedded", "embedded", SHAPES, {split: _split(split, n, photos) for split, n in N_PICTURES.items()})


def _split(split: str, n: int, photos: list[Pixels]) -> tuple[Picture, ...]:
    # PCG64 by name: `default_rng` may stand for another generator one day.
    rng = np.random.Generator(np.random.PCG64([SEED, list(N_PICTURES).index(split)]))
    return tuple(_picture(f"{split}-{i:03d}", split, photos, rng) for i in range(n))


def _photos() -> list[Pixels]:
    """The photos, found without importing scikit-image, which takes a second and may look for downloads."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("scikit-image", "compare", "the embedded data set (its backgrounds)")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    missing = [name for name in PHOTOS if not (folder / f"{name}.png").is_file()]
    if missing:
        raise DataError(f"{folder}: the photo {missing[0]}.png is not there (is scikit-image's installation whole? pip install --force-reinstall scikit-image)")
    return [read_pixels(folder / f"{name}.png") for name in PHOTOS]


def _picture(name: str, split: str, photos: list[Pixels], rng: np.random.Generator) -> Picture:
    pixels = _background(photos[int(rng.integers(len(photos)))], split, rng).astype(np.int64)
    taken = np.zeros((SIDE, SIDE), dtype=np.bool_)
    wanted = int(rng.integers(3, 7))
    boxes: list[tuple[float, float, float, float]] = []
    labels: list[int] = []
    for _ in range(20 * wanted):
        if len(boxes) == wanted:
            break
        label = int(rng.integers(len(SHAPES)))
        placed = _place(SHAPES[label], rng)
        if 2 * min(placed.reach) < SIDES[0]:
            continue  # it cannot become large enough: not worth drawing
        coverage = cover(placed)
        if _fits(coverage, taken):
            _paint(pixels, coverage, rng)
            boxes.append(coverage.box)
            labels.append(label)
    none = np.zeros(len(boxes), dtype=np.bool_)
    return Picture(name, SIDE, SIDE, np.array(boxes).reshape(-1, 4), np.array(labels, dtype=np.int64), none, array=pixels.astype(np.uint8))


def _background(photo: Pixels, split: str, rng: np.random.Generator) -> Pixels:
    """A square piece of the photo's part for this split, as large as the picture or up to twice as large, halved; mirrored at random."""
    height, width = photo.shape[:2]
    border = width * 5 // 8
    low, high = (0, border) if split == "train" else (border, width)
    zoom = int(rng.integers(1, 3)) if min(high - low, height) >= 2 * SIDE else 1
    side = zoom * SIDE
    left, top = int(rng.integers(low, high - side + 1)), int(rng.integers(0, height - side + 1))
    piece = photo[top : top + side, left : left + side].astype(np.int64)
    piece = piece.reshape(SIDE, zoom, SIDE, zoom, 3).sum(axis=(1, 3)) // zoom**2
    return np.asarray(piece[:, ::-1] if rng.integers(2) else piece, dtype=np.uint8)


def _place(shape: str, rng: np.random.Generator) -> Placed:
    """Somewhere inside the picture, with a size, stretch and turn at random."""
    # Everything is rounded: a machine whose exponential or cosine differs in the last bit draws the same.
    size = math.exp(math.log(12) + rng.random() * math.log(52 / 12))
    root = math.exp((2 * rng.random() - 1) * STRETCH / 2)
    turn_rad = 2 * math.pi * rng.random()
    cos, sin = round(math.cos(turn_rad), 6), round(math.sin(turn_rad), 6)
    at_origin = Placed(shape, 0.0, 0.0, round(size * root / 2, 3), round(size / root / 2, 3), cos, sin)
    x, y = (round(reach + rng.random() * (SIDE - 2 * reach), 3) for reach in at_origin.reach)
    return replace(at_origin, x=x, y=y)


def _fits(coverage: Coverage, taken: np.ndarray) -> bool:
    """Whether the shape has a wanted size, lies inside the picture, and hides none that is there. If so, marks its place and a pixel around as taken."""
    x1, y1, x2, y2 = coverage.box
    if min(x1, y1) < 0 or max(x2, y2) > SIDE or min(x2 - x1, y2 - y1) < SIDES[0] or max(x2 - x1, y2 - y1) > SIDES[1]:
        return False
    rows, columns = np.nonzero(coverage.fill + coverage.rim)
    rows, columns = rows + coverage.top, columns + coverage.left
    if taken[rows, columns].any():
        return False
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            taken[np.clip(rows + down, 0, SIDE - 1), np.clip(columns + right, 0, SIDE - 1)] = True
    return True


def _paint(pixels: np.ndarray, coverage: Coverage, rng: np.random.Generator) -> None:
    """Draws the shape in a colour unlike what is behind it, with a rim that is darker or lighter."""
    rows, columns = np.nonzero(coverage.fill + coverage.rim)
    fill, rim = coverage.fill[rows, columns, None], coverage.rim[rows, columns, None]
    rows, columns = rows + coverage.top, columns + coverage.left
    behind = pixels[rows, columns]
    for _ in range(8):
        colour = rng.integers(20, 256, 3)
        if np.abs(colour - behind.sum(axis=0) // len(behind)).sum() > 150:
            break
    edge = colour // 3 if rng.integers(2) else (colour + 2 * 255) // 3
    pixels[rows, columns] = (behind * (16 - fill - rim) + colour * fill + edge * rim + 8) // 16
