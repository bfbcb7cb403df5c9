"""The conformance page's judge, held to account on small fake peers, right and wrong, without a network; what peers are worth is judged nowhere here."""

import json
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch

from oracle import exact
from shared_data import ROOT

sys.path.insert(0, str(ROOT))
from benchmarks.conformance import environments, page, peers, truth
from benchmarks.conformance.__main__ import app, examine
from benchmarks.conformance.inside import adapters
from benchmarks.conformance.inside.run import ask_all
from benchmarks.conformance.judge import Claims, judge, judge_class, shown

N = 12
QUESTIONS = truth.questions(N)
BOXES = {f"{q.name}/{part}": getattr(q, part) for q in QUESTIONS.values() for part in ("a", "b")}
TRUTH = truth.Truth()
UNIT_SMALL = truth.UNIT_SMALL


class Exact(torch.autograd.Function):
    """The exact GIoU loss and its exact slopes, rounded once."""

    @staticmethod
    def forward(ctx, pred, target):
        ctx.save_for_backward(pred, target)
        return torch.tensor([as_float(exact.value("giou", a, b)) for a, b in zip(pred.tolist(), target.tolist(), strict=True)], dtype=pred.dtype)

    @staticmethod
    def backward(ctx, upstream):
        pred, target = ctx.saved_tensors
        rows = [[as_float(s) for s in exact.gradient("giou", a, b)[:4]] for a, b in zip(pred.tolist(), target.tolist(), strict=True)]
        return torch.tensor(rows, dtype=torch.float64).to(pred.dtype) * upstream[:, None], None


def as_float(x):
    try:
        return float(x)
    except OverflowError:  # a slope of subnormal boxes
        return float("inf") if x > 0 else -float("inf")


def right(a, b):
    return Exact.apply(a, b)


def textbook(a, b, eps=0.0):
    overlap = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(-1)
    union = (a[:, 2:] - a[:, :2]).prod(-1) + (b[:, 2:] - b[:, :2]).prod(-1) - overlap
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(-1)
    return 1 - overlap / (union + eps) + (hull - union) / (hull + eps)


def with_slopes(slopes):
    """Right values, and what `slopes` makes of the right gradients."""

    def fake(a, b):
        a.register_hook(slopes)
        return right(a, b)

    return fake


def asymmetric(a, b):
    return right(a, b) + 2.0**-10 * (a[:, 2] > b[:, 2])


def of_the_batch(a, b):
    return right(a, b) * (1 + 2.0**-20 * (len(a) > 1))


def not_of_the_batch_but_of_the_axis(a, b):
    return right(a, b) * (1 + 2.0**-20 * (a[:, 0] > a[:, 1]))


def refusing(a, b):
    if (a[:, 2:] == a[:, :2]).any():
        raise AssertionError("bad box")
    return right(a, b)


def verdict(fake, **about):
    """What the judge says of a fake peer's one function."""
    function = adapters.Function("fake", "fake_loss", "giou", lambda: fake, **about)
    said = ask_all((function,), [question.spec() for question in QUESTIONS.values()], BOXES)[function.key]
    assert said["error"] is None
    return judge(function, said["answers"], QUESTIONS, TRUTH, Claims(True, True))


def everyday(judged, part="worst"):
    return max(judged["classes"]["float32"][name][part] or 0 for name in truth.EVERYDAY)


def slopes_of(judged, part):
    found = [judged["classes"]["float32"][name]["gradients"][part] for name in truth.EVERYDAY]
    return max(x or 0 for x in found)


@pytest.fixture(scope="module")
def rights():
    return verdict(right)


def test_a_right_peer_has_nothing_against_it(rights):
    for dtype, classes in rights["classes"].items():
        for name, one in classes.items():
            assert one["n"] == N
            assert one["not_finite"] == 0
            assert one["worst"] <= 1, (dtype, name)
            assert one["gradients"]["not_finite"] == one["gradients"]["wrong_sign"] == one["gradients"]["lost"] == 0
            assert (one["gradients"]["worst"] or 0) <= 1
    assert all(one["cost"] == one["not_finite"] == one["gradients_not_finite"] == 0 for one in rights["identical"].values())
    assert rights["invariance"] == {"symmetric": 0, "transposed": 0, "batch": 0, "scale_free": 0}
    assert all(one["not_finite"] == 0 and one["worst"] <= 1 for one in rights["half"].values())
    assert list(page.examples("fake_loss", rights)) == []


