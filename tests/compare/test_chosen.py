"""Losses as users spell them."""

import pytest

import boxloss as bl
from boxloss.compare.chosen import Choice, choose, choose_all, slug_of, split_names
from boxloss.errors import BoxLossError, CompareError, UnknownNameError


@pytest.mark.parametrize("name", sorted(bl.catalogue()))
def test_every_name_of_the_catalogue_is_a_choice_and_its_spelling_comes_back(name):
    with bl.plain():  # a choice is tried, and one kernel of each loss takes long to compile
        assert str(choose(name)) == name == slug_of(name)
        assert choose(str(choose(name))) == choose(name)
        assert choose(name).parameters == bl.catalogue()[name].parameters


def test_parameters_reach_the_loss():
    loss = choose("smooth_l1:beta=.5").build()
    # pencil: beta .5, a difference of 1 in one coordinate: |d| - beta / 2 = .75
    assert float(loss([[0, 0, 2, 2]], [[0, 0, 2, 3]])) == 0.75


def test_one_spelling_a_choice():
    assert str(choose(" smooth_l1 : beta = .50 ")) == "smooth_l1:beta=0.5"
    assert choose("smooth_l1:beta=.50") == choose("smooth_l1:beta=0.5")


@pytest.mark.parametrize(
    ("text", "given", "spelling"),
    [
        ("diou:inner=0.75", {"inner": 0.75}, "diou:inner=0.75"),
        ("iou:focaler=0..0.95", {"focaler": (0, 0.95)}, "iou:focaler=0..0.95"),
        ("iou:focaler=(0.0, .95)", {"focaler": (0.0, 0.95)}, "iou:focaler=0.0..0.95"),
        ("iou:focaler=0...95", {"focaler": (0, 0.95)}, "iou:focaler=0..0.95"),
        ("iou:log=true", {"log": True}, "iou:log=true"),
        ("iou:log=True", {"log": True}, "iou:log=true"),
        ("giou:wise=true:power=3", {"power": 3, "wise": True}, "giou:power=3:wise=true"),
    ],
)
def test_modifiers(text, given, spelling):
    assert dict(choose(text).given) == given
    assert str(choose(text)) == spelling
    assert choose(spelling) == choose(text)
    a, b = [[0.0, 0, 4, 4]], [[1.0, 0, 4, 5]]
    assert float(choose(text).build()(a, b)) == float(bl.loss(choose(text).name, **given)(a, b))


def test_a_slug_of_a_range_is_plain():
    assert slug_of("iou:focaler=0..0.95") == "iou@focaler=0..0.95"


def test_slugs_are_plain_and_differ_where_choices_differ():
    choices = [Choice("x", (("a", value),), bl.catalogue()["iou"]) for value in ((1, 2), [1, 2], "1, 2", 12, 1.2, -1)]
    slugs = list(map(slug_of, choices))
    assert len(set(slugs)) == len(slugs)
    assert not set("".join(slugs)) & set("/\\:*?\"<>| ,()[]'")


def test_commas_in_brackets_do_not_split():
    assert split_names("iou, x:focaler=(0.0, 0.95),y:z=[1,2] ,") == ["iou", "x:focaler=(0.0, 0.95)", "y:z=[1,2]"]


def test_a_list_and_a_text_are_the_same():
    assert choose_all("iou,smooth_l1:beta=0.5") == choose_all(["iou", "smooth_l1:beta=0.5"])


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("ciuo", UnknownNameError, "did you mean ciou"),
        ("smooth_l1:bta=1", UnknownNameError, "parameter of smooth_l1 'bta': did you mean beta"),
        ("smooth_l1:beta", CompareError, "cannot read 'beta'; write NAME"),
        ("smooth_l1:beta=", CompareError, "cannot read 'beta='"),
        ("smooth_l1:beta=half", CompareError, "'half' is not a number"),
        ("smooth_l1:beta=1:beta=2", CompareError, "beta is given twice"),
        ("smooth_l1:beta=(1, 2)", BoxLossError, "smooth_l1 cannot be computed with beta"),
        ("smooth_l1:beta=-1", BoxLossError, "beta is -1"),
        ("smooth_l1:beta=None", BoxLossError, "smooth_l1 cannot be computed with beta=None"),
        ("iou,giou,iou", CompareError, "iou and iou are the same loss"),
        ("smooth_l1,smooth_l1:beta=1.0", CompareError, "smooth_l1 and smooth_l1:beta=1.0 are the same loss"),
        ("giou:powr=3", UnknownNameError, "parameter of giou 'powr': did you mean power"),
        ("giou:power=0", BoxLossError, "giou: power is 0, expected a finite number > 0"),
        ("l1:power=2", BoxLossError, "l1 takes no modifier, but power was given"),
        ("iou:focaler=0..", CompareError, "'0..' is not a number"),
        ("iou:focaler=0.95..0", BoxLossError, "iou: focaler is"),
        ("iou:log=yes", CompareError, "'yes' is not a number"),
        ("iou,iou:log=false", CompareError, "iou and iou:log=false are the same loss"),
        (" , ", CompareError, "none is named"),
    ],
)
def test_errors(text, kind, message):
    with pytest.raises(kind, match=message) as caught:
        choose_all(text)
    assert "\n" not in str(caught.value)


MINE = """import boxloss as bl
@bl.formula(title="Half the distance", paper="mine", bounds="[0, 1.5]", symmetric=True, scale_free=True)
def mine(p):
    return p.jaccard, 0.5 * bl.ops.ratio(p.offset2, p.hull_diagonal2)
"""


def test_a_formula_in_a_file_is_a_choice_like_any_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_loss.py").write_text(MINE)
    plain, powered = choose_all("./my_loss.py:mine,my_loss.py:mine:power=3")
    assert (str(plain), slug_of(plain)) == ("my_loss.py:mine", "my_loss.py@mine")
    assert (str(powered), slug_of(powered)) == ("my_loss.py:mine:power=3", "my_loss.py@mine@power=3")
    # pencil: no overlap, 1; offset2 4 of a hull diagonal2 9 + 1, half of it 0.2
    assert float(plain.build()([[0.0, 0, 1, 1]], [[2.0, 0, 3, 1]])) == 1.2
    with pytest.raises(CompareError, match="are the same loss"):
        choose_all("my_loss.py:mine,./my_loss.py:mine")
    with pytest.raises(UnknownNameError, match=r"unknown formula in my_loss\.py 'mini': did you mean mine"):
        choose("my_loss.py:mini")


def test_an_alias_is_the_loss_that_it_names():
    assert str(choose("eiou:inner=0.75")) == "efficient_iou:inner=0.75"
