"""A comparison as a program of its own, to be interrupted and killed: `python go.py OUT JOBS EPOCHS [quiet]`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from boxloss.compare import run
from compare.tiny import tiny


def main(out: str, jobs: str, epochs: str) -> int:
    run._report = lambda *_: None  # the report has its own tests
    options = {"seeds": 2, "epochs": int(epochs), "batch_size": 8, "eval_every": 10, "jobs": int(jobs)}
    try:
        run.compare(tiny(), "iou,l1", out=out, **options)
    except run.Interrupted as interrupted:
        print(interrupted, file=sys.stderr)
        return 130
    return 0


sys.exit(main(*sys.argv[1:]))  # no `if __name__ ...`: a comparison must work from a script without it
