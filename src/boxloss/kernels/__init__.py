"""Formulas as compiled loops: value and gradient in one pass, on CPUs (`boxloss.kernels.cpu`) and GPUs (`boxloss.kernels.gpu`).

A kernel is a loop shape around the text that `boxloss.calculus` makes of a formula. No kernel names a formula.
"""
