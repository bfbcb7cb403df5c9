"""A document as a list of blocks, told once and printed twice: as one HTML file, and as Markdown with its figures beside it.

All text that a block holds is plain. Only the two printers know of markup, and they escape everything that they are given: a data set may be named `<script>`.
"""

import base64
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Code:
    """A piece of text to be set as code: a file's name, an option."""

    text: str


@dataclass(frozen=True)
class Strong:
    """A piece of text that must not be overlooked."""

    text: str


@dataclass(frozen=True)
class Small:
    """What stands with a figure but is read after it, such as its interval: on a line of its own where there is room."""

    text: str


@dataclass(frozen=True)
class Swatch:
    """A loss's name with its colour before it."""

    text: str
    colour: str  # "#RRGGBB"


Piece = str | Code | Strong | Small | Swatch
Pieces = tuple[Piece, ...]


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Paragraph:
    pieces: Pieces
    kind: str = ""  # "", "verdict", "note", or "label" of what follows


@dataclass(frozen=True)
class Bullets:
    items: Sequence[Pieces]


@dataclass(frozen=True)
class Listing:
    """Commands to be copied."""

    text: str


@dataclass(frozen=True)
class Table:
    """The first column names the row. `caption` says what is in the cells, and their unit."""

    head: Sequence[str]
    rows: Sequence[Sequence[Pieces]]
    caption: Pieces = ()


@dataclass(frozen=True)
class Image:
    """A figure. `name`: its file's name without suffix; `alt`: what it shows, for who cannot see it; `svg`: for HTML; `content`: the file's bytes."""

    name: str
    alt: str
    caption: Pieces
    content: bytes
    suffix: str  # "svg" or "jpg"
    svg: str = ""

    @property
    def file(self) -> str:
        return f"figures/{self.name}.{self.suffix}"


@dataclass(frozen=True)
class Gallery:
    """Small pictures side by side, as many in a row as the screen has room for."""

    images: Sequence[Image]


Block = Heading | Paragraph | Bullets | Listing | Table | Image | Gallery


@dataclass
class Document:
    title: str
    blocks: list[Block] = field(default_factory=list)

    def images(self) -> list[Image]:
        single = [block for block in self.blocks if isinstance(block, Image)]
        return single + [image for block in self.blocks if isinstance(block, Gallery) for image in block.images]


# ---- HTML


def to_html(document: Document) -> str:
    """One file that asks nothing of the network: style, figures and pictures stand inside it. The content policy forbids scripts, whatever the text says."""
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    body = "\n".join(_html(block) for block in document.blocks)
    title = html.escape(document.title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Heading(text):
            return f"<h2>{html.escape(text)}</h2>"
        case Paragraph(pieces, kind):
            return f'<p class="{kind}">{_html_pieces(pieces)}</p>' if kind else f"<p>{_html_pieces(pieces)}</p>"
        case Bullets(items):
            return "<ul>\n" + "\n".join(f"<li>{_html_pieces(item)}</li>" for item in items) + "\n</ul>"
        case Listing(text):
            return f"<pre><code>{html.escape(text)}</code></pre>"
        case Table():
            return _html_table(block)
        case Image():
            return _html_image(block)
        case Gallery(images):
            return '<div class="gallery">\n' + "\n".join(_html_image(image) for image in images) + "\n</div>"


def _html_pieces(pieces: Pieces) -> str:
    def one(piece: Piece) -> str:
        match piece:
            case Code(text):
                return f"<code>{html.escape(text)}</code>"
            case Strong(text):
                return f"<strong>{html.escape(text)}</strong>"
            case Small(text):
                return f"<small>{html.escape(text)}</small>"
            case Swatch(text, colour):
                return f'<span class="loss"><span class="swatch" style="background:{html.escape(colour)}"></span>{html.escape(text)}</span>'
            case _:
                return html.escape(piece)

    return "".join(map(one, pieces))


def _html_table(table: Table) -> str:
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in table.head)
    rows = "\n".join(
        f'<tr><th scope="row">{_html_pieces(row[0])}</th>' + "".join(f"<td>{_html_pieces(cell)}</td>" for cell in row[1:]) + "</tr>" for row in table.rows
    )
    # not a <caption>: it would be as wide as the table, and scroll out of a phone's screen with it
    caption = f'\n<p class="note">{_html_pieces(table.caption)}</p>' if table.caption else ""
    return f'<div class="scroll" tabindex="0"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>{caption}'


def _html_image(image: Image) -> str:
    caption = f"<figcaption>{_html_pieces(image.caption)}</figcaption>" if image.caption else ""
    if image.svg:
        shown = f'<div class="scroll" tabindex="0" role="img" aria-label="{html.escape(image.alt)}">{image.svg}</div>'
    else:
        data = base64.b64encode(image.content).decode()
        shown = f'<img src="data:image/jpeg;base64,{data}" alt="{html.escape(image.alt)}">'
    return f"<figure>\n{shown}\n{caption}\n</figure>"


# ---- Markdown


def to_markdown(document: Document) -> str:
    """The same in Markdown; figures are links to `Image.file`."""
    return "\n\n".join([f"# {_escape(document.title)}", *(_markdown(block) for block in document.blocks)]) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Heading(text):
            return f"## {_escape(text)}"
        case Paragraph(pieces, kind):
            return ("> " if kind == "verdict" else "") + _markdown_pieces(pieces)
        case Bullets(items):
            return "\n".join(f"- {_markdown_pieces(item)}" for item in items)
        case Listing(text):
            return "\n".join(f"    {line}" for line in text.split("\n"))  # indented: no text can end such a block
        case Table(head, rows, caption):
            lines = [[_escape(cell) for cell in head], ["---"] + ["---:"] * (len(head) - 1), *([_markdown_pieces(cell) for cell in row] for row in rows)]
            return "\n".join("| " + " | ".join(line) + " |" for line in lines) + (f"\n\n{_markdown_pieces(caption)}" if caption else "")
        case Image():
            return _markdown_image(block) + (f"\n\n{_markdown_pieces(block.caption)}" if block.caption else "")
        case Gallery(images):
            return "\n".join(f"{_markdown_image(image)} {_markdown_pieces(image.caption)}  " for image in images)


def _markdown_image(image: Image) -> str:
    return f"![{_escape(image.alt)}]({image.file})"


def _markdown_pieces(pieces: Pieces) -> str:
    def one(piece: Piece) -> str:
        match piece:
            case Code(text):
                fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))  # longer than any run of backticks inside
                pad = " " if "`" in text else ""
                return f"{fence}{pad}{_line(text)}{pad}{fence}"
            case Strong(text):
                return f"**{_escape(text)}**"
            case Small(text):
                return f" {_escape(text)}"
            case Swatch(text):
                return _escape(text)
            case _:
                return _escape(piece)

    return "".join(map(one, pieces))


def _escape(text: str) -> str:
    r"""Text that Markdown shows as it is.

    >>> _escape("<b> a_b | *c*")
    '&lt;b&gt; a\\_b \\| \\*c\\*'
    """
    text = html.escape(_line(text), quote=False)
    return re.sub(r"([\\`*_\[\]|#~$])", r"\\\1", text)


def _line(text: str) -> str:
    """The text on one line: a line break would end a heading or a table's row."""
    return " ".join(text.split("\n"))
