"""The experiment as data: where boxes start, where they have to go, and how they are moved."""

import json
import math
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
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
                raise UnknownNameError(f"{name} of a protocol", str(value), known)
        for name, least in (("n_centres", 1), ("steps", 1), ("seed", 0)):
            value = getattr(self, name)
            self._require(isinstance(value, int) and not isinstance(value, bool) and value >= least, name, f"a whole number >= {least}")
        for name in ("target_area", "radius", "ratios", "scales"):
            value = getattr(self, name)
            numbers = value if isinstance(value, tuple) else (value,)
            self._require(bool(numbers) and all(_is_number(x) and x > 0 for x in numbers), name, "finite numbers > 0")
        self._require(isinstance(self.centre, tuple) and len(self.centre) == 2 and all(map(_is_number, self.centre)), "centre", "two finite numbers")
        self._require(isinstance(self.factor, bool), "factor", "True or False")
        self._require(isinstance(self.name, str) and bool(self.name), "name", "a text")
        self._require(_are_rates(self.rates), "rates", "(share, rate) with shares that rise to 1 and rates > 0")

    def _require(self, fits: bool, name: str, expected: str) -> None:
        if not fits:
            raise ParameterError(f"Protocol: {name} is {getattr(self, name)!r}, expected {expected}")

    @property
    def n_cases(self) -> int:
        return self.n_centres * self.cases_per_centre

    @property
    def cases_per_centre(self) -> int:
        return len(self.ratios) ** 2 * len(self.scales)

    def with_(self, **changes: Any) -> "Protocol":
        """The same with other values of some fields."""
        return replace(self, **changes)

    def at_rate(self, rate: float) -> "Protocol":
        """The same with this rate at first, and the later ones in proportion."""
        first = self.rates[0][1]
        # 0.2 * (0.01 / 0.1) is not 0.02, but 0.01 * 2 is
        return self.with_(rates=tuple((share, other * (rate / first)) for share, other in self.rates))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def as_json(self) -> str:
        return json.dumps(self.as_dict(), indent=1)

    def step_sizes(self) -> Boxes:
        """The rate of each step, (steps,)."""
        ends = np.array([share for share, _ in self.rates])
        shares = (np.arange(self.steps) + 1) / self.steps
        # A share such as 160 / 200 belongs to the rate that ends there, however it was rounded.
        return np.array([rate for _, rate in self.rates])[np.searchsorted(ends, shares - 1e-9)]

    def centres(self, first: int = 0, last: int | None = None) -> Boxes:
        """The anchors' centres, (n_centres, 2), or those from `first` to `last`: the same for the same seed, whatever their number."""
        last = self.n_centres if last is None else last
        # Two draws a centre: a generator can be set forward, and memory need not grow with the number of centres.
        chance = np.random.Generator(np.random.PCG64(self.seed).advance(2 * first)).random((last - first, 2))
        distance = np.sqrt(chance[:, 0]) if self.draw == "disc" else 2.0 ** (-8 * chance[:, 0])
        angle = 2 * np.pi * chance[:, 1]
        found: Boxes = np.asarray(self.centre) + self.radius * distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
        return found

    def cases(self, first: int, last: int) -> tuple[Boxes, Boxes]:
        """Anchors and targets of cases `first` to `last`, two (n, 4) in cxcywh."""
        n_ratios, n_scales = len(self.ratios), len(self.scales)
        case = np.arange(first, last)
        case, of_anchor = np.divmod(case, n_ratios)
        case, of_scale = np.divmod(case, n_scales)
        of_centre, of_target = np.divmod(case, n_ratios)
        ratios, areas = np.asarray(self.ratios), self.target_area * np.asarray(self.scales)
        target = np.empty((last - first, 4))
        target[:, :2] = self.centre
        target[:, 2:] = _sides(np.broadcast_to(self.target_area, len(case)), ratios[of_target])
        from_centre = first // self.cases_per_centre
        centres = self.centres(from_centre, -(-last // self.cases_per_centre))
        anchor = np.concatenate([centres[of_centre - from_centre], _sides(areas[of_scale], ratios[of_anchor])], 1)
        return anchor, target


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x)


def _are_rates(rates: Any) -> bool:
    if not isinstance(rates, tuple) or not all(isinstance(pair, tuple) and len(pair) == 2 and all(map(_is_number, pair)) for pair in rates):
        return False
    ends = [share for share, _ in rates]
    return bool(ends) and ends == sorted(ends) and ends[-1] == 1 and all(share > 0 and rate > 0 for share, rate in rates)


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
    """A preset by its name, or the protocol in a file NAME.json; a protocol is itself."""
    if isinstance(name, Protocol):
        return name
    if name.endswith(".json"):
        return read(Path(name))
    if name not in PRESETS:
        raise UnknownNameError("protocol", name, [*PRESETS, "FILE.json, with fields of one"])
    return PRESETS[name]


def read(file: Path) -> Protocol:
    """The protocol in a JSON file: an object with the fields of `Protocol`. Those that it lacks have their defaults, and the name is the file's."""
    try:
        return from_json(file.read_text(encoding="utf-8"), file.stem)
    except OSError as error:
        raise ParameterError(f"{file}: {'no such file' if isinstance(error, FileNotFoundError) else error.strerror}; expected a protocol") from error
    except (ParameterError, UnknownNameError) as error:
        raise ParameterError(f"{file}: {error}") from error


def from_json(text: str, name: str = "protocol") -> Protocol:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ParameterError(f"a protocol that is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ParameterError(f"a protocol that is {type(found).__name__}, expected an object with fields such as steps and rates")
    known = [field.name for field in fields(Protocol)]
    for key in found:
        if key not in known:
            raise UnknownNameError("field of a protocol", key, known)
    return Protocol(**{"name": name} | {key: _tupled(value) for key, value in found.items()})


def _tupled(value: Any) -> Any:
    """JSON has lists alone."""
    return tuple(map(_tupled, value)) if isinstance(value, list) else value
