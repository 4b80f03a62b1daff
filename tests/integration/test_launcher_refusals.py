"""Expected trouble: one sentence, exit code 1, no traceback."""

import os
import shutil
from pathlib import Path

import pytest

from deploy.local.errors import LaunchError
from deploy.local.folders import NEEDED_BYTES, prepare_home
from deploy.local.postgres import data_major, locate_postgres
from tests.support.launched import refusal, run_to_end
from tests.support.servers import Servers

STUB = "tests.support.stub"


def made_by(home: Path, version: str) -> Path:
    data = home / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text(f"{version}\n")
    if os.geteuid() == 0:
        shutil.chown(data, "nobody")
    return home


def test_data_of_a_newer_version(tmp_path: Path) -> None:
    said = refusal(run_to_end(made_by(tmp_path, "99")))
    assert said.startswith("the data is of Postgres 99, but this machine has ")
    assert said.endswith("install Postgres 99 or use another --data-dir")


def test_something_else_in_the_place_of_the_data(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(LaunchError, match="is not a Postgres data directory"):
        data_major(tmp_path / "postgres")


def test_the_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = refusal(run_to_end(tmp_path / "file"))
    assert said == f"cannot use the data directory {tmp_path / 'file'}: File exists"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_the_folder_is_not_ours(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    said = refusal(run_to_end(tmp_path))
    assert said.startswith(f"cannot write to the data directory {tmp_path}")


def test_a_full_disk_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=NEEDED_BYTES - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(LaunchError, match=r"the disk of .* is full \(299 MB free, 300 MB needed\)"):
        prepare_home(tmp_path)


def test_a_disk_that_fills_up_later(tmp_path: Path) -> None:
    prepare_home(tmp_path)
    postgres = locate_postgres(tmp_path, password="irrelevant")
    shutil.rmtree(postgres.sockets)
    postgres.log.parent.mkdir()
    postgres.log.write_text("FATAL:  could not write file: No space left on device\n")
    assert postgres.explain(0) == f"the disk of {tmp_path} is full: free some space or use another --data-dir"


def test_a_given_database_that_is_away(tmp_path: Path) -> None:
    said = refusal(run_to_end(tmp_path, environment={"HV_DATABASE_URL": "postgresql://hv@127.0.0.1:1/hv"}))
    assert said.startswith("the database of HV_DATABASE_URL does not answer: ")


def test_a_given_redis_that_is_away(tmp_path: Path, servers: Servers) -> None:
    given = {"HV_DATABASE_URL": servers.postgres_admin_url, "HV_REDIS_URL": "redis://127.0.0.1:1"}
    said = refusal(run_to_end(tmp_path, environment=given))
    assert said.startswith("the server of HV_REDIS_URL does not answer: ")


def test_programs_that_cannot_start(tmp_path: Path, servers: Servers) -> None:
    given = {
        "HV_DATABASE_URL": servers.create_database("launcher_refusals"),
        "HV_REDIS_URL": servers.redis_url,
    }
    try:
        said = refusal(
            run_to_end(tmp_path, program={"upgrade": f"{STUB}_stack:refuse_upgrade"}, environment=given)
        )
        assert said.startswith("the migration failed: RuntimeError: revision 9999 is unknown (see ")
        said = refusal(
            run_to_end(tmp_path, program={"app": f"{STUB}_programs:create_nothing"}, environment=given)
        )
        assert said.startswith("http-1 did not start: set these environment variables and start again: ")
    finally:
        servers.drop_database("launcher_refusals")
