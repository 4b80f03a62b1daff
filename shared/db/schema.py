"""Which schema this version of the code needs: the head of the one Alembic history."""

import functools
from importlib.util import find_spec

from alembic.script import ScriptDirectory

from shared.errors import invariant


@functools.cache
def head_revision() -> str:
    spec = find_spec("migrations")
    invariant(spec is not None and spec.submodule_search_locations, "the migrations are not installed")
    assert spec is not None  # noqa: S101 - narrows the type; the invariant above already refused
    assert spec.submodule_search_locations is not None  # noqa: S101 - the same
    head = ScriptDirectory(next(iter(spec.submodule_search_locations))).get_current_head()
    invariant(head is not None, "the migrations have no head")
    return str(head)
