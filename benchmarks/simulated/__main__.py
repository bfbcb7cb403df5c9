"""`python -m benchmarks.simulated [NAME ...]`: measures, and writes docs/simulation.md's tables and pictures, or those named. Some minutes on two cores."""

import sys

from benchmarks.simulated import page, pictures
from benchmarks.simulated.tables import TABLES
from boxloss.draw.style import save


def main(names: list[str]) -> None:
    page.FOLDER.mkdir(parents=True, exist_ok=True)
    for name, table in TABLES.items():
        if not names or name in names:
            page.write(name, table())
            print(f"{name}\n\n{page.read(name)}\n", flush=True)
    for name, draw in pictures.PICTURES.items():
        if not names or name in names:
            save(draw(), page.FOLDER / f"{name}.png")
            print(f"{page.FOLDER / name}.png is drawn.", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
