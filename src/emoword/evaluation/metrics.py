"""What is measured: every metric once, with where it comes from and how it is written."""

from typing import Literal, NamedTuple

LINEAR = "linear"  # what stands for a loss, of linear models


class Metric(NamedTuple):
    """A metric of metrics.csv.

    Attributes:
        measured_on: the decided class, or the label set whose targets are meant.
        name: as metrics.csv has it.
        column: of decisions.csv, which is averaged; none: counted from `true` and `predicted`.
        unit: `points`: a share, printed in per cent; `cosine`: printed as it is.
        says: in tables and figures.
    """

    measured_on: Literal["class", "S1", "S2", "S3"]
    name: str
    column: str
    unit: Literal["points", "cosine"]
    says: str


METRICS = (
    Metric("class", "UA", "", "points", "UA"),
    Metric("class", "WA", "", "points", "WA"),
    Metric("S1", "cosine", "cosine_S1", "cosine", "S1 cosine"),
    Metric("S2", "cosine", "cosine_S2", "cosine", "S2 cosine"),
    Metric("S3", "cosine", "cosine_S3", "cosine", "S3 cosine"),
    Metric("S2", "top10_l1", "S2_l1", "points", "S2 l1"),
    Metric("S2", "top10_l2", "S2_l2", "points", "S2 l2"),
    Metric("S3", "top10_l1", "S3_l1", "points", "S3 l1"),
    Metric("S3", "top10_l2", "S3_l2", "points", "S3 l2"),
)
AVERAGED = tuple(metric for metric in METRICS if metric.column)
BY_MEASURE = {f"{metric.measured_on} {metric.name}": metric for metric in METRICS}
