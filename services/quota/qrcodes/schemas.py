from pydantic import BaseModel

from services.quota.programmes.schemas import Reason
from shared.http.replies import StaffBody


class CodeReplacement(StaffBody):
    reason: Reason


class CodeReplaced(BaseModel):
    hospital_id: str
    scene: str
    replaced_scene: str


class CodeView(BaseModel):
    scene: str
    url: str
    created_at: str
    replaced_at: str | None
    replaced_reason: str | None


class HospitalCodes(BaseModel):
    hospital_id: str
    hospital: str
    items: list[CodeView]
