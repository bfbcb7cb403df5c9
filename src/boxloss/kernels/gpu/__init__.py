"""Kernels for GPUs: text that Triton compiles. The same loop shapes as on CPUs, with PyTorch's tensors in and out.

Values have the same bits as the plain formula's on NumPy arrays, as far as IEEE 754 goes: nothing is contracted, approximated or reordered.
`TRITON_INTERPRET=1` runs the kernels on the CPU, slowly, for tests.
"""

from boxloss.kernels.gpu.best import nearest, nearest_both
from boxloss.kernels.gpu.elementwise import multiply, value_and_gradient
from boxloss.kernels.gpu.launch import available
from boxloss.kernels.gpu.masks import greedy
from boxloss.kernels.gpu.matrix import pairwise

__all__ = ["available", "greedy", "multiply", "nearest", "nearest_both", "pairwise", "value_and_gradient"]
