"""docs/metrics.md lists every metric with its kind and labels, and no other."""

import re

import pytest

from tests.unit.docs.documents import PARSING, documents, read, rows_of
from tests.unit.docs.metrics import DefinedMetric, defined_metrics

pytestmark = pytest.mark.xdist_group(PARSING)

LISTED = [(row["metric"], row["type"]) for row in rows_of(read("docs/metrics.md"), "metric")]


def spelled(metric: DefinedMetric) -> tuple[str, str]:
    labels = f"{{{','.join(metric.labels)}}}" if metric.labels else ""
    return f"`{metric.name}{labels}`", metric.kind


def test_every_metric_is_listed_with_its_kind_and_labels() -> None:
    assert len(defined_metrics()) >= 10
    assert sorted(LISTED) == sorted(map(spelled, defined_metrics()))


def test_no_document_names_a_metric_that_does_not_exist() -> None:
    known = {metric.name for metric in defined_metrics()}
    for document in documents():
        for name in re.findall(r"\bbrazebee_(?:ingress|webhook|notification)_\w+", read(document)):
            assert name in known, (document, name)
