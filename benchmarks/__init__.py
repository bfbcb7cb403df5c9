"""Speed and memory beside what a user would pick instead: `python -m benchmarks` (docs/benchmarks.md is what it writes).

    clock, memory     how a time and a peak are measured: contenders in turn, a process for each peak
    contest           contenders that do one work on boxes of several sizes
    works/            what is measured, one file a work
    figures           the ratios to reach, judged from the results
    page, charts, readme, machine, peers   what is told, and where it comes from

`precision.py`, `torch_overhead.py` and `gpu.py` are scripts by themselves.
"""
