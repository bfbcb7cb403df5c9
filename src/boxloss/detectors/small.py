"""A small anchor-free detector (FCOS-like): about a million parameters, fast on one CPU thread, no part of it depends on the box loss."""

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from boxloss.anchors import points

STRIDES = (8, 16, 32)
WIDTH = 64
"""Channels of the features that predictions are made from."""
PRIOR = 0.01
"""The score that every point starts with: most points are background, and a loss that starts at one half would be spent on learning that."""


class Outputs(NamedTuple):
    """What the detector says at each of P points: class `logits` (B, P, C), and `boxes` (B, P, 4) xyxy in pixels of the input."""

    logits: torch.Tensor
    boxes: torch.Tensor


def _conv(n_in: int, n_out: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    # Normalisation by groups: no statistics over the batch, so a picture's prediction depends on nothing but the picture.
    return nn.Sequential(nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False), nn.GroupNorm(8, n_out), nn.ReLU(inplace=True))


class Block(nn.Module):
    """Two convolutions, and the input added: (B, C, H, W) to the same."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.GroupNorm(8, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(x + self.second(self.first(x)))


class SmallDetector(nn.Module):
    """Class logits and boxes at the points of strides 8, 16 and 32.

    A box is its point and the distances to its four sides (`ltrb`), which are positive: a box always contains its point.
    The weights at the start depend on `seed` alone, whatever was drawn before.
    """

    def __init__(self, n_classes: int, *, seed: int = 0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._build(n_classes)

    def _build(self, n_classes: int) -> None:
        # Two thin layers before a quarter of the resolution: they cost a fifth of the time, and without the first one, fine outlines are lost
        # (AP .25 instead of .34 on the embedded set).
        self.stem = nn.Sequential(_conv(3, 8, 2), _conv(8, 32, 2))
        channels = (48, 96, 160)
        self.stage8 = nn.Sequential(_conv(32, channels[0], 2), Block(channels[0]))
        self.stage16 = nn.Sequential(_conv(channels[0], channels[1], 2), Block(channels[1]))
        self.stage32 = nn.Sequential(_conv(channels[1], channels[2], 2), Block(channels[2]))
        self.lateral = nn.ModuleList([nn.Conv2d(n, WIDTH, 1) for n in channels])
        self.class_tower, self.box_tower = _conv(WIDTH, WIDTH), _conv(WIDTH, WIDTH)
        self.class_head, self.box_head = nn.Conv2d(WIDTH, n_classes, 1), nn.Conv2d(WIDTH, 4, 1)
        self.level_scale = nn.Parameter(torch.ones(len(STRIDES)))
        _start(self.class_head, -math.log((1 - PRIOR) / PRIOR))
        _start(self.box_head, 0.0)

    def forward(self, images: torch.Tensor) -> Outputs:
        """`images`: (B, 3, H, W), uint8 or float in 0 ... 255."""
        height, width = images.shape[-2:]
        xy, strides = _points(width, height)
        logits, raw = [], []
        for level, features in enumerate(self._pyramid((images.float() - 127.5) / 64)):
            logits.append(self.class_head(self.class_tower(features)).flatten(2))
            raw.append((self.box_head(self.box_tower(features)) * self.level_scale[level]).flatten(2))
        distances = 2 * strides[:, None] * functional.softplus(torch.cat(raw, dim=2).transpose(1, 2))
        boxes = torch.cat([xy - distances[..., :2], xy + distances[..., 2:]], dim=-1)
        return Outputs(torch.cat(logits, dim=2).transpose(1, 2), boxes)

    def _pyramid(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Features at strides 8, 16 and 32, each with what the coarser ones know."""
        fine = self.stage8(self.stem(x))
        middle = self.stage16(fine)
        coarse = self.stage32(middle)
        features = [lateral(f) for lateral, f in zip(self.lateral, (fine, middle, coarse), strict=True)]
        for level in (1, 0):
            size = features[level].shape[-2:]
            features[level] = features[level] + functional.interpolate(features[level + 1], scale_factor=2, mode="nearest")[..., : size[0], : size[1]]
        return features


def _start(head: nn.Conv2d, bias: float) -> None:
    """Weights so small that every point starts with the same answer."""
    nn.init.normal_(head.weight, std=0.01)
    if head.bias is not None:
        nn.init.constant_(head.bias, bias)


@lru_cache(maxsize=16)
def _points(width: int, height: int) -> tuple[torch.Tensor, torch.Tensor]:
    xy, strides = points(width, height, STRIDES)
    return torch.from_numpy(xy), torch.from_numpy(strides)
