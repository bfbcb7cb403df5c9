"""One look a loss: stable, legible on white, and told apart by readers who do not see all colours."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

import boxloss as bl
from boxloss.draw.colours import FAINT, INK, LOOKS, colour, look

COMPARED_MOST = ("l2", "smooth_l1", "iou", "giou", "diou", "ciou")

# What colours become for full dichromats, on linear RGB: Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color
# vision deficiency", IEEE TVCG 2009, severity 1.
SIGHT = {
    "all cones": np.eye(3),
    "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue cones": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(code: str) -> np.ndarray:
    rgb = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def seen(code: str, sight: str) -> np.ndarray:
    light = np.clip(np.asarray(SIGHT[sight]) @ linear(code), 0, 1)
    return rgb2lab(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)[None, None])[0, 0]


def contrast_with_white(code: str) -> float:
    """WCAG 2.2's contrast ratio."""
    return 1.05 / (float(linear(code) @ [0.2126, 0.7152, 0.0722]) + 0.05)


@pytest.mark.parametrize("sight", SIGHT)
def test_the_losses_compared_most_differ_for_every_sight(sight):
    for one, two in itertools.combinations(COMPARED_MOST, 2):
        # a difference of 2 is just seen side by side; 9 is seen at a glance
        assert deltaE_ciede2000(seen(colour(one), sight), seen(colour(two), sight)) > 9, f"{one} and {two}"


@pytest.mark.parametrize("sight", SIGHT)
def test_losses_whose_colours_are_near_differ_in_marker_and_mostly_in_dash(sight):
    for one, two in itertools.combinations(LOOKS, 2):
        assert LOOKS[one].marker != LOOKS[two].marker
        if deltaE_ciede2000(seen(colour(one), sight), seen(colour(two), sight)) <= 7:
            assert LOOKS[one].dash != LOOKS[two].dash, f"{one} and {two}"


def test_every_colour_stands_out_on_white():
    for name in LOOKS:
        assert contrast_with_white(colour(name)) >= 3, name  # graphics
    for text in (INK, FAINT):
        assert contrast_with_white(text) >= 4.5  # text


def test_every_loss_of_the_catalogue_has_a_look_of_its_own():
    names = list(bl.catalogue())
    assert len({look(name) for name in names}) == len(names)


def test_a_users_own_loss_looks_the_same_in_every_process():
    code = "from boxloss.draw.colours import look; print(look('my_loss'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str(look("my_loss"))


def test_colours_need_no_plot_library():
    code = "import sys, boxloss.draw.colours; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"
