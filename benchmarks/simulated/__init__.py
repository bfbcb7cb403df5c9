"""The DIoU paper's simulation, as it was released and with exact gradients: what docs/simulation.md says of it, measured."""
