"""What moves the boxes: a loss with its parameters, by its exact gradient or by the update that was released."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from boxloss.errors import ParameterError, UnknownNameError
from boxloss.formulas import Formula
from boxloss.from_file import read_loss
from boxloss.kernels.cpu.bodies import has_tame
from boxloss.kernels.cpu.descent import Update
from boxloss.simulate import gradients
from boxloss.simulate.gradients import FAULTS
from boxloss.simulate.protocol import Protocol
from boxloss.written import slug, split_names, write_parameters


@dataclass(frozen=True)
class Loss:
    """A formula with its parameters, and whether it moves boxes by its exact gradient, or as released, with which of `gradients.FAULTS`."""

    formula: Formula
    parameters: dict[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        self.formula.check_parameters(self.parameters)
        if self.faults is not None:
            if self.parameters:
                raise ParameterError(f"{self.formula.name}: {', '.join(self.parameters)} was given, but the released update has no parameters")
            gradients.check_released(self.formula.name, self.faults)

    @property
    def label(self) -> str:
        """What a folder of its results is called: `giou`, `ciou-inner=0.8`, `giou-released`, or `giou-released-cross-axis` with that fault alone."""
        parts = [self.formula.name, *write_parameters(sorted(self.parameters.items()))]
        if self.faults is not None:
            parts.append("released")
            if set(self.faults) != set(FAULTS):
                parts.append("+".join(word(fault) for fault in FAULTS if fault in self.faults) or "faultless")
        return slug(parts, "-")

    def as_dict(self) -> dict[str, Any]:
        """All that says which loss it is, for JSON."""
        return {
            "name": self.formula.name,
            "parameters": dict(write.split("=", 1) for write in write_parameters(sorted(self.parameters.items()))),
            "gradient": "exact" if self.faults is None else "as released",
            "faults": None if self.faults is None else [fault for fault in FAULTS if fault in self.faults],
        }

    def update(self, plan: Protocol, dtype: str) -> Update:
        """What a step does under `plan`. Raises `ParameterError` where the plan moves corners, which the released update does not."""
        if self.faults is not None:
            if plan.parameters != "cxcywh":
                raise ParameterError(f"the released update moves cxcywh, and the protocol {plan.name} moves {plan.parameters}: take the exact gradient")
            full, tame = gradients.as_released(self.formula.name, self.faults, dtype=dtype), None
        else:
            full = gradients.exact(self.formula, self.parameters, dtype=dtype, format=plan.parameters, tame=False)
            tame = gradients.exact(self.formula, self.parameters, dtype=dtype, format=plan.parameters, tame=True) if has_tame(self.formula) else None
        return Update(full, tame, plan.parameters, plan.optimiser, plan.factor)


def word(fault: str) -> str:
    """A fault's name as a word that a shell takes: `diagonal's sign` is diagonals-sign.

    >>> word("diagonal's sign")
    'diagonals-sign'
    """
    return fault.replace("'", "").replace(" ", "-")


def chosen(text: str, faults: Collection[str] | None = None) -> list[Loss]:
    """The losses that `text` names with commas between: `iou,diou:inner=0.75,FILE.py:my_loss`; each as released with `faults`, where they are given.

    Raises `UnknownNameError`, `ParameterError`, or `FormulaError` for what is none.

    >>> [loss.label for loss in chosen("giou,diou:inner=0.75")]
    ['giou', 'diou-inner=0.75']
    """
    losses = [_one(part, None if faults is None else tuple(faults)) for part in split_names(text)]
    if not losses:
        raise ParameterError("losses: none is named; give at least one, for instance iou,giou")
    labels = [loss.label for loss in losses]
    for label in labels:
        if labels.count(label) > 1:
            raise ParameterError(f"losses: {label} comes twice; name it once")
    return losses


def _one(text: str, faults: tuple[str, ...] | None) -> Loss:
    _, formula, given = read_loss(text)
    return Loss(formula, given, faults)


def fault_words(text: str) -> tuple[str, ...]:
    """The faults that `text` names with commas between, as in FAULTS or as `word` writes them.

    >>> fault_words("cross-axis,diagonals-sign")
    ('cross-axis', "diagonal's sign")
    """
    known = {word(fault): fault for fault in FAULTS}
    asked = [word(part.strip()) for part in text.split(",") if part.strip()]
    for one in asked:
        if one not in known:
            raise UnknownNameError("fault", one, known)
    return tuple(known[one] for one in asked)
