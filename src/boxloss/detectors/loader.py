"""Batches for training and prediction: the whole set resized once into one tensor of bytes, order and flips a pure function of seed and epoch."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from boxloss.datasets.types import Picture
from boxloss.errors import DataError, MissingExtraError

Size = tuple[int, int]
"""Width and height in pixels."""


class Batch(NamedTuple):
    """`images`: (B, 3, H, W) uint8. For each picture: `boxes` (n, 4) float32 xyxy in input pixels, `labels` (n,) int64, `ignored` (m, 4) regions to ignore."""

    images: torch.Tensor
    boxes: list[np.ndarray]
    labels: list[np.ndarray]
    ignored: list[np.ndarray]


class Resized:
    """Pictures at one size, held in memory: 3 bytes a pixel. Each side is scaled by itself, so that the whole picture is seen and none of the input is padding.

    Boxes to ignore become regions; boxes of no size are dropped, since nothing can be learned from them: `n_dropped` counts them.
    """

    def __init__(self, pictures: Sequence[Picture], size: Size):
        if not pictures:
            raise DataError("no pictures to load: the split is empty")
        self.pictures, self.size = tuple(pictures), size
        self.images = torch.empty((len(pictures), 3, size[1], size[0]), dtype=torch.uint8)
        self.boxes: list[np.ndarray] = []
        self.labels: list[np.ndarray] = []
        self.ignored: list[np.ndarray] = []
        self.n_dropped = 0
        for i, picture in enumerate(pictures):
            self.images[i] = torch.from_numpy(resize(picture.pixels(), size)).permute(2, 0, 1)
            boxes = picture.boxes * scale_of(picture, size)
            sized = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
            learn = sized & ~picture.ignore
            self.n_dropped += int((~sized & ~picture.ignore).sum())
            self.boxes.append(boxes[learn].astype(np.float32))
            self.labels.append(picture.labels[learn])
            self.ignored.append(boxes[picture.ignore].astype(np.float32))

    def __len__(self) -> int:
        return len(self.pictures)


def scale_of(picture: Picture, size: Size) -> np.ndarray:
    """What original coordinates xyxy are multiplied by to be input coordinates, (4,) float64."""
    return np.array([size[0] / picture.width, size[1] / picture.height] * 2)


def resize(pixels: np.ndarray, size: Size) -> np.ndarray:
    """Pixels (h, w, 3) uint8 at `size`; each new pixel averages over the old ones that it covers, so nothing small vanishes between two samples."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("Pillow", "data", "resizing pictures") from None
    if pixels.shape[:2] == size[::-1]:
        return pixels.copy()
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))


class TrainingLoader:
    """The batches of one epoch, in an order and with horizontal flips that depend on (seed, epoch) alone: no hidden state, the same for every loss.

    Set `epoch` before iterating. The last batch of an epoch may be smaller.
    """

    def __init__(self, data: Resized, batch_size: int = 16, seed: int = 0):
        self.data, self.batch_size, self.seed = data, batch_size, seed
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self.data) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        # Reads `epoch` when the first batch is asked for: Lightning calls iter() before it tells anyone that an epoch starts.
        rng = np.random.default_rng([self.seed, self.epoch])
        order = rng.permutation(len(self.data))
        flip = rng.random(len(self.data)) < 0.5
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            yield self._batch(rows, flip[rows])

    def _batch(self, rows: np.ndarray, flip: np.ndarray) -> Batch:
        images = self.data.images[torch.from_numpy(rows)]
        turned = torch.from_numpy(np.flatnonzero(flip))
        images[turned] = images[turned].flip(-1)
        width = self.data.size[0]
        boxes = [_flip(self.data.boxes[i], width) if f else self.data.boxes[i] for i, f in zip(rows, flip, strict=True)]
        ignored = [_flip(self.data.ignored[i], width) if f else self.data.ignored[i] for i, f in zip(rows, flip, strict=True)]
        return Batch(images, boxes, [self.data.labels[i] for i in rows], ignored)


def _flip(boxes: np.ndarray, width: int) -> np.ndarray:
    """Boxes as seen in a mirror."""
    return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)
