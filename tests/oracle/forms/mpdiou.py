"""Minimum point distance IoU."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Pair


def mpdiou(pair: Pair, image_width: float = 640.0, image_height: float = 640.0) -> Any:
    diagonal2 = Fraction(image_width) ** 2 + Fraction(image_height) ** 2
    left, top, right, bottom = pair.differences
    return pair.jaccard + (left * left + top * top) / diagonal2 + (right * right + bottom * bottom) / diagonal2


FORMS = (mpdiou,)
VARIANTS = {"mpdiou": (({"image_width": 1.0, "image_height": 0.75}, None),)}
