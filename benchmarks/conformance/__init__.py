"""The same boxes through boxloss and through other people's packages, all judged by exact arithmetic: docs/conformance.md.

`python -m benchmarks.conformance` installs each peer into a throw-away virtual environment, runs `inside/run.py` there, and judges the answers here.
Nothing of a peer is kept or copied. It needs `pip install -e '.[dev]'`, since the boxes and the exact reference are the tests'.
"""
