"""Formulas as things to call: functions of boxes, and torch modules (in `boxloss.losses.modules`, which imports torch)."""

from boxloss.losses.functions import Loss, Similarity, loss
from boxloss.losses.pairs import nearest, pairs_above, pairwise
from boxloss.losses.weighting import by_class, by_size

__all__ = ["Loss", "Similarity", "by_class", "by_size", "loss", "nearest", "pairs_above", "pairwise"]
