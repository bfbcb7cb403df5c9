"""A value that is worked out when it is first asked for, and kept."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from boxloss.ops import Symbol

T = TypeVar("T")


class quantity(Generic[T]):
    """What `functools.cached_property` is, without its lock: Python 3.11's takes one, and `torch.compile` breaks its graph there."""

    def __init__(self, work: Callable[[Any], T]):
        self.work, self.name, self.__doc__ = work, work.__name__, work.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> "quantity[T]": ...
    @overload
    def __get__(self, owner: object, kind: type) -> T: ...
    def __get__(self, owner: object | None, kind: type) -> "T | quantity[T]":
        if owner is None:
            return self
        value = self.work(owner)
        if isinstance(value, Symbol):
            value.label(getattr(owner, "prefix", "") + self.name)
        # The instance's own attribute is found before this descriptor from now on.
        setattr(owner, self.name, value)
        return value
