"""Image files: their size from the header, their pixels, and nothing that a hostile file could do besides."""

import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from boxloss.datasets.types import Pixels
from boxloss.datasets.where import Where, need
from boxloss.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
# Named, so that a file called .jpg never reaches Pillow's readers that start other programs (EPS) or are seldom tested.
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")
# What `convert("RGB")` turns into eight bits without loss of range; 16-bit and float pictures need a scale that only their owner knows.
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "La", "RGBa", "HSV", "LAB")


@contextmanager
def _opened(path: Path) -> "Iterator[Image]":
    """The image file, opened by Pillow with its limit on decompression bombs as an error."""
    image_module = need("PIL.Image", "pillow")
    where = Where(path, "picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # Pillow's remarks on odd EXIF data and palettes: no use to our user
            warnings.simplefilter("error", image_module.DecompressionBombWarning)
            with image_module.open(path, formats=_FORMATS) as image:
                yield image
    except DataError:
        raise
    except (image_module.DecompressionBombWarning, image_module.DecompressionBombError):
        limit = image_module.MAX_IMAGE_PIXELS
        where.refuse(
            "size", "too many pixels", f"must have at most {limit} pixels, Pillow's limit", "a decompression bomb, or a picture to cut into tiles first"
        )
    except image_module.UnidentifiedImageError:
        where.refuse("content", "not recognised", "must be a JPEG, PNG, BMP, WebP or TIFF picture", "is the file empty, damaged or of another kind?")
    except FileNotFoundError:
        where.refuse("image file", str(path), "must exist", "has it been moved since the data set was read?")
    except Exception as error:  # Pillow's readers raise OSError, SyntaxError, struct.error, ValueError ... on damaged files: all mean the same here
        where.refuse("content", f"{type(error).__name__}: {error}", "must be a whole, undamaged picture", "was it cut off while copying? fetch it again")


def read_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels, from the file's header."""
    with _opened(path) as image:
        if image.mode not in _MODES:
            Where(path, "picture").refuse("pixel mode", image.mode, "must have 8 bits a channel", "convert it to an 8-bit picture first")
        return image.size


def read_pixels(path: Path) -> Pixels:
    """The pixels as (H, W, 3) uint8 RGB, as stored (no turning by EXIF), transparency dropped."""
    with _opened(path) as image:
        if image.mode not in _MODES:
            Where(path, "picture").refuse("pixel mode", image.mode, "must have 8 bits a channel", "convert it to an 8-bit picture first")
        return np.array(image.convert("RGB"), dtype=np.uint8)


def check_size(path: Path, width: int, height: int, where: Where) -> None:
    """Refuses a picture whose file has another size than its annotation says."""
    got = read_size(path)
    if got == (width, height):
        return
    hint = (
        "the sides are exchanged: was the picture turned, for instance by its EXIF tag?"
        if got == (height, width)
        else "was the picture resized after it was annotated?"
    )
    where.refuse("size", f"{width} x {height}", f"must be the size of {path.name}, which is {got[0]} x {got[1]}", hint)
