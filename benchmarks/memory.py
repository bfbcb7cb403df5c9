"""The peak of memory over the inputs, each measured in a process of its own: `python -m benchmarks.memory WORK CASE CONTENDER THREADS`."""

import ctypes
import gc
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STATUS = Path("/proc/self/status")


class NotMeasured(Exception):
    """Says why there is no number."""


def peak(work: str, case: str, contender: str, n_threads: int) -> int | None:
    """Bytes; None where the system does not tell (other systems than Linux). Raises `NotMeasured` where the call fails, most often for want of memory."""
    if not STATUS.exists():
        return None
    command = [sys.executable, "-m", "benchmarks.memory", work, case, contender, str(n_threads)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"])[-1]
        raise NotMeasured(f"does not fit into {_available() / 2**30:.0f} GiB of memory" if _is_for_memory(last, done.returncode) else last[:200])
    return int(json.loads(done.stdout.splitlines()[-1])["peak"])


def of_call(call: Callable[[], object], forget: Callable[[], object] = lambda: None) -> int:
    """How far the process grows during a call, over what it holds before. The first call, which compiles, is not counted, nor what it leaves behind."""
    call()
    forget()
    gc.collect()
    _give_back_what_is_free()
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    kept = call()
    most = _status("VmHWM")
    del kept
    return max(0, most - before)


def _status(field: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return 1024 * int(line.split()[1])


def _available() -> int:
    return next(1024 * int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable"))


def _give_back_what_is_free() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _is_for_memory(message: str, code: int) -> bool:
    return code == -9 or any(words in message for words in ("MemoryError", "allocate memory", "bad_alloc", "Unable to allocate"))


def main(work: str, case: str, contender: str, n_threads: str) -> None:
    from benchmarks import works
    from benchmarks.contest import use_threads

    use_threads(int(n_threads))
    contest = works.contest(work)
    # A contender that asks for more than there is shall fail by itself, and take nothing down with it.
    limit = int(0.9 * _available())
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    inputs = contest.inputs(contest.case(case))
    chosen = next(one for one in contest.contenders if one.name == contender)
    found = of_call(chosen.prepare(inputs), lambda: contest.forget(inputs))
    print(json.dumps({"peak": found}), flush=True)
    os._exit(0)  # a library that trips over its own exit is not what is measured


if __name__ == "__main__":
    main(*sys.argv[1:])
