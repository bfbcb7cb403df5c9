"""What is derived from a formula: its expression graph, the derivative of that, and source text of both for a compiler, a GPU or a browser."""
