from pydantic import BaseModel, Field

from services.quota.templates.rules import TemplateKind


class TemplateView(BaseModel):
    kind: TemplateKind
    version: int = Field(description="0: nobody ever gave one")
    default: bool = Field(description="the platform's own template is in use")
    sha256: str | None = Field(description="of the file that the bureau gave")
    fields: list[str] = Field(description="placeholders, written {{ field }}")
    lists: dict[str, list[str]] = Field(description="lists and the fields of their rows")


class TemplateVersion(BaseModel):
    version: int
    default: bool = Field(description="the platform's own template")
    sha256: str | None
    put_by: str = Field(description="username")
    put_at: str


class TemplateVersions(BaseModel):
    items: list[TemplateVersion] = Field(description="newest first; the first one is in use")
