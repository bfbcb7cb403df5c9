"""Formulas as things to call: functions of boxes, and torch modules (in `boxloss.losses.modules`, which imports torch)."""

from boxloss.losses.distribution import decode_distribution, distribution_focal
from boxloss.losses.functions import Loss, Similarity, loss
from boxloss.losses.pairs import nearest, pairs_above, pairwise
from boxloss.losses.uncertain import kl_loss
from boxloss.losses.weighting import by_class, by_size

__all__ = ["Loss", "Similarity", "by_class", "by_size", "decode_distribution", "distribution_focal", "kl_loss", "loss", "nearest", "pairs_above", "pairwise"]
