"""Secrets of one data folder: made once, kept in `secrets.json` (0600). The environment wins."""

import base64
import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local.accounts import write_private
from deploy.local.errors import LaunchError

KEY_BYTES = 32


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _password() -> str:
    return secrets.token_urlsafe(18)


# Settings of the services.
SETTINGS: Mapping[str, Callable[[], str]] = {
    "HV_DATA_KEYS": lambda: f"k1:{_key()}",
    "HV_INDEX_KEY": _key,
    "HV_TOKEN_KEY": _key,
    "HV_METRICS_TOKEN": _password,
    "HV_ADMIN_USERNAME": lambda: "admin",
    "HV_ADMIN_PASSWORD": _password,
}
# Of the launcher alone: the services get them as part of their URLs.
SERVERS: Mapping[str, Callable[[], str]] = {
    "postgres_admin_password": _password,
    "postgres_password": _password,
    "redis_password": _password,
}


def load_secrets(
    home: Path, *, given: Mapping[str, str] = os.environ, defaults: Mapping[str, str] | None = None
) -> dict[str, str]:
    """All secrets: given ones first, then kept ones, then `defaults`, then new ones, which are kept.

    A given one is not written down: whoever sets it keeps it elsewhere.
    """
    path = home / "secrets.json"
    kept = _read(path)
    missing = [name for name in (*SETTINGS, *SERVERS) if name not in kept and not given.get(name)]
    if missing:
        makers = {**SETTINGS, **SERVERS}
        kept |= {name: (defaults or {}).get(name) or makers[name]() for name in missing}
        write_private(path, json.dumps(kept, indent=2) + "\n", None)
    return kept | {name: given[name] for name in SETTINGS if given.get(name)}


def _read(path: Path) -> dict[str, str]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LaunchError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        kept = None
    if not isinstance(kept, dict):
        raise LaunchError(f"{path} is damaged: put back a copy of it; without its keys the data is lost")
    return {str(name): str(value) for name, value in kept.items()}
