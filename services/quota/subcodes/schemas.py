from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.quota.programmes.schemas import Reason
from services.quota.subcodes.rules import LABEL_LENGTH_MAX, Kind, is_personal
from shared.http.replies import StaffBody


def _label(label: str) -> str:
    if is_personal(label):
        raise PydanticCustomError("label_personal", "名称中不得含手机号码或证件号码")
    return label


Label = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LABEL_LENGTH_MAX, strip_whitespace=True),
    AfterValidator(_label),
]


class NewSubCode(StaffBody):
    kind: Kind
    label: Label = Field(description="as posters and tables show it; for staff the work number")


class SubCodeMade(BaseModel):
    sub_code_id: str
    hospital_id: str
    kind: Kind
    label: str
    scene: str


class Retirement(StaffBody):
    reason: Reason


class SubCodeRetired(BaseModel):
    sub_code_id: str
    scene: str
    retired_at: str


class CountsView(BaseModel):
    scans: int
    issued: int
    used: int


class SubCodeItem(CountsView):
    sub_code_id: str
    kind: Kind
    label: str
    scene: str | None = Field(description="the code in use; null: retired")
    url: str | None
    replaced: list[str] = Field(description="codes out of use, which go on counting")
    created_at: str
    retired_at: str | None
    retired_reason: str | None


class SubCodeTable(BaseModel):
    """`own` (all codes of the hospital itself), `uncoded` and the items add up to `total`."""

    hospital_id: str
    hospital: str
    items: list[SubCodeItem]
    own: CountsView
    uncoded: CountsView = Field(description="assigned by a change, or counted before codes were")
    total: CountsView
