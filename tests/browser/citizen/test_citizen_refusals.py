"""Whatever a citizen is refused: the page says why and what to do next."""

import httpx

from shared.clock import ManualClock
from shared.kit import Kit
from tests.support.browser import Tab, look
from tests.support.citizen_codes import citizens_codes, next_steps
from tests.support.citizen_refusals import (
    CALLS,
    CASES,
    DRIVER,
    STEPS,
    Wire,
    led,
    of_each_kind,
    ready_for_any_refusal,
    says,
)
from tests.support.held import held_voucher
from tests.support.thumbs import (
    PHONE,
    SMALL,
    SPOILED,
    at,
)
from tests.support.ways import CHANNELS


async def test_every_refusal_says_why_and_what_to_do_next(
    tab: Tab, address: str, kit: Kit, clock: ManualClock, client: httpx.AsyncClient
) -> None:
    """On the smallest phone: all in Chinese; one of each kind in English too, and with its button pressed."""
    assert {case.code for case in CASES} == citizens_codes()
    held = await held_voucher(client, kit, clock, channels=CHANNELS, quiz={"questions": 2})
    names = await ready_for_any_refusal(held, kit)
    wire, kinds = Wire(), of_each_kind()
    await tab.page.route(CALLS, wire)
    await tab.beforehand(DRIVER)
    await tab.size(**SMALL)
    await at(tab, address, held, "/me")
    for language, cases in (("en", kinds), ("zh", CASES)):
        await tab.open(f"{address}/app?campaign={held.campaign.slug}&lang={language}#/me")
        for case in cases:
            wire.case = case
            await says(tab, case, language, names)
            step = STEPS[next_steps()[case.code][0]]
            if language == "zh" and case in kinds:
                await look(tab, f"citizen-refused-{case.code}", **PHONE)
                await tab.size(**SMALL)
                if not (case.beside or case.patient or step is STEPS["signIn"]):
                    await led(tab, step.reached)
    # What no wire brought, the service itself has refused.
    assert set(wire.brought) == {case.code for case in CASES if not case.real}
    # Whoever signs in anew goes on with what was begun before; and a sign-in that is over leads to a new one.
    wire.case = None
    await led(tab, ".quiz .option")
    await tab.evaluate(SPOILED)
    await tab.until("document.querySelector('.refused') !== null && document.readyState === 'complete'")
    await led(tab, STEPS["signIn"].reached)
