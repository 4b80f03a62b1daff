"""Which dead letters can be done without. Pure."""

from shared.jobs.kinds import Kind

# Without the first two an institution's figures stay wrong for good, without the third a photo that its owner
# dropped stays in the store.
NEEDED = frozenset({Kind.REDEMPTION_COUNTED, Kind.REVERSAL_COUNTED, Kind.PHOTO_DROPPED})


def can_be_put_aside(kind: str) -> bool:
    return kind not in NEEDED
