"""How long calls take: contenders in turn, round after round, so that a machine that slows down slows all of them."""

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Call = Callable[[], object]

REST_S = 0.02
"""Before each sample: OpenMP's threads go on spinning for some milliseconds after their work, on the cores that the next contender is to have."""
WARM_S = 0.1
"""A call that takes less is done once, after the rest and before the sample: the caches hold what the last contender left there."""


@dataclass(frozen=True)
class Budget:
    """What a contender may cost: about `seconds` of calls, in samples of at least `sample_s`, no fewer than `least` and no more than `most` samples.
    Three samples do for calls of more than a second."""

    seconds: float = 2.0
    sample_s: float = 0.02
    least: int = 5
    most: int = 151


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: the median of the samples and their quartiles. A sample is the mean of `n_calls` calls in a row."""

    median_s: float
    low_s: float
    high_s: float
    n_samples: int
    n_calls: int


def race(calls: Mapping[str, Call], budget: Budget) -> dict[str, Timing]:
    """Each call's timing; what is done at a first call alone has been done. A slow call is sampled less often than a quick one, spread over the same rounds."""
    once = {name: _estimate(call) for name, call in calls.items()}
    n_calls = {name: max(1, round(budget.sample_s / seconds)) for name, seconds in once.items()}
    least = {name: budget.least if once[name] < 1 else min(budget.least, 3) for name in calls}
    wanted = {name: int(np.clip(budget.seconds / (n_calls[name] * once[name]), least[name], budget.most)) for name in calls}
    n_rounds = max(wanted.values(), default=0)
    samples: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    gc.disable()
    try:
        for k in range(n_rounds):
            for name, call in calls.items():
                if (k + 1) * wanted[name] // n_rounds > k * wanted[name] // n_rounds:
                    if once[name] < WARM_S:
                        time.sleep(REST_S)
                        call()
                    samples[name].append(_sample(call, n_calls[name]))
    finally:
        gc.enable()
    return {name: summary(samples[name], n_calls[name]) for name in calls}


def summary(samples: list[float], n_calls: int = 1) -> Timing:
    low, median, high = (float(x) for x in np.quantile(samples, (0.25, 0.5, 0.75)))
    return Timing(median, low, high, len(samples), n_calls)


def _estimate(call: Call) -> float:
    """Seconds of one call: the least of a few, unless one takes long."""
    least, start = float("inf"), time.perf_counter()
    for _ in range(20):
        least = min(least, _sample(call, 1))
        if time.perf_counter() - start > 0.2:
            break
    return least


def _sample(call: Call, n_calls: int) -> float:
    repeats = range(n_calls)
    start = time.perf_counter()
    for _ in repeats:
        call()
    return (time.perf_counter() - start) / n_calls
