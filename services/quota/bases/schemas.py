from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field, StringConstraints

_NAME_LENGTH_MAX = 40
# Any script, as clerks call it: 服务人口, beds. No blank and nothing that an address would need to hide.
_NAME = r"^\w[\w()（）-]*$"

BasisName = Annotated[str, StringConstraints(pattern=_NAME, max_length=_NAME_LENGTH_MAX)]
BasisInPath = Annotated[str, Path(pattern=_NAME, max_length=_NAME_LENGTH_MAX)]


class BasisView(BaseModel):
    basis: str = Field(description="`visits` comes with the list of hospitals")
    hospitals: int = Field(description="how many have a figure")
    missing: int
    sum: str = Field(description="decimal text")
    updated_at: str | None


class Bases(BaseModel):
    items: list[BasisView]


class BasisFigure(BaseModel):
    hospital_id: str
    hospital: str
    alliance: str
    value: str | None = Field(description="decimal text; null: none was imported")
