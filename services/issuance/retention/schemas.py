from pydantic import BaseModel, Field


class CampaignTerm(BaseModel):
    campaign: str
    ends_at: str = Field(description="last phase closed, last award claimed, last voucher out of date")
    retention_days: int | None = Field(description="null: nothing is forgotten by time alone")
    keep_until: str | None
    persons: int = Field(description="who took part")
    forgotten: int = Field(description="of them")


class RetentionReport(BaseModel):
    """What the clock would do now; nothing is changed by asking."""

    as_of: str
    default_days: int | None = Field(description="HV_RETENTION_DAYS")
    campaigns: list[CampaignTerm]
    due: int = Field(description="persons whose data the next run forgets")
    erased_due: int = Field(description="of them: erased before, of whom a keyed hash is left")
    erased_waiting: int = Field(description="erased, and their keyed hash kept until their campaigns end")
