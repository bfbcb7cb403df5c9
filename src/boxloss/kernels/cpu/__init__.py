"""Kernels for CPUs: text that Numba compiles once, machine code that is kept on disk and loaded without Numba from then on."""
