from pydantic import BaseModel, Field


class HospitalLevel(BaseModel):
    hospital_id: str
    hospital: str
    alliance: str
    level: str = Field(description="empty: none is known")


class HospitalLevels(BaseModel):
    items: list[HospitalLevel]
