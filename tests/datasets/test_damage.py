"""Whatever happens to a file, reading gives a data set or one `DataError` on one line: never another exception."""

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from small_sets import SOUND, write

from boxloss.datasets import load
from boxloss.errors import DataError

# Pieces that stand for something in one of the formats, or that are known to upset parsers.
PIECES = [
    b"",
    b"\x00",
    b"\xff",
    b"\n",
    b" ",
    b"-",
    b"0",
    b"9" * 400,
    b"1e999",
    b"nan",
    b"null",
    b"true",
    b'"',
    b"[",
    b"]",
    b"{",
    b"}",
    b"<",
    b">",
    b"&lt;",
    b"&x;",
]
PIECES += [
    b"<!--",
    b"*a",
    b"&a",
    b"!!binary x",
    b"? ",
    b"..",
    b"/",
    b"~",
    b"\\",
    b"\xe2\x80\xa8",
    b"\xf0\x9f\x90\x88",
    b"#",
    b"%",
    b"|",
    b": ",
    b", ",
    b"<object/>",
]


@pytest.mark.parametrize("format", SOUND)
@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_file_gives_one_line_or_a_data_set(format: str, data: st.DataObject) -> None:
    texts, images = SOUND[format]
    with tempfile.TemporaryDirectory() as folder:
        root = write(Path(folder), format)
        file = root / data.draw(st.sampled_from([*texts, *images]))
        content = file.read_bytes()
        for _ in range(data.draw(st.integers(1, 3))):
            start = data.draw(st.integers(0, len(content)))
            stop = data.draw(st.sampled_from([start, start + 1, start + 2, start + 10, len(content)]))
            content = content[:start] + data.draw(st.sampled_from(PIECES) | st.binary(max_size=6)) + content[stop:]
        file.write_bytes(content)
        try:
            dataset = load(root, format=format)  # type: ignore[arg-type]
            for picture in dataset:
                picture.pixels()
        except DataError as error:
            message = str(error)
        else:
            return
    assert message.isprintable()
    assert "; hint: " in message
