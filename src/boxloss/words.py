"""Numbers in sentences."""


def plural(n: int, thing: str) -> str:
    """The number with its thing, of which there may be one.

    >>> plural(1, "case"), plural(1715000, "case"), plural(0, "loss")
    ('1 case', '1,715,000 cases', '0 losses')
    """
    many = f"{thing}es" if thing.endswith(("s", "x", "ch", "sh")) else f"{thing}s"
    return f"{n:,} {thing if n == 1 else many}"
