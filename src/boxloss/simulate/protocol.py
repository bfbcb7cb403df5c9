"""The experiment as data: where boxes start, where they have to go, and how they are moved."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from boxloss.errors import ParameterError, UnknownNameError

Boxes = npt.NDArray[np.float64]
PARAMETERS = ("cxcywh", "xyxy")
OPTIMISERS = ("descent", "momentum", "adam")
DRAWS = ("disc", "log disc")


@dataclass(frozen=True)
class Protocol:
    """A regression experiment: every anchor is moved towards every target, by the gradient of a loss alone.

    A case is a centre, a target's ratio, an anchor's scale and an anchor's ratio; cases are counted in this order, the last running fastest.
    """

    name: str
    centre: tuple[float, float] = (10.0, 10.0)
    """Of all targets."""
    target_area: float = 1.0
    n_centres: int = 5000
    """Of the anchors."""
    radius: float = 3.0
    """Of the disc that the anchors' centres are drawn from."""
    draw: str = "disc"
    """How: "disc", evenly over its area; "log disc", by the logarithm of the distance, so that half of them lie within a sixteenth of the radius."""
    ratios: tuple[float, ...] = (1 / 4, 1 / 3, 1 / 2, 1.0, 2.0, 3.0, 4.0)
    """Width over height, of targets and of anchors."""
    scales: tuple[float, ...] = (0.5, 0.67, 0.75, 1.0, 1.33, 1.5, 2.0)
    """Areas of the anchors, in areas of the target."""
    steps: int = 200
    rates: tuple[tuple[float, float], ...] = ((0.8, 0.1), (0.9, 0.01), (1.0, 0.001))
    """(share of the steps, rate): the rate up to there."""
    factor: bool = True
    """Whether a step is multiplied by 2 - IoU."""
    parameters: str = "cxcywh"
    """What is moved: centre and size, or corners."""
    optimiser: str = "descent"
    """"descent"; "momentum", of 0.9; or "adam", with betas of 0.9 and 0.999."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, known in (("parameters", self.parameters, PARAMETERS), ("optimiser", self.optimiser, OPTIMISERS), ("draw", self.draw, DRAWS)):
            if value not in known:
                raise UnknownNameError(f"{name} of a protocol", value, known)
        for name in ("n_centres", "steps"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ParameterError(f"Protocol: {name} is {value!r}, expected a whole number >= 1")
        for name in ("target_area", "radius", "ratios", "scales"):
            value = getattr(self, name)
            numbers = value if isinstance(value, tuple) else (value,)
            if not numbers or not all(isinstance(x, (int, float)) and 0 < x < math.inf for x in numbers):
                raise ParameterError(f"Protocol: {name} is {value!r}, expected finite numbers > 0")
        ends = [share for share, _ in self.rates]
        if not ends or ends != sorted(ends) or ends[-1] != 1 or not all(rate > 0 for _, rate in self.rates):
            raise ParameterError(f"Protocol: rates are {self.rates!r}, expected (share, rate) with shares that rise to 1 and rates > 0")

    @property
    def n_cases(self) -> int:
        return self.n_centres * self.cases_per_centre

    @property
    def cases_per_centre(self) -> int:
        return len(self.ratios) ** 2 * len(self.scales)

    def with_(self, **changes: Any) -> "Protocol":
        """The same with other values of some fields."""
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def step_sizes(self) -> Boxes:
        """The rate of each step, (steps,)."""
        ends = np.array([share for share, _ in self.rates])
        shares = (np.arange(self.steps) + 1) / self.steps
        # A share such as 160 / 200 belongs to the rate that ends there, however it was rounded.
        return np.array([rate for _, rate in self.rates])[np.searchsorted(ends, shares - 1e-9)]

    def centres(self) -> Boxes:
        """The anchors' centres, (n_centres, 2): the same for the same seed, and the first ones the same whatever their number."""
        chance = np.random.default_rng(self.seed).random((self.n_centres, 2))
        distance = np.sqrt(chance[:, 0]) if self.draw == "disc" else 2.0 ** (-8 * chance[:, 0])
        angle = 2 * np.pi * chance[:, 1]
        return np.asarray(self.centre) + self.radius * distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)

    def cases(self, first: int, last: int, centres: Boxes | None = None) -> tuple[Boxes, Boxes]:
        """Anchors and targets of cases `first` to `last`, two (n, 4) in cxcywh. `centres`: what `centres()` gave, where it is at hand."""
        centres = self.centres() if centres is None else centres
        n_ratios, n_scales = len(self.ratios), len(self.scales)
        case = np.arange(first, last)
        case, of_anchor = np.divmod(case, n_ratios)
        case, of_scale = np.divmod(case, n_scales)
        of_centre, of_target = np.divmod(case, n_ratios)
        ratios, areas = np.asarray(self.ratios), self.target_area * np.asarray(self.scales)
        target = np.empty((last - first, 4))
        target[:, :2] = self.centre
        target[:, 2:] = _sides(np.broadcast_to(self.target_area, len(case)), ratios[of_target])
        anchor = np.concatenate([centres[of_centre], _sides(areas[of_scale], ratios[of_anchor])], 1)
        return anchor, target


def _sides(area: Boxes, ratio: Boxes) -> Boxes:
    return np.stack([np.sqrt(area * ratio), np.sqrt(area / ratio)], 1)


_DIOU = Protocol("diou-paper")
PRESETS = {
    protocol.name: protocol
    for protocol in (
        # 60 centres: a second a loss, and sums within a tenth or so of the whole.
        _DIOU.with_(name="quick", n_centres=60),
        _DIOU,
        Protocol(
            "wiou-paper", centre=(0.5, 0.5), target_area=1 / 32, radius=0.5, draw="log disc", scales=(1.0, 4 / 3, 1.5, 2.0, 8 / 3, 3.0, 4.0), steps=120,
            rates=((1.0, 0.01),), factor=False, parameters="xyxy", optimiser="adam",
        ),
        Protocol("piou-paper", centre=(1.0, 1.0), target_area=1 / 32, radius=0.5, steps=120, rates=((1.0, 0.01),), factor=False, optimiser="adam"),
    )
}  # fmt: skip


def find(name: str | Protocol) -> Protocol:
    """A preset by its name; a protocol is itself."""
    if isinstance(name, Protocol):
        return name
    if name not in PRESETS:
        raise UnknownNameError("protocol", name, PRESETS)
    return PRESETS[name]


def total(parts: Iterable[float]) -> float:
    """The sum, rounded once: the same in whatever order and from whatever shards the parts came."""
    return math.fsum(parts)
