"""Numbers in sentences."""


def plural(n: int, thing: str, things: str | None = None) -> str:
    """The number with its thing, of which there may be one; `things` where its plural is not made by an s.

    >>> plural(1, "case"), plural(1715000, "case"), plural(0, "loss"), plural(2, "box is", "boxes are")
    ('1 case', '1,715,000 cases', '0 losses', '2 boxes are')
    """
    many = things or (f"{thing}es" if thing.endswith(("s", "x", "ch", "sh")) else f"{thing}s")
    return f"{n:,} {thing if n == 1 else many}"
