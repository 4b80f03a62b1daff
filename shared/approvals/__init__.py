"""Four eyes: what moves money, odds, stock or quotas is proposed by one and approved by another.

A service registers its kinds; the change's row is locked while it is decided, and what it does happens
in the same transaction. A change that no longer fits stays pending and says why.
"""

from shared.approvals.operations import Applier, Approvals, propose
from shared.approvals.store import Change, Listed

__all__ = ["Applier", "Approvals", "Change", "Listed", "propose"]
