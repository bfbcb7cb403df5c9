"""What an examination found, as tables of text."""

from boxloss.evaluate.examine import Examination
from boxloss.evaluate.kinds import KINDS
from boxloss.evaluate.localising import Localisation
from boxloss.evaluate.mistakes import Errors

Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]
"""Title, header, rows."""


def tables(found: Examination) -> list[Table]:
    """COCO's figures first; suppression last, where it was asked for."""
    metrics: list[tuple[str, ...]] = [(name, figure(value)) for name, value in found.metrics.as_dict().items()]
    more = [_metrics_by_nms(found)] if found.nms else []
    return [
        ("COCO's figures", ("figure", "value"), metrics),
        _localisation(found.localisation),
        _by_threshold(found.localisation),
        _mistakes(found.errors),
        *more,
    ]


def figure(value: float) -> str:
    return "-" if value != value else f"{value:.4f}"


def _localisation(found: Localisation) -> Table:
    counts = {"objects": found.n_objects, "detections": found.n_detections, "matched": found.n_matched}
    counts |= {"in a crowd": found.n_ignored, "beyond 100 a picture and class": found.n_beyond}
    rows: list[tuple[str, ...]] = [(name, str(count)) for name, count in counts.items()]
    rows += [("mean IoU of matched", figure(found.mean))]
    rows += [(f"{share:.0%} quantile of IoU", figure(value)) for share, value in found.quantiles.items()]
    return "Localisation, matched at IoU .50", ("localisation", "value"), rows


def _by_threshold(found: Localisation) -> Table:
    edges, counts = found.histogram
    shares = [f"{count / found.n_matched:.1%}" if found.n_matched else "-" for count in counts]
    columns = [f"{edge:.2f}" for edge in edges[:-1]], map(str, counts), shares, map(figure, found.ap)
    rows: list[tuple[str, ...]] = list(zip(*columns, strict=True))
    return "Matched, and AP, from IoU on", ("IoU", "matched", "share", "AP"), rows


def _mistakes(found: Errors) -> Table:
    rows: list[tuple[str, ...]] = [(kind, str(found.counts[kind]), figure(found.costs[kind]), meaning) for kind, meaning in KINDS.items()]
    return "Mistakes, and how much AP50 gains without them", ("mistake", "count", "dAP50", "meaning"), rows


def _metrics_by_nms(found: Examination) -> Table:
    threshold = next((row.threshold for row in found.nms if row.threshold is not None), None)
    rows: list[tuple[str, ...]] = [(row.kind, figure(row.ap), figure(row.ap50), figure(row.ap75), f"{row.kept_per_image:.1f}") for row in found.nms]
    return f"Suppression at threshold {threshold}", ("nms", "AP", "AP50", "AP75", "kept a picture"), rows
