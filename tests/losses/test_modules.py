"""The torch modules, one for each name."""

import copy
import pickle

import pytest
import torch

import boxloss as bl
from boxloss.errors import ParameterError, UnknownNameError
from boxloss.formulas import aliases
from each import each_loss


@pytest.mark.parametrize("name", each_loss())
def test_a_module_is_its_loss(name):
    kind = getattr(bl.nn, bl.nn.class_name(name))
    a, b, weight = torch.rand(6, 4), torch.rand(6, 4), torch.rand(6)
    assert torch.equal(kind()(a, b), bl.loss(name)(a, b))
    assert torch.equal(kind(reduction="none")(a, b, weight), bl.loss(name)(a, b, reduction="none", weight=weight))
    assert torch.equal(bl.nn.BoxLoss(name)(a, b), kind()(a, b))


@pytest.mark.parametrize("name", ["giou", "smooth_l1"])
def test_a_module_takes_other_formats(name):
    kind = getattr(bl.nn, bl.nn.class_name(name))
    a, b, weight = torch.rand(6, 4), torch.rand(6, 4), torch.rand(6)
    assert torch.equal(kind(reduction="none", format="cxcywh")(a, b, weight), bl.loss(name)(a, b, reduction="none", format="cxcywh", weight=weight))


def test_names():
    assert bl.nn.CIoULoss.__name__ == "CIoULoss"
    assert {"IoULoss", "GIoULoss", "SmoothL1Loss", "IoULogLoss", "L2Loss"} <= set(dir(bl.nn))
    with pytest.raises(AttributeError, match=r"has no attribute 'GIOULoss': there are BoxLoss, .*CIoULoss"):
        bl.nn.GIOULoss  # noqa: B018


def test_each_name_is_one_loss():
    names = {bl.nn.class_name(name) for name in bl.catalogue()}
    assert len(names) == len(bl.catalogue())
    assert names | {"WiseIoUv2Loss", "WiseIoUv3Loss", "UnifiedIoULoss"} <= set(dir(bl.nn))
    assert not names & {"WiseIoUv2Loss", "WiseIoUv3Loss", "UnifiedIoULoss"}
    for name in dir(bl.nn):
        assert getattr(bl.nn, name).__name__ in {"BoxLoss", *dir(bl.nn)}


def test_another_name_is_the_same_module():
    efficient = bl.nn.EfficientIoULoss
    assert bl.nn.EIoULoss is efficient is bl.nn.EfficientIoULoss
    for alias, name in aliases().items():
        assert getattr(bl.nn, bl.nn.class_name(alias)) is getattr(bl.nn, bl.nn.class_name(name))


def test_a_module_says_what_it_is():
    assert repr(bl.nn.SmoothL1Loss(beta=0.5)) == "SmoothL1Loss('smooth_l1', reduction='mean', format='xyxy', beta=0.5)"


def test_a_module_is_pickled_with_its_model():
    module = bl.nn.SmoothL1Loss(beta=0.5, reduction="sum")
    a, b = torch.rand(6, 4), torch.rand(6, 4)
    assert torch.equal(pickle.loads(pickle.dumps(module))(a, b), module(a, b))
    # It has found its kernels now, which are addresses in this process
    assert torch.equal(pickle.loads(pickle.dumps(module))(a, b), module(a, b))
    assert torch.equal(copy.deepcopy(module)(a, b), module(a, b))


def test_a_model_with_a_formula_of_ones_own_can_be_copied():
    @bl.formula(title="Mine", paper="mine", bounds="[0, 1]", symmetric=True, scale_free=True)
    def mine(p):
        return p.jaccard

    copied = copy.deepcopy(bl.nn.BoxLoss(mine))
    assert copied.loss.formula is mine


def test_mistakes_are_found_when_it_is_made():
    with pytest.raises(ParameterError, match="GIoULoss: reduction is 'avg', expected one of mean, sum, none"):
        bl.nn.GIoULoss(reduction="avg")
    with pytest.raises(UnknownNameError, match="did you mean beta"):
        bl.nn.SmoothL1Loss(bta=1)
