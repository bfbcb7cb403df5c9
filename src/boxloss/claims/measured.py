"""What was measured of a loss, as plain numbers."""

from dataclasses import asdict, dataclass, fields
from typing import Any

Box = tuple[float, ...]


@dataclass(frozen=True)
class Measured:
    """One loss, with its parameters, as a search found it. Boxes are `xyxy`; (x, y, width, height) have the centre first."""

    name: str
    parameters: dict[str, Any]
    least: float
    most: float
    """The smallest and the largest value among random, degenerate and extreme pairs, and uphill from these."""
    most_at: tuple[Box, Box]
    self_cost: float
    """The largest value of a box against itself."""
    not_finite: str
    """The first hazard whose value or gradient is not finite; empty where there is none."""
    swap: float
    """The largest difference when prediction and target change places."""
    sevenfold: float
    """The largest difference, beside the value, when all coordinates are multiplied by 7."""
    doubled: float
    """The same for powers of two, which round nothing."""
    triangle: float
    """The largest loss(a, c) - loss(a, b) - loss(b, c) that was found; above 0 the loss is no metric."""
    triangle_size: float
    """loss(a, c) there: excesses of some roundoffs of it are rounding."""
    triangle_random: float
    """The same among 240,000 random triples alone."""
    triangle_at: tuple[Box, Box, Box]
    repulsion: float
    """The smallest slope along the line of centres, away from the target, by the gradient: below 0 the box is pushed away."""
    repulsion_at: tuple[Box, Box]
    repulsive: dict[str, float]
    """The share of pairs of each kind (apart, nested, overlapping) that the gradient pushes away."""
    fall: float
    """The largest fall of the value while a box moves away from its target along the line of centres."""
    fall_at: tuple[Box, Box]
    """The pair from which it falls, as it lies where the value is highest."""
    apart: tuple[float, float, float]
    """The slopes by x, width and height for the prediction (3, 0, 1, 1) and the target (0, 0, 1, 1)."""
    enlarging: float
    """The share of pairs of one shape, apart, for which a larger prediction, with its centre kept, costs less."""
    match: tuple[float, float, float]
    """The slopes on leaving the match: to the right, wider, narrower; of a unit box."""
    flat: dict[str, float]
    """The share of pairs of each kind whose gradient is exactly 0."""
    unmoved: float
    """The share of nested pairs whose centre feels no pull."""
    shift_top: float
    """Where, in widths, the value first falls while a unit box is shifted by up to 8 of them; 8 where it never does."""
    shift_fall: float
    """By how much it falls below what it was before."""
    shift_flat: float
    """From where on it is constant; 8 where it is nowhere."""
    shift_end: float
    """The value at 8."""
    gradient_error: float
    """How far the gradient is from differences of the value, what is held being held, beside its largest slope."""
    value_error: float
    """The same where nothing is held: large where the formula holds something."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def monotone(self) -> bool:
        """Does the loss never fall while a unit box is shifted by 0 to 8 widths?"""
        return self.shift_top >= 8.0


def from_dict(kept: dict[str, Any]) -> Measured:
    """What `as_dict` gave, from JSON, which has lists for tuples."""
    pairs = {name: tuple(map(tuple, kept[name])) for name in ("most_at", "triangle_at", "repulsion_at", "fall_at")}
    triples = {name: tuple(kept[name]) for name in ("apart", "match")}
    known = {field.name for field in fields(Measured)}
    return Measured(**{name: value for name, value in kept.items() if name in known} | pairs | triples)
