"""A simulation as a program of its own, to be killed: `python go.py OUT` has shards of a size that makes many of them, and says when each is stored."""

import sys
from pathlib import Path

from boxloss.simulate import run
from boxloss.simulate.loss import chosen
from boxloss.simulate.protocol import PRESETS
from boxloss.simulate.store import LossStore
from boxloss.simulate.stream import stream

run.TILE, run.SHARD = 256, 512
PLAN = PRESETS["quick"].with_(name="killed", n_centres=30)


def keep(self, shard, _keep=LossStore.keep):
    _keep(self, shard)
    print(shard.first, flush=True)


if __name__ == "__main__":
    LossStore.keep = keep
    for _ in stream(chosen("giou,ciou"), PLAN, out=Path(sys.argv[1]), resume=True):
        pass
