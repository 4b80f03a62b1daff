"""The SQL functions of the hot operations, installed anew at the end of every upgrade.

Their source stands once, beside the store that calls them (`functions.sql`); each is CREATE OR
REPLACE and its signature is a contract: an incompatible change gets a new name, so that the old code
keeps running on the next schema. Order: shared before services (services call shared ones).
"""

from migrations.metadata import ROOT

# Aggregates and helpers first: the functions after them are checked when they are created.
_FIRST = ("shared/metrics/functions.sql", "shared/ledger/functions.sql")


def function_sources() -> list[str]:
    found = [
        path.relative_to(ROOT).as_posix()
        for pattern in ("shared/*/functions.sql", "services/*/*/functions.sql")
        for path in sorted(ROOT.glob(pattern))
    ]
    ordered = [*_FIRST, *(path for path in found if path not in _FIRST)]
    return [(ROOT / path).read_text(encoding="utf-8") for path in ordered]
