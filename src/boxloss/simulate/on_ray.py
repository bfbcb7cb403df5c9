"""Shards on a Ray cluster: each is a task, and what a machine that dies had not handed in is done again elsewhere.

The cluster's machines need boxloss installed, and no file of the user's: a formula travels as its operations.
"""

import functools
import pickle
import socket
from collections.abc import Iterable, Iterator
from typing import Any

from boxloss.errors import MissingExtraError, ParameterError
from boxloss.kernels.threads import set_num_threads
from boxloss.simulate.run import Shard, Simulation, Tell

RETRIES = -1
"""Of a task whose worker died: as often as it takes."""
AHEAD = 2
"""Tasks for each core that are handed out at a time: enough that none waits, and few enough that their results fit into memory."""

PATIENCE = 10.0
"""Seconds that a cluster may take to answer."""


class Cluster:
    """An engine: Ray on this machine, or the cluster at `address`; `workers` of its cores, by default all."""

    def __init__(self, address: str | None = None, workers: int | None = None):
        self.address, self.workers = address, workers

    def __call__(self, simulation: Simulation, wanted: Iterable[tuple[int, int]], tell: Tell) -> Iterator[Shard]:
        ray = _started(self.address, self.workers)
        task = ray.remote(num_cpus=1, max_retries=RETRIES)(_shard)
        text, spans = ray.put(pickle.dumps(simulation)), iter(wanted)
        running: set[Any] = set()
        while True:
            for first, last in _upto(spans, AHEAD * self._cores(ray) - len(running)):
                running.add(task.remote(text, first, last))
            if not running:
                return
            (done,), _ = ray.wait(list(running), num_returns=1)
            running.remove(done)
            shard: Shard = ray.get(done)
            tell(len(shard.ious))
            yield shard

    def _cores(self, ray: Any) -> int:
        there = int(ray.cluster_resources().get("CPU", 1))  # machines come and go
        return max(1, min(there, self.workers or there))


def _upto(spans: Iterator[tuple[int, int]], n: int) -> Iterator[tuple[int, int]]:
    for _, span in zip(range(n), spans, strict=False):
        yield span


def _started(address: str | None, workers: int | None) -> Any:
    """The module ray, connected to a cluster."""
    try:
        import ray
    except ImportError as missing:
        raise MissingExtraError("ray", "ray", "--engine ray") from missing
    if not ray.is_initialized():
        _require_listener(address)
        try:
            if address is None:
                ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False, configure_logging=False)
            else:
                ray.init(address=address, log_to_driver=False, configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ParameterError(f"no Ray cluster at {address or 'this machine'}: {str(error).strip().splitlines()[0]}") from error
    return ray


def _require_listener(address: str | None) -> None:
    """Raises `ParameterError` where nobody listens at HOST:PORT: Ray would try it for minutes."""
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon:
        return
    try:
        socket.create_connection((host, int(port)), PATIENCE).close()
    except (OSError, ValueError) as error:
        raise ParameterError(f"no Ray cluster at {address}: {error}; `ray start --head` says the address of one") from error


def _shard(text: bytes, first: int, last: int) -> Shard:
    """One task."""
    set_num_threads(1)  # a task has one core
    return _simulation(text).shard(first, last)


@functools.lru_cache(maxsize=4)
def _simulation(text: bytes) -> Simulation:
    """Made once a worker, kernel and all."""
    found: Simulation = pickle.loads(text)
    return found
