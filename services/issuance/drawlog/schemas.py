import msgspec
from pydantic import BaseModel, ConfigDict, Field


class OddsVersionView(BaseModel):
    model_config = ConfigDict(validate_by_name=True)

    odds: str
    begins_at: str = Field(alias="from")


class LogRoot(BaseModel):
    """The chain of the draw log as it stood at a full hour, or at the close of the phase."""

    at: str = Field(description="covers the draws before this moment")
    root: str = Field(description="64 hex digits")
    draws: int = Field(description="lines of the log that it covers, from the first draw on")
    sealed_at: str


class PhaseAudit(BaseModel):
    seq: int
    seed_commitment: str
    odds_versions: list[OddsVersionView]
    draws: int
    log_roots: list[LogRoot]
    seed: str | None = Field(description="hex; after the phase closed")
    log_url: str | None = Field(description="JSON lines; after the phase closed")


class DrawAudit(BaseModel):
    phases: list[PhaseAudit]


class LogHead(msgspec.Struct, frozen=True, gc=False):
    """First line of the public log."""

    slug: str
    seq: int
    seed_commitment: str
    seed: str
