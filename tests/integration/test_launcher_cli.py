"""The command line itself: what it says and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.checks import Fault, run_checks
from deploy.local.listeners import listen
from tests.support.launched import ROOT, launched

# Plain `unshare` needs no privilege where the kernel allows user namespaces.
AS_NORMAL_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


def hv(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    without = {name: value for name, value in os.environ.items() if not name.startswith("HV_")}
    return subprocess.run(  # noqa: S603 – ourselves
        [sys.executable, "-m", "deploy.cli", *arguments],
        cwd=ROOT,
        env={**without, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_doctor_tells_a_healthy_machine(tmp_path: Path) -> None:
    ended = hv("doctor", "--json", "--port", "0", "--data-dir", str(tmp_path / "new"))
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["ok"]) == (0, True)
    assert {check["name"] for check in told["checks"]} >= {
        "python",
        "postgres",
        "redis",
        "port",
        "disk",
        "clock",
    }
    assert not (tmp_path / "new").exists()


def test_doctor_ends_each_failing_line_with_a_command(tmp_path: Path) -> None:
    with listen(0)[0] as listener:
        port = listener.getsockname()[1]
        (tmp_path / "file").touch()
        folder = str(tmp_path / "file" / "data")
        ended = hv(
            *("doctor", "--port", str(port), "--data-dir", folder),
            environment={"HV_DATABASE_URL": "postgresql://hv@127.0.0.1:1/hv"},
        )
    assert ended.returncode == 1
    failing = [line for line in ended.stdout.splitlines() if line.startswith("FAIL")]
    assert [line.split(":")[0] for line in failing] == [
        "FAIL  postgres",
        "FAIL  port",
        "FAIL  data directory",
    ]
    assert failing[1].endswith(f"– run: hv up --port {port + 1}")
    assert all(" – run: " in line for line in failing)


def test_every_fault_has_a_fix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    for check in run_checks(tmp_path, 0):
        assert check.ok or check.fix, check
    assert Fault("detail", "fix").fix == "fix"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["migrate"], "hv: HV_DATABASE_URL is not set: set it to the database that is to be migrated\n"),
        (["serve", "quota"], "hv: set these environment variables and start again: HV_DATABASE_URL"),
        (["worker", "quota"], "hv: set these environment variables and start again: HV_DATABASE_URL"),
    ],
)
def test_missing_settings_are_said_in_one_sentence(arguments: list[str], said: str) -> None:
    ended = hv(*arguments)
    assert ended.returncode == 1
    assert ended.stderr.startswith(said)
    assert ended.stderr.count("\n") == 1


def _namespaces_allowed() -> bool:
    try:
        return subprocess.run([*AS_NORMAL_USER, "true"], check=False, capture_output=True).returncode == 0  # noqa: S603
    except FileNotFoundError:
        return False


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test ran as a normal user already")
def test_a_normal_user_needs_no_privilege(tmp_path: Path) -> None:
    if not _namespaces_allowed():
        pytest.skip("this machine allows no user namespaces")
    with launched(tmp_path / "data", prefix=AS_NORMAL_USER) as stack:
        assert stack.get("/console/readyz").status_code == 200
        assert (tmp_path / "data" / "postgres").stat().st_uid == os.getuid()
