"""Imports every feature's tables, so that one metadata knows them all (drift test, autogenerate)."""

import importlib
from pathlib import Path

from sqlalchemy import MetaData

from shared.db.base import Base

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ("core", "issuance", "redemption", "quota")


def load_metadata() -> MetaData:
    for pattern in ("shared/*/tables.py", "services/*/*/tables.py"):
        for path in sorted(ROOT.glob(pattern)):
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return Base.metadata
