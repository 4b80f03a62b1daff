"""Secrets are made once, kept closed, and never replace what somebody gave."""

import base64
import json
import stat
from pathlib import Path

import pytest

from deploy.local.errors import LaunchError
from deploy.local.secrets import SERVERS, SETTINGS, load_secrets


def test_made_once_and_closed(tmp_path: Path) -> None:
    first = load_secrets(tmp_path, given={})
    assert set(first) == {*SETTINGS, *SERVERS}
    assert load_secrets(tmp_path, given={}) == first
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert len(base64.b64decode(first["HV_INDEX_KEY"])) == 32
    name, _, key = first["HV_DATA_KEYS"].partition(":")
    assert (name, len(base64.b64decode(key))) == ("k1", 32)
    assert len(set(first.values())) == len(first)


def test_what_is_given_wins_and_is_not_written_down(tmp_path: Path) -> None:
    given = {"HV_ADMIN_PASSWORD": "from-the-vault", "HV_TOKEN_KEY": ""}
    told = load_secrets(tmp_path, given=given)
    assert told["HV_ADMIN_PASSWORD"] == "from-the-vault"
    assert told["HV_TOKEN_KEY"]
    assert "from-the-vault" not in (tmp_path / "secrets.json").read_text()


def test_the_demo_may_choose_what_is_missing_but_not_change_what_is_kept(tmp_path: Path) -> None:
    known = {"HV_ADMIN_PASSWORD": "known"}
    assert load_secrets(tmp_path / ".", given={}, defaults=known)["HV_ADMIN_PASSWORD"] == "known"
    assert (
        load_secrets(tmp_path, given={}, defaults={"HV_ADMIN_PASSWORD": "x"})["HV_ADMIN_PASSWORD"] == "known"
    )


def test_a_new_kind_of_secret_is_added_to_an_old_file(tmp_path: Path) -> None:
    first = load_secrets(tmp_path, given={})
    kept = {name: value for name, value in first.items() if name != "HV_METRICS_TOKEN"}
    (tmp_path / "secrets.json").write_text(json.dumps(kept))
    second = load_secrets(tmp_path, given={})
    assert second["HV_METRICS_TOKEN"]
    assert {name: second[name] for name in kept} == kept


@pytest.mark.parametrize("content", ["{", "[]", '"text"'])
def test_a_damaged_file_is_not_replaced(tmp_path: Path, content: str) -> None:
    """New keys could not read what the old ones encrypted."""
    (tmp_path / "secrets.json").write_text(content)
    with pytest.raises(LaunchError, match="is damaged: put back a copy of it"):
        load_secrets(tmp_path, given={})
    assert (tmp_path / "secrets.json").read_text() == content
