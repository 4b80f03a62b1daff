"""Official documents that a bureau shapes itself: a template of its own, and the words beside the figures.

Both are kept in versions, per campaign or programme and sort of document. The services say which sorts there
are and what their templates may name; what fills them is theirs.
"""

from shared.paperwork.operations import Home, Papers
from shared.paperwork.rules import Sort
from shared.paperwork.store import Kept, Shelf

__all__ = ["Home", "Kept", "Papers", "Shelf", "Sort"]
