"""Ground truth and detections of a few boxes, in COCO's records."""

from hypothesis import strategies as st


def truth(*objects, images=1, classes=2, crowds=()):
    """Objects are (box xywh, label) in image 1, or (box, label, image); those whose index is in `crowds` are crowds. Ids count from 1."""
    annotations = [
        {"id": i + 1, "image_id": where[0] if where else 1, "category_id": label, "bbox": list(box), "iscrowd": int(i in crowds)}
        for i, (box, label, *where) in enumerate(objects)
    ]
    return {"images": [{"id": i + 1} for i in range(images)], "categories": [{"id": i + 1} for i in range(classes)], "annotations": annotations}


def detections(*found):
    """Detections are (box xywh, label, score) in image 1, or (box, label, score, image)."""
    return [{"image_id": where[0] if where else 1, "category_id": label, "bbox": list(box), "score": score} for box, label, score, *where in found]


SQUARE = (0, 0, 10, 10)
FAR = (100, 100, 10, 10)


@st.composite
def cases(draw, n_images=2, n_classes=2):
    """Boxes of small whole numbers, so that overlaps tie and stand on thresholds; some crowds, some boxes without area, equal scores."""
    number = st.integers(0, 12)
    box = st.tuples(number, number, number, number)
    where = st.integers(1, n_images)
    label = st.integers(1, n_classes)
    objects = draw(st.lists(st.tuples(box, label, where), max_size=8))
    crowds = draw(st.sets(st.integers(0, 7), max_size=2))
    found = draw(st.lists(st.tuples(box, label, st.integers(1, 5).map(lambda k: k / 8), where), max_size=14))
    return truth(*objects, images=n_images, classes=n_classes, crowds=crowds), detections(*found)
