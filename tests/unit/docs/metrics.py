"""The metrics that the product defines, found in its code."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.unit.docs.documents import parsed, project_files, read

KINDS = {
    "Counter": "counter",
    "CounterMetricFamily": "counter",
    "Gauge": "gauge",
    "GaugeMetricFamily": "gauge",
    "Histogram": "histogram",
    "HistogramMetricFamily": "histogram",
}


@dataclass(frozen=True)
class DefinedMetric:
    """A metric as Prometheus names it, and the module that defines it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    path: str


@cache
def defined_metrics() -> list[DefinedMetric]:
    return [
        metric
        for path in project_files()
        if path.endswith(".py")
        and not path.startswith(("tests/", "bench/", "faults/", "fuzz/"))
        and "prometheus_client" in read(path)
        for metric in _metrics_of(path)
    ]


def _metrics_of(path: str) -> Iterator[DefinedMetric]:
    for node in ast.walk(parsed(path)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        first = node.args[0] if node.args else None
        if name in KINDS and isinstance(first, ast.Constant) and isinstance(first.value, str):
            suffix = "_total" if KINDS[name] == "counter" else ""
            yield DefinedMetric(first.value + suffix, KINDS[name], _labels(node), path)


def _labels(call: ast.Call) -> tuple[str, ...]:
    lists = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "labels")]
    return tuple(
        str(item.value)
        for listed in lists
        if isinstance(listed, ast.List)
        for item in listed.elts
        if isinstance(item, ast.Constant)
    )
