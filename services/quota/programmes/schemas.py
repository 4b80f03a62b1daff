"""A programme over the wire: its definition as it is sent, and its hospitals."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
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

from services.quota.programmes.rules import (
    CARDS_MAX,
    RESIDENTS_MAX,
    definition_faults,
    exact_target,
    is_landing_url,
    is_timezone,
    whole_target,
)
from shared.http.replies import Body, Day, StaffBody
from shared.rates import parse_rate, rate_text

LANDING_URL_DEFAULT = "/app"


def _share(value: object) -> Decimal:
    try:
        share = parse_rate(value)
    except ValueError:
        raise PydanticCustomError("rate_invalid", "应为小数或小数文本，最多六位小数") from None
    if not 0 < share <= 1:
        raise PydanticCustomError("rate_range", "应大于 0 且不超过 1")
    return share


def _timezone(name: str) -> str:
    if not is_timezone(name):
        raise PydanticCustomError("timezone_unknown", "不是已知的时区名称，例如 Asia/Shanghai")
    return name


def _landing_url(url: str) -> str:
    if not is_landing_url(url):
        raise PydanticCustomError("landing_url_invalid", "应为以 / 开头的路径，或 http(s) 地址")
    return url


Share = Annotated[
    Decimal,
    BeforeValidator(_share),
    PlainSerializer(rate_text, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}], "examples": ["0.15"]}),
]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=64)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
# Longer ones cannot be read from a poster in passing.
Slogan = Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Timezone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_timezone)]
LandingUrl = Annotated[str, StringConstraints(max_length=500), AfterValidator(_landing_url)]
Cards = Annotated[int, Field(ge=1, le=CARDS_MAX)]
CardsOrNone = Annotated[int, Field(ge=0, le=CARDS_MAX)]


class IssuedBefore(Body):
    as_of: Day
    cards: CardsOrNone


class RankingRule(Body):
    """How the notice is made up, as its text says it; the ranking itself follows the platform's rule."""

    every: Literal["month"]
    flag: Text


class ProgrammeDefinition(StaffBody):
    """A programme as it is sent. Faults of form and of sense are answered together."""

    slug: Slug
    title: Text
    timezone: Timezone = "Asia/Shanghai"
    target_cards: Cards | None = Field(
        default=None, description="may be left out with `residents` and `target_share_of_residents`"
    )
    target_share_of_residents: Share | None = None
    residents: Annotated[int, Field(ge=1, le=RESIDENTS_MAX)] | None = None
    target_as_decided: bool = Field(
        default=False, description="`target_cards` holds although it is not the share of the residents"
    )
    issued_before: IssuedBefore | None = None
    remaining_exact: CardsOrNone | None = None
    allocation_total: Cards | None = None
    basis: Text | None = None
    rounding_in_notice: Text | None = None
    counting: Text | None = None
    ranking: RankingRule | None = None
    landing_url: LandingUrl = Field(
        default=LANDING_URL_DEFAULT,
        description="where a scan leads; {scene} in it stands for the scanned code",
    )
    ends_on: Day | None = None
    slogan: Slogan | None = Field(default=None, description="what the posters say below the code")

    @property
    def target(self) -> int:
        """What was sent, or the share of the residents; that one of them is there was judged before."""
        if self.target_cards is not None:
            return self.target_cards
        return whole_target(exact_target(self.residents or 0, self.target_share_of_residents or Decimal(0)))

    @model_validator(mode="wrap")
    @classmethod
    def _name_every_fault(
        cls,
        value: Any,  # noqa: ANN401 - whatever was sent
        handler: ModelWrapValidatorHandler["ProgrammeDefinition"],
    ) -> "ProgrammeDefinition":
        faults: list[InitErrorDetails] = []
        definition: ProgrammeDefinition | None = None
        try:
            definition = handler(value)
        except ValidationError as error:
            faults.extend(
                _detail(fault["type"], fault["msg"], fault["loc"])
                for fault in error.errors(include_url=False)
            )
        if isinstance(value, Mapping):
            faults.extend(_detail(fault.code, fault.message, fault.loc) for fault in definition_faults(value))
        if definition is None or faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return definition


def _detail(code: str, message: str, loc: tuple[str | int, ...]) -> InitErrorDetails:
    kind = PydanticCustomError(code, "{sentence}", {"sentence": message})
    return InitErrorDetails(type=kind, loc=loc, input=None)


class ProgrammeEnd(StaffBody):
    """Another last day. What is counted by the calendar goes by it from its approval on."""

    ends_on: Day | None = Field(description="null: no end is decided")
    reason: Reason


class ChangeProposed(BaseModel):
    change_id: str
    status: Literal["pending"]


class IssuedBeforeView(BaseModel):
    as_of: str | None
    cards: int


class ProgrammeView(BaseModel):
    slug: str
    title: str
    timezone: str
    target_cards: int
    residents: int | None
    target_share_of_residents: str | None
    target_exact: str | None = Field(description="residents × share; decimal text, null when not known")
    target_difference: str | None = Field(description="target_cards − target_exact; decimal text")
    target_as_decided: bool
    issued_before: IssuedBeforeView
    remaining_exact: int
    allocation_total: int | None = Field(description="what is distributed, as decided")
    allocation_difference: int | None = Field(description="allocation_total − remaining_exact")
    landing_url: str
    ends_on: str | None
    slogan: str | None
    frozen_through: str | None
    created_at: str
