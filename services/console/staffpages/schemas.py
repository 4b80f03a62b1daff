"""Forms about staff, and what they become in the calls."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import segno
from fastapi import Form
from markupsafe import Markup

_TEXT_LENGTH_MAX = 500
_ROLES_MAX = 10

Text = Annotated[str, Form(max_length=_TEXT_LENGTH_MAX)]
Roles = Annotated[Sequence[Text], Form(max_length=_ROLES_MAX)]


@dataclass(frozen=True, slots=True)
class Bound:
    """Roles, and whose rows they see, as typed."""

    roles: Sequence[str]
    institution_id: str
    hospital_id: str

    def body(self) -> dict[str, object]:
        return {
            "roles": list(self.roles),
            "institution_id": self.institution_id.strip() or None,
            "hospital_id": self.hospital_id.strip() or None,
        }


def bound(roles: Roles = (), institution_id: Text = "", hospital_id: Text = "") -> Bound:
    return Bound(roles, institution_id, hospital_id)


def code_drawing(address: str) -> Markup:
    """Within the page: a secret has no address of its own that a log could keep. As wide as the page says."""
    buffer = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        buffer, kind="svg", border=4, light="white", xmldecl=False, svgns=False, omitsize=True
    )
    # Drawn here, of nothing that somebody typed: the name in the address is within the modules.
    return Markup(buffer.getvalue().decode())  # noqa: S704 - segno's own drawing
