"""The page docs/simulation.md: its text is written by hand, its tables stand between markers."""

import re

from benchmarks.peers import ROOT

PAGE = ROOT / "docs" / "simulation.md"
FOLDER = ROOT / "docs" / "simulation"


def read(name: str) -> str:
    """The table of that name on the page."""
    found = _block(name).search(PAGE.read_text(encoding="utf-8"))
    return found[2].strip() if found else ""


def write(name: str, table: str) -> None:
    """Puts the table where its markers are. Raises ValueError where they are not."""
    text = PAGE.read_text(encoding="utf-8")
    text, n = _block(name).subn(lambda found: f"{found[1]}\n{table}\n\n{found[3]}", text)
    if n != 1:
        raise ValueError(f"{PAGE} needs one line <!-- simulated: {name} --> and after it one line <!-- end -->, between which the table goes")
    PAGE.write_text(text, encoding="utf-8")


def _block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- simulated: {name} -->\n)(.*?)(<!-- end -->)", re.DOTALL)