def test_slopes_are_judged_where_there_are_no_ties(rights):
    assert rights["classes"]["float32"]["coco"]["gradients"]["n_judged"] == N
    assert 0 < rights["classes"]["float32"]["integers"]["gradients"]["n_judged"] < N
    assert rights["classes"]["float32"]["points"]["gradients"]["n_judged"] == 0


def test_an_eps_costs_where_boxes_are_small_and_nothing_in_pixels():
    judged = verdict(lambda a, b: textbook(a, b, 1e-7))
    assert judged["identical"]["coco"]["cost"] == 0
    assert 0.5 < judged["identical"][UNIT_SMALL]["cost"] < 1
    assert judged["identical"]["points"]["cost"] == 1
    assert judged["classes"]["float32"]["coco"]["worst"] < 100
    assert judged["classes"]["float32"][UNIT_SMALL]["worst"] > 2**20
    assert judged["invariance"]["scale_free"] > 2**20
    assert judged["invariance"]["symmetric"] == 0
    text = " ".join(page.examples("fake_loss", judged))
    assert "A box against itself is off by up to" in text
    assert "right is 0." in text


def test_a_text_book_form_is_not_finite_where_areas_are_not():
    judged = verdict(textbook)
    assert judged["classes"]["float32"]["1e25"]["not_finite"] == N
    assert judged["classes"]["float32"]["points"]["not_finite"] > 0
    assert judged["identical"]["points"]["not_finite"] == judged["identical"]["points"]["n"]
    assert judged["half"]["float16"]["not_finite"] > 0
    assert everyday(judged, "not_finite") == 0
    assert 2**10 < judged["classes"]["float32"]["near equal"]["worst"] < 2**24


def test_a_similarity_is_judged_as_one():
    judged = verdict(lambda a, b: 1 - right(a, b), loss=False)
    assert everyday(judged) <= 2
    assert slopes_of(judged, "worst") <= 1
    assert slopes_of(judged, "wrong_sign") == 0
    assert all(one["cost"] == 0 for one in judged["identical"].values())
    assert slopes_of(verdict(right, loss=False), "wrong_sign") == N


def test_a_matrix_is_asked_for_its_diagonal():
    def matrix(a, b):
        n, m = len(a), len(b)
        return right(a.repeat_interleave(m, 0), b.repeat(n, 1)).reshape(n, m)

    judged = verdict(matrix, matrix=True)
    assert everyday(judged) <= 1
    assert slopes_of(judged, "worst") <= 1


