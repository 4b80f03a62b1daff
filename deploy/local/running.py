"""The settings of a stack that runs in a data folder, for commands that work beside it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from deploy.local.accounts import write_private
from deploy.local.errors import LaunchError
from shared.settings import Settings, load_settings

_FILE = "settings.json"


def keep_settings(home: Path, settings: Mapping[str, str]) -> None:
    """Written when the stack is ready (0600: it holds the keys), removed when it stops."""
    write_private(home / _FILE, json.dumps(dict(settings), indent=2) + "\n", None)


def forget_settings(home: Path) -> None:
    (home / _FILE).unlink(missing_ok=True)


def settings_of(home: Path) -> Settings:
    """The environment's settings when it names a database, else those of the stack that runs there.

    Raises:
        LaunchError: nothing runs there, and the environment names no database.
    """
    if os.environ.get("HV_DATABASE_URL"):
        return load_settings()
    try:
        kept = json.loads((home / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LaunchError(
            f"nothing runs in {home}: start it with `hv up`, name its folder with --data-dir, or set"
            " HV_DATABASE_URL and the keys"
        ) from None
    except OSError as error:
        raise LaunchError(f"cannot read {home / _FILE}: {error.strerror}") from None
    return Settings.model_validate({name.removeprefix("HV_").lower(): value for name, value in kept.items()})
