"""The regression experiment of the DIoU paper: boxes moved towards their targets by the gradient of a loss alone.

from boxloss.simulate import load, simulate
result = simulate("ciou", "quick")            # in memory; `boxloss.simulate.stream` does it for any number of cases
results = load("runs/diou-paper")             # what `boxloss simulate giou,ciou --out runs/diou-paper` stored
"""

from boxloss.simulate.protocol import PRESETS, Protocol
from boxloss.simulate.run import Result, simulate
from boxloss.simulate.store import load

__all__ = ["PRESETS", "Protocol", "Result", "load", "simulate"]
