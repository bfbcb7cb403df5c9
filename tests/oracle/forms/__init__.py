"""The losses' text-book forms, a family a file. A file in this folder is found by itself.

Each has `FORMS`, functions of an `oracle.arithmetic.Pair` that are named like the loss and take its parameters; and, where there are such,

- `IN_COORDINATES`: names of losses that take any four numbers
- `NOT_DERIVATIVES`: names of losses whose gradient is, by intent, not the derivative of their value
- `VARIANTS`: for a loss, other parameters to test it with, each with its bounds, or None for those of the record
- `EXTREMES`: for a loss, pairs of boxes where it is near the upper end of its bounds
- `HELD`: for a loss that holds one term, what that term is; a numeric derivative gives it back to the form as `held_at`
"""
