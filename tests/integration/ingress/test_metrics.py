"""`GET /metrics` of the ingress in one process; `tests/acceptance` runs several."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingress.metrics import directory_of, metrics_directory
from tests.support.ingress.application import (
    NO_REDIS,
    SMALL,
    Ingress,
    Serve,
    check,
    memory_used,
    named,
    rate_limit_of,
    tenant,
)

TOKEN = "t0ken-of-operations"


def read_metrics(ingress: Ingress) -> dict[str, float]:
    """Return every sample except histogram buckets, by name and labels."""
    response = ingress.get("/metrics", {"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert response.mimetype == "text/plain"
    assert not named(response, "X-RateLimit")
    return {
        " ".join([sample.name.removeprefix("brazebee_ingress_"), *sample.labels.values()]): (
            sample.value
        )
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created"))
    }


def test_without_a_token_in_the_settings_metrics_are_not_served(serve: Serve) -> None:
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        check(serve().get("/metrics", headers), 404, {"error": "Not found"})


@pytest.mark.parametrize(
    "authorization",
    [None, "", TOKEN, "Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", "Bearer é"],
)
def test_a_request_without_the_token_gets_401_and_counts_against_no_limit(
    serve: Serve, authorization: str | None
) -> None:
    ingress = serve(metrics_token=TOKEN, rate_limit="9/hour")
    headers = {} if authorization is None else {"Authorization": authorization}
    response = ingress.get("/metrics", headers)
    assert (response.status_code, response.json) == (401, {"error": "Metrics token required"})
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert not named(response, "X-RateLimit")
    assert rate_limit_of(ingress.track(SMALL))[1] == 8


def test_requests_are_counted_by_endpoint_and_status_with_their_duration(serve: Serve) -> None:
    ingress, acme = serve(metrics_token=TOKEN), tenant()
    for body in (SMALL, SMALL, {}, b"{"):
        ingress.track(body, acme.key)
    ingress.track(SMALL)
    ingress.batch([SMALL, {}], acme.key)
    ingress.get("/nowhere/4711")
    metrics = read_metrics(ingress)
    assert {name: value for name, value in metrics.items() if "requests_total" in name} == {
        "requests_total track 200": 2,
        "requests_total track 400": 2,
        "requests_total track 401": 1,
        "requests_total batch 200": 1,
        "requests_total other 404": 1,
    }
    assert metrics["request_seconds_count track"] == 5
    assert 0 < metrics["request_seconds_sum track"] < 5
    assert read_metrics(ingress)["requests_total other 200"] == 1, (
        "reading the metrics is a request, too"
    )


def test_events_are_counted_by_their_outcome(serve: Serve) -> None:
    ingress, acme = serve(metrics_token=TOKEN), tenant()
    ingress.track(SMALL, acme.key)
    ingress.batch([SMALL, SMALL, {}, 7, {**SMALL, "event_key": "unknown"}], acme.key)
    ingress.track({}, acme.key)
    ingress.track(SMALL, "bzb_unknown")
    metrics = read_metrics(ingress)
    assert (metrics["events_total accepted"], metrics["events_total rejected"]) == (3, 4)


def test_the_state_of_the_queue_is_read_at_each_request(serve: Serve) -> None:
    ingress, acme = serve(metrics_token=TOKEN), tenant()
    assert (read_metrics(ingress)["queue_waiting"], read_metrics(ingress)["shedding"]) == (0, 0)
    ingress.batch([SMALL, SMALL], acme.key)
    assert read_metrics(ingress)["queue_waiting"] == 2
    assert abs(read_metrics(ingress)["clock_ahead_seconds"]) < 1
    other = serve(metrics_token=TOKEN)
    with memory_used(other.queue, 0.87):
        other.track(SMALL, acme.key)
    assert read_metrics(other)["shedding"] == 1


def test_without_redis_the_other_metrics_are_served(serve: Serve) -> None:
    ingress = serve(metrics_token=TOKEN, queue_url=NO_REDIS)
    ingress.get("/livez")
    metrics = read_metrics(ingress)
    assert "queue_waiting" not in metrics
    assert "clock_ahead_seconds" not in metrics
    assert metrics["requests_total other 200"] == 1


# The directory that processes share


def test_the_directories_of_ended_processes_are_removed_and_no_others(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    ended, reused = tmp_path / str(process.pid), tmp_path / str(os.getppid())
    for directory in (ended, reused, tmp_path / "other"):
        directory.mkdir()
        (directory / "counter_1.db").write_bytes(b"x")
    os.utime(reused, (0, 0))
    own = directory_of(tmp_path, os.getpid())
    (own / "counter_1.db").write_bytes(b"x")
    assert directory_of(tmp_path, os.getpid()) == own
    assert list(tmp_path.iterdir()) == [own]
    assert (own / "counter_1.db").exists()


def test_a_link_where_the_directory_would_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = metrics_directory()
    assert stat.S_IMODE(own.parent.stat().st_mode) == 0o700
    root = own.parent.rename(tmp_path / "elsewhere")
    own.parent.symlink_to(root)
    with pytest.raises(PermissionError, match="not a directory of this user"):
        metrics_directory()
