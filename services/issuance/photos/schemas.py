from pydantic import BaseModel, Field


class PhotoKept(BaseModel):
    photo_id: str = Field(description="goes into the evidence of a lead, within a day")
    width: int
    height: int
