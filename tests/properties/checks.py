"""The contract, as functions: each takes a loss, an array library and a number type, and raises a `NotKeptError` that names the loss.

They are written once and asked of everything: of the whole catalogue in `test_contract.py`, and of wrong losses in `tests/meta`.
"""

from collections.abc import Callable
from typing import Any

from properties import check_batches as batches
from properties import check_gradients as gradients
from properties import check_values as values
from properties.subjects import Subject

Check = Callable[[Subject, Any, str], None]

# The name says what a broken loss is blamed for
VALUE_CHECKS: dict[str, Check] = {
    "value": values.check_value_against_oracle,
    "identical": values.check_identical_is_zero,
    "symmetric": values.check_symmetric,
    "transpose": values.check_transpose,
    "scaling": values.check_power_of_two_scaling,
    "bounds": values.check_bounds,
    "finite": values.check_finite,
    "inverted": values.check_inverted,
    "reductions": batches.check_reductions,
    "empty": batches.check_empty_batch,
    "pairwise": batches.check_pairwise_equals_elementwise,
    "batch": batches.check_batch_and_stride_bits,
    "nan": batches.check_nan_stays_in_its_row,
}
GRADIENT_CHECKS: dict[str, Check] = {"gradient": gradients.check_gradient_against_oracle, "ties": gradients.check_gradient_at_ties}
TYPE_CHECKS: dict[str, Check] = {"narrow": batches.check_narrow_types}
THREAD_CHECKS: dict[str, Check] = {"threads": batches.check_threads}
