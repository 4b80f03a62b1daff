"""Every refusal that a citizen can get, where the page gets it, and what the page has to show then.

The rules of the services are proven by the services' own tests, each refusal at its own operation. What is
shown here is the page: so most of the documents are brought by the wire (`Wire`) as the service writes them,
by the service's own class and its own renderer, in place of the answer to the call that can be refused that
way. Whoever wanted each from the running service would need a full event, a paused campaign, an empty stock
and forty other states, one after another, to see the same bytes arrive. Those that are cheap are real: their
`refusal` says what is expected, and the wire leaves the call alone.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Route
from starlette.datastructures import Headers

from services.issuance.accounts.errors import IdentityAlreadyBound, IdentityInUse
from services.issuance.activities.errors import LimitReached as DayIsFull
from services.issuance.consents.errors import ConsentNotGiven, ConsentVersionUnknown
from services.issuance.drawlog.errors import DrawLogNotPublished
from services.issuance.events.errors import (
    AlreadyCheckedIn,
    CheckInCodeExpired,
    CheckInCodeUnknown,
    EventFull,
    EventNotOpen,
)
from services.issuance.exclusions.errors import ParticipationExcluded
from services.issuance.holds.errors import AwardOnHold, AwardWithdrawn
from services.issuance.lottery.errors import AwardsExhausted, IdentityRequired, LimitReached, NoChance
from services.issuance.phones.errors import PhoneCodeInvalid
from services.issuance.photos.errors import TooManyPhotos
from services.issuance.preferences.errors import SmsNotOffered
from services.issuance.quiz.errors import (
    AttemptAlreadyAnswered,
    AttemptExpired,
    AttemptsExhausted,
    AttemptTokenInvalid,
    CampaignPaused,
    PhaseNotOpen,
    QuizNotReady,
    SubmittedTooSoon,
)
from services.issuance.wallet.errors import AwardAlreadyClaimed, AwardExpired, OutOfStock
from shared.errors import (
    Busy,
    Fault,
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Refusal,
    RequestNoReused,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
)
from shared.http.health import NotReady
from shared.http.problems import InternalError, language_of, problem_response
from shared.identity.errors import ConsentWithdrawn, IdNumberInvalid
from shared.kit import Kit
from shared.signin.errors import ProviderUnavailable, SignInCodeInvalid, SignInRefused
from tests.support.browser import Tab
from tests.support.citizen_codes import next_steps
from tests.support.citizens import fill_bank, give_chances, request_no
from tests.support.held import Held


@dataclass(frozen=True, slots=True)
class Case:
    """What is refused, and where. `advice` is the next step in Chinese where it is not the code's own.

    `acts` is what a thumb does on the page, in the words of `DRIVER`; `call` is what is then refused.

    `patient`: the platform asks for patience, which the page says in its note, beside a button to go on.
    """

    refusal: Refusal
    acts: str
    call: str = ""
    beside: bool = False
    patient: bool = False
    advice: str = ""

    @property
    def code(self) -> str:
        return self.refusal.code

    @property
    def typed(self) -> set[str]:
        """What a form still has in its fields when it was refused."""
        return {
            text for text in re.findall(r"fill\('[^']+', ['\"]([^'\"]+)['\"]\)", self.acts) if text.strip()
        }

    @property
    def real(self) -> bool:
        """The running service refuses it by itself."""
        return not self.call


_TO_DRAW = "go('/'), tap('#draw')"
_TO_START = "go('/'), tap('#start-quiz')"
_TO_CLAIM = (
    "go('/claim/AWARD'), tap('[data-type=fitness] > button'), tap('[data-type=fitness] .sure .primary')"
)
_TO_CHECK_IN = "go('/way/event'), fill('#code', 'NOSUCHCODE'), tap('form button[type=submit]')"
_TO_HAND_IN = (
    "go('/quiz/ATTEMPT'), tap('.row button:last-child'), tap('.row button:last-child'), tap('#hand-in')"
)
_TO_SHARE = (
    "go('/way/share'), fill('#url', 'https://weibo.com/1'), fill('#words', '转发'),"
    " tap('form button[type=submit]')"
)
_TO_PHOTO = (
    "go('/way/lead'), fill('#category', '清垃圾'), fill('#place', '蒙自市'), fill('#words', '有垃圾'),"
    " photo('#photos'), tap('form button[type=submit]')"
)
_TO_PHONE = "go('/me'), fill('#phone', '13800138001'), tap('#notices form:last-of-type button')"
_TO_CODE = "go('/me'), fill('#phone-code', '000000'), tap('#notices form button')"
_TO_EXPORT = "go('/me'), tap('#more button.plain')"
_TO_SIGN_IN = "go('/'), tap('main button.primary.big')"


def _identity(name: str, number: str) -> str:
    """The form that a refused draw leads to."""
    form = f"fill('#name', '{name}'), fill('#id-number', '{number}'), tick('#agree')"
    return f"{_TO_DRAW}, tap('.refused + button'), {form}, tap('form button[type=submit]')"


_TO_BIND = _identity("张示例", "11010519491231002X")
_IDENTITY = r"PUT .*/me/identity$"
_START, _SUBMIT, _DRAW = r"POST .*/quiz-attempts$", r"POST .*/answers$", r"POST .*/draws$"
_CLAIM, _ACTIVITY, _PHOTO = r"POST .*/claim$", r"POST .*/activities$", r"POST .*/photos$"
_PREFER, _EXPORT, _SIGN_IN = r"PUT .*/notice-preferences$", r"GET .*/me/export$", r"POST .*/sessions$"
_NO_VOUCHER = "0" * 34
_AT = "2026-11-25T09:00:00+08:00"

CASES = (
    Case(PhaseNotOpen(), _TO_START, _START),
    Case(CampaignPaused(), _TO_START, _START),
    Case(AttemptsExhausted(), _TO_START, _START),
    Case(QuizNotReady(), _TO_START, _START),
    Case(ConsentWithdrawn(), _TO_START, _START),
    Case(ParticipationExcluded("如有疑问，请拨打 0873-12345。"), _TO_START, _START),
    Case(UnsupportedMediaType(), _TO_START, _START),
    Case(AttemptExpired(), _TO_HAND_IN, _SUBMIT),
    Case(AttemptAlreadyAnswered(), _TO_HAND_IN, _SUBMIT),
    Case(AttemptTokenInvalid(), _TO_HAND_IN, _SUBMIT),
    Case(SubmittedTooSoon(), _TO_HAND_IN, _SUBMIT),
    Case(NoChance(), _TO_DRAW, _DRAW),
    Case(LimitReached(), _TO_DRAW, _DRAW),
    Case(AwardsExhausted(), _TO_DRAW, _DRAW),
    Case(RequestNoReused(), _TO_DRAW, _DRAW),
    Case(InternalError(), _TO_DRAW, _DRAW),
    Case(IdentityRequired(), _TO_DRAW, _DRAW),
    Case(IdentityInUse(), _TO_BIND, _IDENTITY),
    Case(IdentityAlreadyBound(), _TO_BIND, _IDENTITY),
    Case(ConsentVersionUnknown(), _TO_BIND, _IDENTITY, beside=True),
    Case(
        IdNumberInvalid(
            faults=(Fault("body.id_number", "身份证号码校验位不正确，请检查是否输错", "check_digit"),)
        ),
        _identity("张示例", "110105194912310021"),
        beside=True,
    ),
    Case(
        InvalidRequest(faults=(Fault("body.name", "“姓名”没有填写或太短。", "string_too_short"),)),
        _identity("  ", "11010519491231002X"),
        beside=True,
    ),
    Case(OutOfStock(), _TO_CLAIM, _CLAIM),
    Case(OutOfStock(next_release_at=_AT), _TO_CLAIM, _CLAIM),
    Case(AwardAlreadyClaimed(), _TO_CLAIM, _CLAIM),
    Case(AwardExpired(), _TO_CLAIM, _CLAIM),
    Case(AwardOnHold(), _TO_CLAIM, _CLAIM),
    Case(AwardWithdrawn(), _TO_CLAIM, _CLAIM),
    Case(CheckInCodeUnknown(), _TO_CHECK_IN, beside=True),
    Case(CheckInCodeExpired(), _TO_CHECK_IN, _ACTIVITY, beside=True),
    Case(AlreadyCheckedIn(), _TO_CHECK_IN, _ACTIVITY),
    Case(EventNotOpen(), _TO_CHECK_IN, _ACTIVITY),
    Case(EventFull(), _TO_CHECK_IN, _ACTIVITY),
    Case(DayIsFull(), _TO_SHARE, _ACTIVITY),
    Case(TooManyPhotos(), _TO_PHOTO, _PHOTO, beside=True),
    Case(PayloadTooLarge(), _TO_PHOTO, _PHOTO, beside=True),
    Case(SmsNotOffered(), _TO_PHONE, _PREFER),
    Case(TooManyRequests(retry_after_seconds=30), _TO_PHONE, _PREFER, patient=True),
    # As many text messages as a day allows.
    Case(
        TooManyRequests(retry_after_seconds=40_000),
        _TO_PHONE,
        _PREFER,
        patient=True,
        advice="今天的次数已用完，请明天再试。",
    ),
    Case(PhoneCodeInvalid(), _TO_CODE, beside=True),
    Case(
        ConsentNotGiven(), "go('/me'), tap('#withdraw'), tap('#consent .sure .danger')", r"POST .*/withdraw$"
    ),
    Case(NotFound(), f"go('/voucher/{_NO_VOUCHER}')"),
    Case(Forbidden(), f"go('/voucher/{_NO_VOUCHER}')", r"GET .*/me/vouchers/0+$"),
    Case(DrawLogNotPublished(), "go('/verify')", r"GET .*/draw-audit$"),
    Case(MethodNotAllowed(), _TO_EXPORT, _EXPORT),
    Case(Busy(), _TO_EXPORT, _EXPORT, patient=True),
    Case(NotReady(), _TO_EXPORT, _EXPORT, patient=True),
    # From here on nobody is signed in.
    Case(Unauthenticated(), _TO_START, _START),
    Case(SignInRefused(), _TO_SIGN_IN, _SIGN_IN),
    Case(ProviderUnavailable(), _TO_SIGN_IN, _SIGN_IN),
    Case(SignInCodeInvalid(), _TO_SIGN_IN, _SIGN_IN),
)
# The calls that are refused; no other waits for the wire.
CALLS = re.compile(
    r"/(quiz-attempts|answers|draws|identity|claim|activities|photos|notice-preferences|withdraw|draw-audit"
    r"|export|sessions)$|/me/vouchers/0+$"
)


@dataclass(frozen=True, slots=True)
class Step:
    """What leads on: a button with these words, and what stands on the page once it is pressed."""

    zh: str
    en: str
    reached: str


_HOME = Step("首页", "Home", ".hero")
STEPS = {
    "home": _HOME,
    "quiz": _HOME,
    "tomorrow": _HOME,
    "identity": Step("确认身份后抽奖", "Confirm who you are", "#id-number"),
    "wallet": Step("卡包", "Wallet", ".ticket"),
    "claim": Step("选一张想要的券", "Choose your voucher", ".choices"),
    "consent": Step("个人信息授权", "Consent to the use of personal data", "#consent"),
    "again": Step("重试", "Try again", "main:not(:has(.refused)) h1"),
    "signIn": Step("请重新登录", "Please sign in again", ".ways"),
}


@dataclass
class Wire:
    """Brings the document of `case` in place of the answer to its call; everything else goes its way."""

    case: Case | None = None
    brought: list[str] = field(default_factory=list)

    async def __call__(self, route: Route) -> None:
        request = route.request
        asked = f"{request.method} {request.url.split('?')[0]}"
        refusal = self._refusal(asked)
        if refusal is None:
            await route.continue_()
            return
        language = language_of(Headers(request.headers))
        answer = problem_response(refusal, language=language, request_id="01JZ0000000000000000000000")
        self.brought.append(refusal.code)
        await route.fulfill(
            status=answer.status_code, headers=dict(answer.headers), body=bytes(answer.body).decode()
        )

    def _refusal(self, asked: str) -> Refusal | None:
        if self.case is None:
            return None
        if self.case.call and re.fullmatch(self.case.call, asked):
            return self.case.refusal
        # The form for an identity is what a refused draw leads to.
        if "#id-number" in self.case.acts and re.fullmatch(_DRAW, asked):
            return IdentityRequired()
        return None


# What a thumb does, as quickly as the page lets it; what a thumb itself can reach, other tests show.
DRIVER = """
window.visits = 0;
window.appears = async (selector) => {
    for (const end = Date.now() + 20000; Date.now() < end;) {
        const found = document.querySelector(selector);
        const busy = document.getElementById('main').ariaBusy === 'true';
        if (found && found.offsetParent !== null && !busy) return found;
        await new Promise((done) => setTimeout(done, 4));
    }
    throw new Error(`there is no ${selector} in: ${document.body.innerText}`);
};
window.go = (route) => async () => {
    document.querySelector('main').replaceChildren();
    visits += 1;
    location.hash = `#${route}/${visits}`;
    await appears('main h1');
};
window.tap = (selector) => async () => (await appears(selector)).click();
window.fill = (selector, text) => async () => { (await appears(selector)).value = text; };
window.tick = (selector) => async () => { (await appears(selector)).checked = true; };
window.photo = (selector) => async () => {
    await appears('form');
    const chosen = new DataTransfer();
    chosen.items.add(new File(['x'], '菜市场.jpg', { type: 'image/jpeg' }));
    document.querySelector(selector).files = chosen.files;
};
window.refusedBy = async (acts) => {
    for (const act of acts) await act();
    const said = '.outcome.refused, .refused-here:not([hidden]), #note:not([hidden]):has(button)';
    const box = await appears(said);
    const leads = [...document.querySelectorAll('main > button, main > .button, #note button')];
    return JSON.stringify({
        told: box.innerText,
        heading: (document.querySelector('main h1') || {}).innerText || '',
        heard: box.matches('[role=alert], [role=status]'),
        focus: document.activeElement.tagName,
        first: (leads.find((one) => one.matches('.primary')) || {}).innerText || '',
        firsts: leads.filter((one) => one.matches('.primary')).length,
        typed: [...document.querySelectorAll('form input, form textarea')].map((one) => one.value),
        wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    });
};
"""


async def told(tab: Tab, case: Case, names: dict[str, str]) -> dict[str, Any]:
    """Does what is refused, and reads what the page says of it. `names` are put into the addresses."""
    acts = case.acts
    for name, value in names.items():
        acts = acts.replace(name, value)
    found: dict[str, Any] = json.loads(await tab.evaluate(f"refusedBy([{acts}])"))
    return found


async def led(tab: Tab, reached: str) -> None:
    """Presses what leads on, until that stands on the page."""
    await tab.evaluate("document.querySelector('main > .primary').click()")
    await tab.evaluate(f"appears({json.dumps(reached)}).then(() => 0)")


def expected(case: Case, language: str) -> Iterator[str]:
    """Sentences that have to stand on the page."""
    faults = [fault.message for fault in case.refusal.faults]
    # Beside a field only what is wrong with it.
    if not (case.beside and faults):
        yield case.refusal.detail(language)
    yield from faults
    _, zh, en = next_steps()[case.code]
    yield en if language == "en" else case.advice or zh


def of_each_kind() -> list[Case]:
    """The first that leads to each step, is said beside its field, or asks for patience."""
    kinds: dict[object, Case] = {}
    for case in CASES[: next(place for place, case in enumerate(CASES) if case.code == "unauthenticated")]:
        kinds.setdefault((case.beside, case.patient, next_steps()[case.code][0]), case)
    return list(kinds.values())


async def says(tab: Tab, case: Case, language: str, names: dict[str, str]) -> None:
    found = await told(tab, case, names)
    for sentence in expected(case, language):
        assert sentence in found["told"], (case.code, language, found)
    assert found["heard"], case.code
    assert found["wide"] <= 0, (case.code, language)
    if language == "en":
        assert not re.search(r"[\u4e00-\u9fff]", found["told"]), found
    if case.beside:
        # What can be mended is said beside the field, and what was typed stays.
        assert case.typed <= set(found["typed"]), (case.code, found)
        return
    step = STEPS["again" if case.patient else next_steps()[case.code][0]]
    assert (found["first"], found["firsts"]) == (step.en if language == "en" else step.zh, 1), (
        case.code,
        found,
    )
    assert case.patient or (found["heading"] in found["told"] and found["focus"] == "H1"), (case.code, found)


async def ready_for_any_refusal(held: Held, kit: Kit) -> dict[str, str]:
    """A chance, an award, a quiz under way, a phone to confirm, a consent given: nothing is out of reach."""
    hands, slug = held.hands, held.campaign.slug
    await fill_bank(kit, held.campaign, multiple_every=1_000)
    await give_chances(kit, hands.person, held.campaign, 2)
    award, started = await hands.win(slug), await hands.start(slug)
    me, headers = "/issuance/v1/me", hands.person.headers
    phone = {"sms": {"enabled": True, "phone": "13800138009"}}
    for answer in (
        await hands.client.put(f"{me}/notice-preferences", json=phone, headers=headers),
        await hands.client.post(
            f"{me}/consents",
            json={"request_no": request_no(), "kind": "sensitive", "version": "1"},
            headers=headers,
        ),
    ):
        assert answer.status_code < 300, answer.text
    return {"AWARD": award, "ATTEMPT": started.json()["attempt_id"]}
