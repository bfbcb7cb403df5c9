"""Hypothesis without its deadline: no test asserts a time, and the first example may wait for a kernel to be compiled."""

from hypothesis import settings

settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")
