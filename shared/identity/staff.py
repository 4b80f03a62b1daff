"""Who a staff member is, and what a role may do."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

# Keeps the keyed hashes of session tokens apart from those of other values.
SESSION_DOMAIN = "staff-session"


class Role(StrEnum):
    ADMIN = "admin"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    INSTITUTION = "institution"
    HOSPITAL = "hospital"


# Who may read what the bureau reads; auditors read all and write nothing.
READERS = (Role.ADMIN, Role.OPERATOR, Role.AUDITOR)
# Who may propose and approve, and run the programmes.
WRITERS = (Role.ADMIN, Role.OPERATOR)


@dataclass(frozen=True, slots=True)
class Staff:
    """`institution_id` and `hospital_id` are set for the roles that see only their own rows."""

    id: UUID
    username: str
    roles: frozenset[Role]
    institution_id: str | None = None
    hospital_id: str | None = None

    @property
    def actor(self) -> str:
        return f"staff:{self.id}"

    def has(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)
