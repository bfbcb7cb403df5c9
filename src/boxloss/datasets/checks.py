"""The rules that values in a data set keep, whatever its format. Each check returns the value, or refuses it where it stands."""

import math
import re
from collections.abc import Iterable, Sequence

from boxloss.datasets.types import DECIMALS
from boxloss.datasets.where import MISSING, Where

# A box may hang over the picture's edge by this many pixels, or this share of that side: annotation tools round, and people draw past the rim.
# Farther out, the box and the picture do not belong together.
OVERHANG_PIXELS = 2.0
OVERHANG_SHARE = 0.02
# Larger than any sensor, and far below where a coordinate would lose its grid of 1e-6.
LARGEST_SIDE = 1_000_000

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")

Box = tuple[float, float, float, float]


def overhang(side: int) -> float:
    """By how many pixels a box may stick out of a picture with this side."""
    return max(OVERHANG_PIXELS, OVERHANG_SHARE * side)


def from_text(text: str) -> object:
    """What a word in an XML or YOLO file says: an int or a float where it is written like one, MISSING where it is blank, else the text itself."""
    if not text:
        return MISSING
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        return float(text)
    return text


def finite(value: object, where: Where, field: str) -> float:
    """A finite number: an int or a float, not a bool."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        where.refuse(field, value, "must be a number", _hint(value, "write plain digits, like 12 or 12.5"))
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        where.refuse(field, value, "must be a finite number", "remove the box or write its true coordinate")
    return number


def integer(value: object, where: Where, field: str) -> int:
    """A whole number: an int, not a bool."""
    if not isinstance(value, int) or isinstance(value, bool):
        where.refuse(field, value, "must be a whole number", _hint(value, "write plain digits, without point or exponent"))
    return value


def _hint(value: object, otherwise: str) -> str:
    """Why a value is no number."""
    if value is MISSING or value is None:
        return "the value is missing"
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return "remove the quotes"
    return otherwise


def side(value: object, where: Where, field: str) -> int:
    """A picture's width or height in pixels."""
    number = integer(value, where, field)
    if not 1 <= number <= LARGEST_SIDE:
        where.refuse(field, number, f"must lie in 1 ... {LARGEST_SIDE} pixels", "write the picture's true size")
    return number


def flag(value: object, where: Where, field: str) -> bool:
    """0 or 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value not in (0, 1):
        where.refuse(field, value, "must be 0 or 1", "1 marks a box that is neither trained on nor counted in evaluation")
    return value == 1


def box(corners: Sequence[float], size: tuple[int, int], where: Where, fields: Sequence[str], hint: str = "") -> Box:
    """A box (xyxy, finite, pixels) on the 1e-6 px grid: not inverted, and inside its picture but for a small overhang.

    `fields` names x1, y1, x2, y2 as the file's reader should see them; `hint` replaces the usual hint for a box far outside.
    """
    x1, y1, x2, y2 = (round(value, DECIMALS) + 0.0 for value in corners)
    for low, high, low_field, high_field in ((x1, x2, fields[0], fields[2]), (y1, y2, fields[1], fields[3])):
        if high < low:
            where.refuse(
                high_field, _short(high), f"must not be less than {low_field} = {low:.10g}", "the corners are exchanged: the upper left one comes first"
            )
    for low, high, length, low_field, high_field in ((x1, x2, size[0], fields[0], fields[2]), (y1, y2, size[1], fields[1], fields[3])):
        slack = overhang(length)
        rule = f"must lie in 0 ... {length}, with at most {slack:g} px beyond"
        if not -slack <= low <= length + slack:
            where.refuse(low_field, _short(low), rule, hint or "is this the right picture, and is its size right?")
        if not -slack <= high <= length + slack:
            where.refuse(high_field, _short(high), rule, hint or "is this the right picture, and is its size right?")
    return x1, y1, x2, y2


def _short(coordinate: float) -> float:
    """The coordinate as a person writes it: 9, not 9.0."""
    return int(coordinate) if coordinate.is_integer() else coordinate


def class_name(value: object, where: Where, field: str) -> str:
    """A class name: text on one line, not blank, without blanks around it."""
    if not isinstance(value, str) or not value.strip():
        blank = value is MISSING or value is None or isinstance(value, str)
        where.refuse(field, value, "must be a class name", "the value is missing" if blank else "put quotes around it")
    if value != value.strip() or not value.isprintable():
        where.refuse(field, value, "must be printable, on one line, without blanks around it", "write a plain name")
    return value


def unique(names: Iterable[tuple[str, Where]], field: str) -> tuple[str, ...]:
    """Names that must all differ."""
    seen: dict[str, Where] = {}
    for name, where in names:
        if name in seen:
            where.refuse(field, name, f"must be unique; {seen[name].record} has it too", "remove or rename one of the two")
        seen[name] = where
    return tuple(seen)


def image_name(value: str, where: Where, field: str) -> str:
    """A picture's name or path: printable, no blanks around it, no empty or `.` parts."""
    if value != value.strip() or not value.isprintable() or any(part in ("", ".") for part in value.split("/")):
        where.refuse(field, value, "must be a plain relative path, such as a/b.jpg", "no blanks around it, no control characters, no // and no ./")
    return value
