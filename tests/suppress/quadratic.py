"""The kinds of suppression as their papers have them: loops over all pairs, written apart from the code that they judge."""

import math

import numpy as np

from boxloss.losses import pairwise


def ranked(crowd, labels):
    """Rows, best first, and the similarity of every pair of ranks, 0 between classes."""
    rows = sorted(range(len(crowd.boxes)), key=lambda i: (-crowd.scores[i], i))
    iou = np.asarray(pairwise("iou", crowd.boxes[rows], crowd.boxes[rows])).reshape(len(rows), len(rows))
    of = np.zeros(len(rows), int) if labels is None else labels[rows]
    return rows, np.where(of[:, None] == of[None, :], iou, 0.0), of


def above(overlap, threshold):
    """As the boxes' number type has it."""
    return overlap > overlap.dtype.type(threshold)


def greedy(crowd, labels, threshold):
    """The ranks that stay, and for each rank whether it does."""
    rows, overlap, _ = ranked(crowd, labels)
    drops = above(overlap, threshold)
    stay = np.ones(len(rows), bool)
    for j in range(len(rows)):
        stay[j] = not any(stay[i] and drops[i, j] for i in range(j))
    return rows, overlap, stay


def fast(crowd, labels, threshold):
    rows, overlap, _ = ranked(crowd, labels)
    drops = above(overlap, threshold)
    return [row for j, row in enumerate(rows) if not drops[:j, j].any()]


def adaptive(crowd, densities, labels, threshold):
    rows, overlap, _ = ranked(crowd, labels)
    stay = []
    for j in range(len(rows)):
        if all(overlap[i, j] <= max(overlap.dtype.type(threshold), overlap.dtype.type(densities[rows[i]])) for i in stay):
            stay.append(j)
    return [rows[j] for j in stay]


def matrix(crowd, labels, decay, sigma):
    """For each row its new score. The paper's f, and nothing said by a box that surely is suppressed itself."""
    rows, overlap, of = ranked(crowd, labels)
    new = np.zeros(len(rows))
    f = {"gaussian": lambda o: math.exp(-(o**2) / sigma), "linear": lambda o: 1 - o}[decay]
    most = [max([overlap[k, i] for k in range(i)], default=0.0) for i in range(len(rows))]
    for j, row in enumerate(rows):
        ratios = [f(float(overlap[i, j])) / f(float(most[i])) for i in range(j) if of[i] == of[j] and f(float(most[i])) > 0]
        new[row] = crowd.scores[row] * min(ratios, default=1.0)
    return new


def spm(crowd, labels, threshold, sigma, beta):
    rows, overlap, stay = greedy(crowd, labels, threshold)
    new = np.zeros(len(rows))
    for j, row in enumerate(rows):
        factor = 1.0
        for i in range(j):
            if stay[i] and overlap[i, j] > 0:
                penalty = math.exp(-(float(overlap[i, j]) ** 2) / sigma)
                factor *= penalty if beta is None else min(1.0, penalty + distance(crowd.boxes[rows[i]], crowd.boxes[row]) ** beta)
        new[row] = crowd.scores[row] * factor
    return new


def distance(a, b):
    """The centres' squared distance over the hull's squared diagonal."""
    dx, dy = (a[0] + a[2] - b[0] - b[2]) / 2, (a[1] + a[3] - b[1] - b[3]) / 2
    w, h = max(a[2], b[2]) - min(a[0], b[0]), max(a[3], b[3]) - min(a[1], b[1])
    return (dx * dx + dy * dy) / (w * w + h * h) if w or h else 0.0


def weighted(crowd, labels, threshold):
    """The boxes that stay, each with the weighted mean of its cluster."""
    rows, overlap, stay = greedy(crowd, labels, threshold)
    members = {i: [(i, 1.0)] for i in np.flatnonzero(stay)}
    for j in np.flatnonzero(~stay):
        of = max((i for i in members if i < j), key=lambda i: (overlap[i, j], -i))
        members[of].append((j, float(overlap[of, j])))
    return _means(crowd, rows, members)


def cluster_weighted(crowd, labels, threshold, similar):
    rows, overlap, stay = greedy(crowd, labels, threshold)
    alike = above(overlap, similar)
    members = {i: [(i, 1.0)] + [(j, float(overlap[i, j])) for j in range(i + 1, len(rows)) if alike[i, j]] for i in np.flatnonzero(stay)}
    return _means(crowd, rows, members)


def _means(crowd, rows, members):
    boxes = []
    for of in members.values():
        weights = np.array([crowd.scores[rows[j]] * overlap for j, overlap in of])
        some = np.array([crowd.boxes[rows[j]] for j, _ in of], np.float64)
        boxes.append(weights @ some / weights.sum() if weights.sum() > 0 else some[0])
    return np.array(boxes).reshape(-1, 4), [rows[i] for i in members]


def fused(models, weights, threshold):
    """Clusters of weighted box fusion in plain Python: for each the members (model, row) and the mean, in the order that they begin."""
    order = sorted(((-crowd.scores[i] * weight, m, i) for m, (crowd, weight) in enumerate(zip(models, weights, strict=True)) for i in range(len(crowd.boxes))))
    clusters: list[tuple[list[tuple[int, int]], np.ndarray]] = []
    for _, m, i in order:
        box, label = models[m].boxes[i].astype(np.float64), models[m].labels[i]
        best, of = threshold, None
        for c, (members, mean) in enumerate(clusters):
            if models[members[0][0]].labels[members[0][1]] == label and (value := float(pairwise("iou", mean[None], box[None])[0, 0])) > best:
                best, of = value, c
        if of is None:
            clusters.append(([(m, i)], box))
            continue
        members = [*clusters[of][0], (m, i)]
        w = np.array([models[m].scores[i] * weights[m] for m, i in members])
        mean = (w[:, None] * np.array([models[m].boxes[i] for m, i in members])).sum(0) / w.sum() if w.sum() > 0 else clusters[of][1]
        clusters[of] = (members, mean)
    return clusters
