"""A campaign over the wire: its definition as it is proposed, and how the public sees it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from services.issuance.campaigns.rules import State, definition_faults
from services.issuance.phases.rules import Every
from shared.http.replies import Body, Moment, StaffBody
from shared.rates import parse_rate, rate_text

# Bounds far beyond any campaign, so that sums of products stay within the database's bigint.
_COUNT_MAX = 1_000_000_000
_FEN_MAX = 1_000_000_000_000_000
_PARTS_MAX = 50
_DAYS_MAX = 3650
_HOURS_MAX = 24 * 366
_ASSUMED_MAX = 200


def _rate(value: object) -> Decimal:
    try:
        return parse_rate(value)
    except ValueError:
        raise PydanticCustomError("rate_invalid", "应为小数或小数文本，最多六位小数") from None


Rate = Annotated[
    Decimal,
    BeforeValidator(_rate),
    PlainSerializer(rate_text, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}], "examples": ["0.2"]}),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Key = Annotated[str, StringConstraints(max_length=64)]
Count = Annotated[int, Field(ge=1, le=_COUNT_MAX)]
Fen = Annotated[int, Field(ge=1, le=_FEN_MAX)]
HoldDays = Annotated[int, Field(ge=0, le=365)]


AssumedPath = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class FundingSource(Body):
    key: Key
    name: Text
    share: Rate


class Channel(Body):
    key: Key
    name: Text
    chances: Annotated[int, Field(ge=1, le=100)]
    per_day: Annotated[int, Field(ge=1, le=10_000)] | None = None
    review: bool = False


class VoucherTypeDefinition(Body):
    """A directed type has a settlement price, a general one a face value.

    `total_cap` bounds how many pieces all phases together may put in. A till undoes a write-off as long as
    it is not settled, unless `reversal` leaves that to staff or nobody, or `reversal_window_hours` ends it.
    """

    key: Key
    kind: Literal["directed", "general"]
    name: Text
    covers: LongText | None = None
    face_value_fen: Fen | None = None
    settlement_price_fen: Fen | None = None
    validity_days: Annotated[int, Field(ge=1, le=_DAYS_MAX)]
    total_cap: Count | None = None
    reports_result_to_health_code: bool = False
    reversal: Literal["terminal", "staff", "never"] = "terminal"
    reversal_window_hours: Annotated[int, Field(ge=1, le=_HOURS_MAX)] | None = None


OfDifficulty = Annotated[int, Field(ge=0, le=100)]
CategoryName = Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True)]


class QuizRule(Body):
    """`blueprint` says how many questions of each difficulty; without it any are drawn.

    A difficulty may have a count for each category instead: `{"1": 4, "2": {"健康素养": 2, "用药安全": 1}}`.
    A question does not come again in a person's next `repeat_after_attempts` attempts while the bank has
    others.
    """

    questions: Annotated[int, Field(ge=1, le=100)]
    pass_score: Annotated[int, Field(ge=0, le=100)]
    attempts_per_day: Annotated[int, Field(ge=1, le=1000)]
    time_limit_seconds: Annotated[int, Field(ge=1, le=86_400)]
    min_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    blueprint: dict[str, OfDifficulty | dict[CategoryName, OfDifficulty]] | None = None
    repeat_after_attempts: Annotated[int, Field(ge=0, le=50)] = 5
    attempt_token: bool = Field(
        default=False, description="a start also answers `attempt_token`, and the answers must bring it along"
    )


class ReleasePlan(Body):
    """So many pieces of a type become claimable at the opening, and as many more at each step from it.

    What is not taken accumulates; types that are not named can be claimed at once.
    """

    every: Every
    amounts: Annotated[dict[str, Count], Field(min_length=1, max_length=_PARTS_MAX)]


class Phase(Body):
    seq: Annotated[int, Field(ge=1, le=_PARTS_MAX)]
    opens_at: Moment
    closes_at: Moment
    odds: Rate
    quiz: QuizRule
    stock: dict[str, Annotated[int, Field(ge=0, le=_COUNT_MAX)]]
    release_plan: ReleasePlan | None = None


class PersonLimits(Body):
    """What one person may have, whatever the number of accounts; the optional ones bind when they are given.

    `vouchers_per_type` counts the vouchers of one type in all phases of the campaign together.
    """

    vouchers_per_phase: Count
    draws_per_day: Annotated[int, Field(ge=1, le=10_000)]
    draws_per_phase: Count | None = None
    vouchers_per_type: Count | None = None


class HoldWhen(Body):
    """A win is held for staff to look at when one of these is true; what is left out is not looked at.

    Thousands of honest phones share the address of a carrier: a limit for addresses below some thousands
    holds up wins of people who did nothing.
    """

    persons_per_device: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, description="more persons than this took part from a device of the winner"
    )
    persons_per_address_per_day: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="more persons than this took part from the winner's address on that day"
    )
    seconds_per_question_below: Annotated[int, Field(ge=1, le=600)] | None = Field(
        default=None, description="the attempt that earned the chance took less than this for each question"
    )
    wins_per_device: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, description="persons who took part from a device of the winner won more than this"
    )


class Risk(Body):
    """`note_claims`: redemption may look at who claimed from one device or address, as keyed hashes only."""

    hold_when: HoldWhen | None = None
    note_claims: bool = False


class OfflineLimits(Body):
    """What one terminal may upload of one day of use, of write-offs that stand; the rest is refused."""

    count_per_day: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    fen_per_day: Fen | None = None


class Definition(StaffBody):
    """A campaign as it is proposed. Faults of form and of sense are answered together.

    `assumed` lists what is an assumption of a demonstration, by path: entries of a list are named by their
    key or number ("phases.2.odds", "voucher_types.checkup.settlement_price_fen").
    """

    slug: Annotated[str, StringConstraints(max_length=64)]
    title: Text
    slogan: Text | None = None
    timezone: Annotated[str, StringConstraints(max_length=64)]
    budget_fen: Fen
    funding_sources: Annotated[list[FundingSource], Field(min_length=1, max_length=_PARTS_MAX)]
    channels: Annotated[list[Channel], Field(min_length=1, max_length=_PARTS_MAX)]
    voucher_types: Annotated[list[VoucherTypeDefinition], Field(min_length=1, max_length=_PARTS_MAX)]
    phases: Annotated[list[Phase], Field(min_length=1, max_length=_PARTS_MAX)]
    per_person_limits: PersonLimits
    award_valid_days: Annotated[int, Field(ge=1, le=_DAYS_MAX)]
    risk: Risk | None = None
    manual_write_off: bool = Field(
        default=False, description="tills may write off by id number, for people without a phone"
    )
    offline_limits: OfflineLimits | None = None
    institution_approval: bool = Field(
        default=False, description="an institution accepts a type only after two people let it"
    )
    settlement_hold_days: HoldDays | None = Field(
        default=None,
        description="write-offs that reached us fewer days ago wait for the next settlement; 0: none does, "
        "null: as the platform is set",
    )
    retention_days: Annotated[int, Field(ge=0, le=_DAYS_MAX)] | None = None
    assumed: Annotated[list[AssumedPath], Field(max_length=_ASSUMED_MAX)] | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _name_every_fault(cls, value: Any, handler: ModelWrapValidatorHandler["Definition"]) -> "Definition":  # noqa: ANN401 - whatever was sent
        faults: list[InitErrorDetails] = []
        definition: Definition | None = None
        try:
            definition = handler(value)
        except ValidationError as error:
            faults.extend(_repeated(fault) for fault in error.errors(include_url=False))
        if isinstance(value, Mapping):
            faults.extend(
                InitErrorDetails(
                    type=PydanticCustomError(fault.code, "{sentence}", {"sentence": fault.message}),
                    loc=fault.loc,
                    input=None,
                )
                for fault in definition_faults(value)
            )
        if definition is None or faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return definition


def _repeated(fault: Any) -> InitErrorDetails:  # noqa: ANN401 - pydantic's own error details
    """A fault that pydantic found, as it was."""
    kind = PydanticCustomError(fault["type"], "{sentence}", {"sentence": fault["msg"]})
    return InitErrorDetails(type=kind, loc=fault["loc"], input=None)


class StatusChange(StaffBody):
    reason: Reason


class ChangeProposed(Body):
    change_id: str
    status: Literal["pending"]


class CampaignStatus(Body):
    slug: str
    status: Literal["published", "paused", "ended"]


class ChannelView(Body):
    key: str
    name: str
    chances: int
    per_day: int | None
    review: bool


class VoucherTypeView(Body):
    key: str
    kind: Literal["directed", "general"]
    name: str
    covers: str | None
    face_value_fen: int | None
    settlement_price_fen: int | None
    validity_days: int
    total_cap: int | None = Field(description="pieces that all phases together may put in")


class QuizRuleView(Body):
    questions: int
    pass_score: int
    attempts_per_day: int
    time_limit_seconds: int


class PhaseView(Body):
    seq: int
    opens_at: str
    closes_at: str
    state: State
    odds: str
    quiz: QuizRuleView
    stock_remaining: dict[str, int]
    stock_claimable: dict[str, int] = Field(description="of it, what can be claimed now")
    release_plan: ReleasePlan | None
    next_release_at: str | None = Field(description="when more becomes claimable of a type that is not now")
    seed_commitment: str


class CampaignView(Body):
    """What everybody may see of a campaign; `odds` and `quiz` are those in force now."""

    slug: str
    title: str
    slogan: str | None
    status: Literal["published", "paused", "ended"]
    timezone: str
    per_person_limits: PersonLimits
    award_valid_days: int
    channels: list[ChannelView]
    voucher_types: list[VoucherTypeView]
    phases: list[PhaseView]
    assumed: list[str] = Field(description="paths of values that are assumptions of a demonstration")
