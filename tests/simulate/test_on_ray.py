"""Shards on Ray: the same bits as on threads, also when a machine dies."""

import pytest

from boxloss.simulate import run
from boxloss.simulate.loss import chosen
from boxloss.simulate.on_ray import Cluster
from boxloss.simulate.protocol import PRESETS
from boxloss.simulate.run import Simulation
from boxloss.simulate.store import spans
from boxloss.simulate.stream import local
from boxloss.simulate.tally import Tally

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.thread_unsafe(reason="a process has one cluster")]

PLAN = PRESETS["diou-paper"].with_(name="on ray", n_centres=400)
SHARD = 2 * run.TILE


@pytest.fixture
def two_machines():
    from ray.cluster_utils import Cluster as Machines

    machines = Machines(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [machines.add_node(num_cpus=1) for _ in range(2)]
    machines.wait_for_nodes()
    try:
        yield machines, nodes
    finally:
        ray.shutdown()
        machines.shutdown()


def test_a_machine_dies_and_the_bits_are_the_same(two_machines):
    machines, (_, second) = two_machines
    simulation = Simulation.of(*chosen("giou"), PLAN)
    wanted = list(spans(PLAN, SHARD))
    want = Tally.joined(shard.tally for shard in local(simulation, wanted, lambda n: None))
    coming = Cluster(machines.address)(simulation, wanted, lambda n: None)
    shards = [next(coming) for _ in range(3)]
    machines.remove_node(second, allow_graceful=False)  # with what it was at, and what it had done and not yet handed over
    shards += coming
    assert sorted(shard.first for shard in shards) == [first for first, _ in wanted]
    assert Tally.joined(shard.tally for shard in shards) == want
