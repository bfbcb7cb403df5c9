"""Image files: sizes, pixels, bombs and damage."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_sets import plain_message

from boxloss.datasets.images import read_pixels, read_size
from boxloss.errors import DataError


def encoded(format: str, mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> bytes:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, format)
    return buffer.getvalue()


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_pixels(path)
    return plain_message(caught.value, path.parent)


@pytest.mark.parametrize(("format", "mode"), [("PNG", m) for m in ("1", "L", "LA", "P", "RGB", "RGBA")] + [("JPEG", "CMYK"), ("BMP", "RGB"), ("TIFF", "RGB")])
def test_every_eight_bit_picture_becomes_rgb(format: str, mode: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"  # the content decides, not the suffix
    path.write_bytes(encoded(format, mode))
    assert read_size(path) == (40, 30)
    pixels = read_pixels(path)
    assert pixels.shape == (30, 40, 3)
    assert pixels.dtype == np.uint8


def test_a_picture_of_16_bits_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((3, 4), dtype=np.uint16)).save(tmp_path / "a.png")
    assert refusal(tmp_path / "a.png") == "a.png: picture: pixel mode = 'I;16': must have 8 bits a channel; hint: convert it to an 8-bit picture first"


@pytest.mark.parametrize("factor", [0.9, 0.4])  # Pillow warns beyond its limit, and raises beyond twice its limit: both must be errors
@pytest.mark.parametrize("read", [read_size, read_pixels])
def test_a_decompression_bomb_is_refused(factor: float, read: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded("PNG"))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(40 * 30 * factor))
    with pytest.raises(DataError) as caught:
        read(path)  # type: ignore[operator]
    rule = f"must have at most {int(1200 * factor)} pixels, Pillow's limit; hint: a decompression bomb, or a picture to cut into tiles first"
    assert plain_message(caught.value, tmp_path) == f"a.png: picture: size = 'too many pixels': {rule}"


def test_pillows_own_limit_is_on() -> None:
    assert Image.MAX_IMAGE_PIXELS is not None
    assert Image.MAX_IMAGE_PIXELS <= 200_000_000


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_a_picture_cut_off_anywhere_is_refused_on_one_line(format: str, tmp_path: Path) -> None:
    whole = encoded(format)
    path = tmp_path / "a.png"
    for length in {0, 1, 10, 30, len(whole) // 4, len(whole) // 2}:
        path.write_bytes(whole[:length])
        message = refusal(path)
        assert message.startswith("a.png: picture: content = ")
        assert message.isprintable()


def test_formats_that_start_other_programs_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n")
    assert "must be a JPEG, PNG, BMP, WebP or TIFF picture" in refusal(tmp_path / "a.png")


def test_a_file_that_has_gone_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.png").startswith("a.png: picture: image file = 'a.png': must exist; hint:")
