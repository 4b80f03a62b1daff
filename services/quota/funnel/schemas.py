from pydantic import BaseModel, Field


class FunnelSteps(BaseModel):
    scans: int = Field(description="of the codes, on our own address")
    scan_repeats: int = Field(description="of the scans, a device's second and later of the day")
    scan_bots: int = Field(description="of the scans, machines that say so")
    landed: int = Field(description="events of the card platform; 0 where it sends none")
    applied: int = Field(description="events of the card platform; 0 where it sends none")
    issued: int = Field(description="net of cancellations")
    used: int
    effective: int = Field(description="issued without cards of confirmed cases of stuffing that nobody used")


class FunnelItem(FunnelSteps):
    hospital_id: str | None = Field(description="null by day; empty: nobody's code")
    hospital: str | None
    scene: str | None = Field(description="by code; empty: assigned without one")
    date: str | None = Field(description="by day: of the step itself")


class Funnel(BaseModel):
    """A card counts on the day of its issue, a use on the day of the use."""

    as_of: str
    programme: str
    total: FunnelSteps
    items: list[FunnelItem]
