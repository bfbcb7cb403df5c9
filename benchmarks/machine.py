"""Where and with what a measurement was made."""

import datetime
import os
import platform
import re
from pathlib import Path
from typing import Any

from benchmarks import peers


def cpu_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    names = re.findall(r"^model name\s*: (.*)$", text, flags=re.MULTILINE)
    return names[0] if names else platform.machine()


def n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def vector_code() -> str:
    """The widest vectors the processor has, which is what most of the figures hang on."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return ""
    return next((label for flag, label in (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("asimd", "NEON")) if flag in flags), "")


def caches() -> str:
    """The sizes of the first core's caches, as Linux has them."""
    found = []
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            found.append(f"L{level} {size.replace('K', ' KiB')}")
    return ", ".join(found)


def memory_gib() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        return float("nan")


def describe(n_threads: int) -> dict[str, Any]:
    """What a reader needs to repeat a measurement or to doubt it."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": cpu_name(),
        "vectors": vector_code(),
        "caches": caches(),
        "cores": n_cores(),
        "memory_gib": round(memory_gib(), 1),
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2),
        "threads": n_threads,
        "versions": {"python": platform.python_version()} | {peer.name: peer.version for peer in peers.PEERS if peer.version},
    }