@pytest.mark.parametrize(
    ("slopes", "part", "at_least"),
    [(lambda g: -g, "wrong_sign", N), (lambda g: 0 * g, "lost", N), (lambda g: g.flip(-1), "wrong_sign", N // 2)],
    ids=["flipped", "zero", "edges exchanged"],
)
def test_wrong_slopes_are_noticed(slopes, part, at_least):
    judged = verdict(with_slopes(slopes))
    assert everyday(judged) <= 1
    assert slopes_of(judged, part) >= at_least
    assert slopes_of(judged, "worst") > 2**20
    assert any(text.startswith({"wrong_sign": "A slope of", "lost": "Gradient 0"}[part]) for text in page.examples("fake_loss", judged))


def test_slopes_that_the_type_hardly_has_are_not_asked_for():
    tiny = adapters.Function("fake", "fake_loss", "nwd", lambda: lambda a, b: right(a, b) * 0, parameters={"constant": 1.0})
    a, b = np.array([[0, 0, 10, 20]], np.float32), np.array([[95, 95, 110, 115]], np.float32)  # some exp(-134) / 100
    question = truth.Question("far apart", a, b, "float32", gradient=True)
    answer = {"value": np.array([1.0]), "gradient": np.zeros((1, 4)), "dtype": "float32"}
    slopes = judge_class(tiny, answer, question, truth.Truth(), 0.0)["gradients"]
    assert slopes["n"] == 1
    assert slopes["n_judged"] == slopes["lost"] == 0


def test_halved_slopes_have_the_right_sign_and_half_the_size():
    judged = verdict(with_slopes(lambda g: g / 2))
    assert slopes_of(judged, "wrong_sign") == slopes_of(judged, "lost") == 0
    assert slopes_of(judged, "worst") > 2**22


def test_a_gradient_that_is_not_finite_is_noticed():
    judged = verdict(with_slopes(lambda g: g * float("nan")))
    assert slopes_of(judged, "not_finite") == N
    assert judged["identical"]["coco"]["gradients_not_finite"] == N
    assert any(text.startswith("Gradient not finite for 12 of 12 COCO-like boxes") for text in page.examples("fake_loss", judged))


@pytest.mark.parametrize(
    ("fake", "broken"), [(asymmetric, "symmetric"), (of_the_batch, "batch"), (not_of_the_batch_but_of_the_axis, "transposed")], ids=["swap", "batch", "axes"]
)
def test_broken_invariances_are_noticed(fake, broken):
    found = verdict(fake)["invariance"]
    assert found[broken] > 1
    assert found["scale_free"] == 0


def test_what_is_not_claimed_of_a_measure_is_not_asked_of_a_peer():
    function = adapters.Function("fake", "fake_loss", "giou", lambda: asymmetric)
    answers = ask_all((function,), [question.spec() for question in QUESTIONS.values()], BOXES)[function.key]["answers"]
    found = judge(function, answers, QUESTIONS, TRUTH, Claims())["invariance"]
    assert found["symmetric"] is None
    assert found["scale_free"] is None


def test_a_loss_that_is_a_difference_is_judged_by_what_it_is_the_difference_of():
    def off(a, b):
        return right(a, b) + 2.0**-20

    function = adapters.Function("fake", "fake_loss", "giou", lambda: off)
    answers = ask_all((function,), [question.spec() for question in QUESTIONS.values()], BOXES)[function.key]["answers"]
    plain, floored = (judge(function, answers, QUESTIONS, TRUTH, Claims(floor=floor)) for floor in (0.0, 1.0))
    assert everyday(floored) < 32 < everyday(plain)


def test_a_refusal_is_no_error_and_is_quoted():
    judged = verdict(refusing)
    assert judged["classes"]["float32"]["points"] == {"refused": "AssertionError: bad box"}
    assert everyday(judged) <= 1
    assert "Refuses points, lines: `AssertionError: bad box`." in page.examples("fake_loss", judged)


def test_types_that_a_function_does_not_take_are_refused_for_it():
    judged = verdict(lambda a, b: np.asarray(right(torch.tensor(a), torch.tensor(b))), arrays="numpy", dtypes=("float32",))
    assert judged["half"]["float16"] == {"refused": "takes no float16"}
    assert not judged["has_gradient"]
    assert everyday(judged) <= 1


def test_answers_in_float32_are_judged_as_such():
    judged = verdict(lambda a, b: right(a.double(), b.double()).float())
    assert judged["classes"]["float64"]["coco"]["worst"] <= 1
    assert "Answers float64 boxes in float32, and is judged as such." in page.examples("fake_loss", judged)


def test_a_peer_that_cannot_be_imported_says_so():
    function = adapters.Function("fake", "fake_loss", "giou", adapters.found("no_such_peer", "loss"))
    said = ask_all((function,), [], {})[function.key]
    assert said == {"error": "ModuleNotFoundError: No module named 'no_such_peer'", "answers": {}}


def test_a_peer_that_cannot_be_installed_is_an_entry_that_says_why(monkeypatch, tmp_path):
    def fail(command, seconds, tell=None):
        raise environments.FailedError("No matching distribution found for fake")

    monkeypatch.setattr(environments, "call", fail)
    fake = peers.Peer("fake", "MIT", "fake", (("fake",),))
    entry = examine(fake, environments.Environments(tmp_path), QUESTIONS, TRUTH, lambda what: None)
    assert entry["failed"] == "No matching distribution found for fake"
    text = page.render(page.rounded({"peers": {"fake": entry}}))
    assert "**not asked**: No matching distribution found for fake" in text


def test_a_command_that_fails_gives_its_last_words():
    with pytest.raises(environments.FailedError, match=r"^no such thing$"):
        environments.call([sys.executable, "-c", "import sys; sys.exit('ERROR: no such thing')"], 60)
    with pytest.raises(environments.FailedError, match=r"^ValueError: 3$"):
        environments.call([sys.executable, "-c", "raise ValueError(3)"], 60)
    told = []
    environments.call([sys.executable, "-c", "print('asked')"], 60, told.append)
    assert told == ["asked"]


def test_environments_are_removed_unless_they_are_kept(tmp_path):
    with environments.environments(None) as made:
        assert made.folder.is_dir()
    assert not made.folder.exists()
    with environments.environments(tmp_path / "kept") as made:
        pass
    assert made.folder.is_dir()


def test_bfloat16_boxes_are_numbers_of_bfloat16():
    for part in ("a", "b"):
        boxes = torch.tensor(BOXES[f"bfloat16/coco/{part}"])
        assert torch.equal(boxes.bfloat16().float(), boxes)
    drawn = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    assert torch.equal(torch.tensor(truth.to_bfloat16(drawn)), torch.tensor(drawn).bfloat16().float())


def test_numbers_are_shown_so_that_they_can_be_typed():
    assert shown(np.float32(0.1), "float32") == "0.1"
    assert Fraction(shown(np.float32(1 / 3), "float32")) != Fraction(1, 3)
    assert np.float32(shown(np.float32(1 / 3), "float32")) == np.float32(1 / 3)
    assert shown(3.0, "float64") == "3"
    assert shown(-0.0, "float32") == "0"


def test_every_function_has_a_name_of_its_own_and_a_peer():
    keys = [function.key for function in adapters.FUNCTIONS]
    assert len(set(keys)) == len(keys)
    assert {function.peer for function in adapters.FUNCTIONS} == {peer.name for peer in peers.PEERS}


def test_the_page_has_what_was_found(rights):
    entry = {"licence": "MIT", "pairs": N, "machine": {"date": "2026-01-01 00:00 UTC", "cpu": "a CPU", "system": "Linux"}, "skipped": {}, "seconds": 1}
    entry |= {"functions": {"right_loss": rights, "eps_loss": verdict(lambda a, b: textbook(a, b, 1e-7))}, "versions": {"python": "3", "fake": "1.0"}}
    results = {"peers": {"fake": entry}}
    assert json.loads(page.dumped(results)) == page.rounded(results)
    text = page.render(page.rounded(results))
    assert "| fake | 1.0 | python 3 | MIT | 12 | 2026-01-01 | 2 |" in text
    assert "Nothing to report of `right_loss`." in text
    assert "| giou | fake | `right_loss` | 0." in text
    assert "### giou" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in lines)


def test_a_peer_that_does_not_exist_is_refused():
    from typer.testing import CliRunner

    done = CliRunner().invoke(app, ["--only", "no_such_peer"])
    assert done.exit_code == 2


@pytest.mark.slow
def test_boxloss_itself_has_a_page_and_nothing_to_report(tmp_path):
    command = [sys.executable, "-m", "benchmarks.conformance", "--only", "boxloss", "--pairs", "10", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "conformance" / "results.json").read_text())["peers"]["boxloss"]["functions"]
    assert {"giou_loss", "ciou_loss", 'pairwise("iou")'} <= set(found)
    for title, function in found.items():
        if function["measure"] in ("iou", "giou", "diou", "ciou"):
            assert list(page.examples(title, function)) == []
    assert "### ciou" in (tmp_path / "conformance.md").read_text()
