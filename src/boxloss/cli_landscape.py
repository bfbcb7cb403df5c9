"""The command that draws losses as landscapes: parse, call, print."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from boxloss.errors import check_choice
from boxloss.places import check_folder

PLANES = ("shift", "scale", "aspect")
"""Written down, since to import them takes longer than to print the help; a test holds it to `boxloss.draw.landscapes.PLANES`."""
PICTURES, NUMBERS = ("png", "svg", "pdf"), ("npz", "csv")


def landscape(
    losses: Annotated[
        str, typer.Argument(metavar="LOSSES", help="Names with commas between, as `boxloss compare` has them (ciou:inner=0.8), or FILE.py:NAME.")
    ] = "iou,giou,diou,ciou",
    plane: Annotated[str | None, typer.Option(help="shift, scale or aspect.", show_default="all three")] = None,
    out: Annotated[Path, typer.Option(help="The folder for the pictures and their numbers.")] = Path("runs/landscapes"),
    format: Annotated[str, typer.Option("--format", help="png, svg or pdf.")] = "png",
    data: Annotated[str, typer.Option("--data", help="The numbers as npz or csv.")] = "npz",
) -> None:
    """Losses side by side as landscapes around a target: their values, where their gradients pull a box, and the numbers of both.

    Writes PLANE-loss, PLANE-pull and the numbers, PLANE, for each plane: a box shifted; shifted and scaled; stretched and scaled.

    Example: boxloss draw landscape iou,giou,ciou:inner=0.8 --plane shift --out pictures
    """
    for option, given, known in (("--plane", plane or PLANES[0], PLANES), ("--format", format, PICTURES), ("--data", data, NUMBERS)):
        check_choice(option, given, known)
    check_folder(out)
    from boxloss.draw import landscapes, style

    chosen = _losses(losses)
    for name in [plane] if plane else PLANES:
        for what, draw in (("loss", landscapes.landscape), ("pull", landscapes.field)):
            style.save(draw(chosen, name), out / f"{name}-{what}.{format}")
            print(f"drawn: {out / name}-{what}.{format}", file=sys.stderr)
        landscapes.save_data(chosen, name, out / f"{name}.{data}")
        print(f"written: {out / name}.{data}", file=sys.stderr)


def _losses(text: str) -> list[Any]:
    import boxloss as bl
    from boxloss.simulate.loss import chosen

    return [bl.loss(one.formula, **one.parameters) for one in chosen(text)]
