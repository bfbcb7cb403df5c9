"""Greedy suppression on a GPU, by masks of bits.

Some thousands of boxes at a time, best first: first whom each of them would drop, all pairs at once, a bit a pair; then one program goes through the boxes,
32 at a time, and marks whom those that stay do drop. That is a matter of words: 32 boxes and what they drop of 32 others are 32 words.
"""

import torch
from torch import Tensor

from boxloss.formulas import Formula
from boxloss.kernels.gpu.launch import Parameters, kernel_of, run
from boxloss.kernels.gpu.load import load
from boxloss.kernels.gpu.program import masks_text, stage_text

ROWS = 4
"""Boxes of a program, by 32 others: four pairs a thread."""
CHUNK = 2**13
"""Boxes at a time: masks take CHUNK N / 8 bytes."""
ACROSS = 64
"""Programs that share the words of a row."""
WORDS = 32
"""Words that the second program works on at a time: 32 lines of memory."""


def greedy(formula: Formula, parameters: Parameters, boxes: Tensor, labels: Tensor, threshold: float) -> Tensor:
    """Which of `boxes`, (N, 4), best first, stay: (N,) of truths. `labels`: (N,) int64; both without gaps, on one GPU. Nothing waits for the GPU."""
    n = boxes.shape[0]
    gone = torch.zeros(-(-n // 32), dtype=torch.int32, device=boxes.device)
    if n == 0:
        return gone.bool()
    kernel = kernel_of(masks_text, formula, parameters, boxes, format="xyxy", similarity=True)
    resolve = load(stage_text("resolve"), "resolve")
    bar = torch.full((1,), threshold, dtype=boxes.dtype, device=boxes.device)
    masks = torch.empty(min(CHUNK, n) * -(-n // 32), dtype=torch.int32, device=boxes.device)
    for first in range(0, n, CHUNK):
        n_rows, n_words = min(CHUNK, n - first), -(-(n - first) // 32)
        grid = -(-n_rows // ROWS), min(ACROSS, n_words)
        run(kernel, grid, boxes, boxes, labels, n, first, n_rows, bar, masks, ROWS=ROWS, num_warps=1)
        run(resolve, (1,), boxes, masks, gone, first, n, n_rows, WORDS=WORDS, num_warps=4)
    bits = gone[:, None] >> torch.arange(32, dtype=torch.int32, device=boxes.device)
    return ((bits & 1) == 0).reshape(-1)[:n]
