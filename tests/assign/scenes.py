"""Pictures with priors, objects and predictions, on which no two numbers that an assigner compares are equal, unless a test wants that."""

import numpy as np

from boxloss.anchors import points
from boxloss.assign import Objects, Predictions, Priors

N_CLASSES = 3
WIDTH, HEIGHT = 128, 96


def scene(seed, n_objects=6, dtype=np.float32):
    """Anchors of any sides about the points of three levels, objects, and predictions of which most are near an object. Coordinates are multiples of 1/64, so
    that moving and scaling round nothing."""
    rng = np.random.default_rng([seed, n_objects])
    xy, strides = points(WIDTH, HEIGHT)
    half = np.exp(rng.uniform(np.log(4), np.log(60), xy.shape))
    anchors = on_grid(np.hstack([xy - half, xy + half]))
    anchors[:, 2:] += 2 * xy - (anchors[:, :2] + anchors[:, 2:])  # the centres stay the points
    objects = some_boxes(rng, n_objects)
    near = objects[rng.integers(0, n_objects, len(xy))] if n_objects else anchors
    predictions = np.where(rng.random((len(xy), 1)) < 0.8, near + rng.normal(0, 5, near.shape), some_boxes(rng, len(xy)))
    predictions = on_grid(np.hstack([np.minimum(predictions[:, :2], predictions[:, 2:] - 1), predictions[:, 2:]]))
    scores = rng.random((len(xy), N_CLASSES))
    labels = rng.integers(0, N_CLASSES, n_objects)
    return (
        Priors(anchors.astype(dtype), strides.astype(dtype)),
        Objects(objects.astype(dtype), labels, size=(WIDTH, HEIGHT)),
        Predictions(predictions.astype(dtype), scores.astype(dtype)),
    )


def some_boxes(rng, n):
    half = np.exp(rng.uniform(np.log(3), np.log(50), (n, 2)))
    centre = rng.uniform(0, (WIDTH, HEIGHT), (n, 2))
    return on_grid(np.hstack([centre - half, centre + half]))


def on_grid(boxes):
    # The lower sides even and the upper ones odd: no centre is half-way between two points.
    return np.hstack([np.round(boxes[:, :2] * 32) / 32, (2 * np.floor(boxes[:, 2:] * 32) + 1) / 64])


def with_boxes(change, priors, objects, predictions, strides=lambda s: s):
    """The scene with every box changed."""
    return (
        Priors(change(priors.boxes), strides(priors.strides)),
        objects._replace(boxes=change(objects.boxes)),
        predictions._replace(boxes=change(predictions.boxes)),
    )


def same(got, want):
    for x, y in zip(got, want, strict=True):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))
