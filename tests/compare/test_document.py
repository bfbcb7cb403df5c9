"""The two printers: everything a block holds comes out as text, whatever it is."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxloss.compare.document import Bullets, Code, Document, Gallery, Heading, Image, Listing, Paragraph, Small, Strong, Swatch, Table, to_html, to_markdown

PIXEL = b"\xff\xd8\xff\xd9"  # a JPEG's first and last bytes


class Page(HTMLParser):
    """The elements, and the text that a reader sees."""

    def __init__(self, page: str):
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


def document(text: str) -> Document:
    """A document of every kind of block, with `text` in each place that takes text."""
    image = Image("one", text, (text,), PIXEL, "jpg")
    pieces = (text, Code(text), Strong(text), Small(text), Swatch(text, "#123456"))
    blocks = [
        Heading(text),
        Paragraph(pieces, "verdict"),
        Bullets([pieces]),
        Listing(text),
        Table([text, text], [[pieces, (text,)]], (text,)),
        image,
        Gallery([image]),
    ]
    return Document(text, blocks)


N_PLACES = 1 + 1 + 1 + 5 + 5 + 1 + 2 + 6 + 1 + 1 + 1  # title twice, heading, paragraph, bullets, listing, head, row, caption, two captions


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '" onload="x', "'><img src=x>", "&lt;b&gt;", "</style>", "a | b", "](javascript:x)", "`", "plain"]
)
def test_html_shows_text_as_it_is(text):
    page = Page(to_html(document(text)))
    assert page.open == []
    assert page.text.count(text) == N_PLACES
    tags = {tag for tag, _ in page.elements}
    assert "script" not in tags
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    assert all(set(attributes) == {"src", "alt"} and attributes["alt"] == text for attributes in images)


@given(st.text(max_size=30))
def test_no_text_adds_an_element(text):
    want = [tag for tag, _ in Page(to_html(document("plain"))).elements]
    assert [tag for tag, _ in Page(to_html(document(text))).elements] == want


@given(st.text(alphabet="<>&|`*_[]()#\n\\$~ ab", max_size=30))
def test_markdown_has_no_raw_html_and_no_broken_table(text):
    page = to_markdown(Document("t", [Table(["h", "g"], [[(text,), (Strong(text),)]]), Paragraph((text,))]))
    assert "<" not in page
    row = page.split("\n")[4]
    assert row.startswith("| ")
    assert row.endswith(" |")
    assert row.replace("\\\\", "").replace("\\|", "").count("|") == 3


def test_markdown_code_stands_any_backticks():
    assert "``` a``b ```" in to_markdown(Document("t", [Paragraph((Code("a``b"),))]))


def test_html_asks_nothing_of_the_network():
    page = to_html(document("x"))
    assert "http:" not in page.replace("http-equiv", "")
    assert "https:" not in page
    assert "default-src 'none'" in page


def test_every_figure_has_a_text_for_who_cannot_see_it():
    svg = Image("curve", "what it shows", (), b"<svg></svg>", "svg", "<svg></svg>")
    page = Page(to_html(Document("t", [svg, Image("shot", "what is there", (), PIXEL, "jpg")])))
    spoken = [attributes.get("aria-label") or attributes.get("alt") for tag, attributes in page.elements if attributes.get("role") == "img" or tag == "img"]
    assert spoken == ["what it shows", "what is there"]


def test_markdown_of_a_small_document():
    blocks = [Heading("h"), Paragraph(("yes: ", Strong("no")), "verdict"), Table(["a", "b"], [[("x",), ("1", Small("[0, 2]"))]], ("c",)), Listing("run it")]
    assert to_markdown(Document("t", blocks)) == "# t\n\n## h\n\n> yes: **no**\n\n| a | b |\n| --- | ---: |\n| x | 1 \\[0, 2\\] |\n\nc\n\n    run it\n"
