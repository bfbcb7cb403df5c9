"""All pictures of the lecture's page are made by the one script."""

import pytest

from boxloss.draw.lecture import draw
from shared_data import ROOT


@pytest.mark.slow
def test_every_picture_of_the_page_is_drawn(tmp_path):
    draw(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {file.name for file in (ROOT / "docs" / "lecture").iterdir()}
