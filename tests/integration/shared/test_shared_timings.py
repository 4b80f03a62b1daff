"""Whichever process is asked tells the timings of all of them, of workers too, and of those that ended."""

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_WORK = """
from shared.metrics.http import HttpTimings, observe_job
HttpTimings().observe(service="quota", route="/quota/x", method="GET", status=200, seconds=0.5)
observe_job(job="quota.x", outcome="done", seconds=0.5)
"""
_TELL = """
from prometheus_client import CollectorRegistry
from shared.metrics.http import TimingsOf
told = CollectorRegistry()
told.register(TimingsOf("quota"))
http = {"service": "quota", "route": "/quota/x", "method": "GET", "status": "200"}
print(told.get_sample_value("hv_http_request_duration_seconds_count", http))
print(told.get_sample_value("hv_job_duration_seconds_count", {"job": "quota.x", "outcome": "done"}))
"""


def run(script: str, folder: Path) -> list[str]:
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", script],
        cwd=_ROOT,
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder), "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_timings_of_processes_that_share_a_folder_add_up(tmp_path: Path) -> None:
    run(_WORK, tmp_path)
    run(_WORK, tmp_path)
    assert run(_TELL, tmp_path) == ["2.0", "2.0"]
