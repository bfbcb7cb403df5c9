"""The experiment for any number of losses and cases: shard after shard, stored or only counted, here or on a Ray cluster. Memory does not grow with it."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from boxloss.errors import ParameterError, UnknownNameError
from boxloss.simulate import run
from boxloss.simulate.loss import Loss
from boxloss.simulate.protocol import Protocol
from boxloss.simulate.run import Shard, Simulation, Tell
from boxloss.simulate.store import LossStore, Store, spans
from boxloss.simulate.tally import Tally

Span = tuple[int, int]
Engine = Callable[[Simulation, Iterable[Span], Tell], Iterator[Shard]]
"""Gives the shards of these spans, in any order."""
ENGINES = ("local", "ray")
AT_ONCE = 64
"""Tallies that are kept before they are added up."""


def local(simulation: Simulation, wanted: Iterable[Span], tell: Tell) -> Iterator[Shard]:
    """One after another, each on all threads."""
    simulation.load()
    return (simulation.shard(first, last, tell) for first, last in wanted)


def engine_named(name: str, address: str | None = None, workers: int | None = None) -> Engine:
    """The engine of that name. `address` and `workers` are for Ray: its cluster's address, and how many of its cores to use."""
    if name not in ENGINES:
        raise UnknownNameError("engine", name, ENGINES)
    if name == "ray":
        from boxloss.simulate.on_ray import Cluster

        return Cluster(address, workers)
    if address is not None:
        raise ParameterError(f"an address, {address!r}, is for --engine ray")
    return local


def stream(
    losses: Sequence[Loss], plan: Protocol, *, out: Path | None = None, resume: bool = False, engine: Engine = local,
    tell: Callable[[Loss, int], object] = lambda loss, n: None,
) -> Iterator[tuple[Loss, Tally]]:  # fmt: skip
    """Each loss with the tally of all its cases, one after another.

    out: a folder to store boxes and curves in (see `boxloss.simulate.store`). resume: it may hold results already; what is done is not done again.
    tell: hears how many more cases are done of which loss.

    Raises `ParameterError`, before anything is done, where a loss or the folder does not go with the protocol.
    """
    simulations = [(loss, Simulation.of(loss, plan)) for loss in losses]
    store = None if out is None else Store(out, plan, resume)
    places = [(loss, simulation, None if store is None else store.of(loss, simulation)) for loss, simulation in simulations]
    return ((loss, _one(simulation, place, engine, lambda n, loss=loss: tell(loss, n))) for loss, simulation, place in places)  # type: ignore[misc]


def _one(simulation: Simulation, place: LossStore | None, engine: Engine, tell: Tell) -> Tally:
    """The tally of all cases of a loss, of which those that are stored are not done again."""
    tally = _added(_tallies(simulation, place, engine, tell))
    if place is not None:
        place.finish(tally)
    return tally


def _tallies(simulation: Simulation, place: LossStore | None, engine: Engine, tell: Tell) -> Iterator[Tally]:
    missing = []
    for span in spans(simulation.plan, run.SHARD):
        kept = None if place is None else place.kept(span[0])
        if kept is None:
            missing.append(span)
        else:
            tell(kept.n)
            yield kept
    for shard in engine(simulation, missing, tell) if missing else ():
        if place is not None:
            place.keep(shard)
        yield shard.tally


def _added(tallies: Iterator[Tally]) -> Tally:
    """Their sum, a few in memory at a time."""
    found = Tally.joined([next(tallies)])
    while some := list(itertools.islice(tallies, AT_ONCE)):
        found = Tally.joined([found, *some])
    return found
