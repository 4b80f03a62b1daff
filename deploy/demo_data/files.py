"""The shipped definitions and example content, read from the package."""

import csv
from importlib.resources import files
from typing import Any

import yaml

_ROOT = files("deploy.demo_data")


def load_yaml(name: str) -> Any:  # noqa: ANN401 - YAML
    """For example `honghe-2020/campaign.yaml`."""
    return yaml.safe_load((_ROOT / name).read_text(encoding="utf-8"))


def load_bytes(name: str) -> bytes:
    return (_ROOT / name).read_bytes()


def load_rows(name: str) -> list[dict[str, str]]:
    """A CSV file with a header, as one dictionary for each row."""
    return list(csv.DictReader((_ROOT / name).read_text(encoding="utf-8").splitlines()))
