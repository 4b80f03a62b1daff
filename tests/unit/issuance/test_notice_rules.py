"""What notices say, when they are due, and when they travel."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.deliveries.rules import (
    QUIET_FROM,
    QUIET_UNTIL,
    Channel,
    Situation,
    Verdict,
    judged,
    later,
    quiet_until,
    repeated,
)
from services.issuance.notices.rules import KINDS, Facts, Kind, Language, reminders, told
from services.issuance.preferences.rules import SMS_DEFAULT, is_phone, masked_phone, sms_kinds
from shared.clock import CHINA

NOON = datetime(2020, 11, 1, 12, 0, tzinfo=CHINA)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - given its zone
ZONES = st.sampled_from(["Asia/Shanghai", "Asia/Urumqi", "Europe/Berlin"])


def facts(kind: Kind, **parts: Any) -> Facts:  # noqa: ANN401 - any fact
    values: dict[str, Any] = {
        "campaign": "全民健康消费券",
        "timezone": "Asia/Shanghai",
        "name": "健康体检券",
        "until": NOON,
        "days": 7,
        "note": "重复提交 {name}",
    }
    return Facts(kind=kind, **values | parts)


def situation(**parts: Any) -> Situation:  # noqa: ANN401 - any part
    values: dict[str, Any] = {
        "channel": "sms",
        "kind": "expiring",
        "unclear": False,
        "still_holds": True,
        "until": NOON + timedelta(days=1),
        "timezone": "Asia/Shanghai",
    }
    return Situation(**values | parts)


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_something_whole_in_both_languages(kind: Kind, language: Language) -> None:
    words = told(facts(kind), language)
    assert words["title"]
    assert "{" not in words["text"].replace("重复提交 {name}", "")
    bare = told(facts(kind, name=None, until=None, note=None), language)
    assert set(bare) == {"campaign", "name", "until", "days", "note", "title", "text"}


def test_times_are_told_in_the_campaigns_zone() -> None:
    assert "2020年11月1日 12:00" in told(facts("expiring"), "zh")["text"]
    assert "2020-11-01 10:00" in told(facts("expiring", timezone="Asia/Urumqi"), "en")["text"]


def test_reminders_come_longest_first_and_each_covers_until_the_next() -> None:
    seven, one = reminders("1,7,7")
    assert (seven.days, seven.lead, seven.covered) == (7, timedelta(days=7), timedelta(days=1))
    assert (one.days, one.lead, one.covered) == (1, timedelta(days=1), timedelta())
    assert reminders("off") == ()


@given(MOMENTS, ZONES)
def test_the_night_ends_at_eight_and_only_the_night_is_quiet(moment: datetime, zone: str) -> None:
    end = quiet_until(moment, zone)
    local = moment.astimezone(ZoneInfo(zone)).time()
    assert (end is not None) == (local >= QUIET_FROM or local < QUIET_UNTIL)
    if end is not None:
        assert moment < end <= moment + timedelta(hours=11)
        assert end.astimezone(ZoneInfo(zone)).time() == time(8)
        assert quiet_until(end, zone) is None


@given(MOMENTS, st.none() | st.integers(1, 86_400))
def test_later_is_later_and_a_used_up_day_ends_with_it(moment: datetime, seconds: int | None) -> None:
    again = later(moment, seconds)
    assert moment < again <= moment + timedelta(days=1, minutes=5)
    if seconds is None:
        assert again.astimezone(CHINA).time() == time(0, 5)


@pytest.mark.parametrize(
    ("parts", "now", "verdict"),
    [
        ({}, NOON, Verdict("trying")),
        ({"channel": "wechat"}, NOON.replace(hour=23), Verdict("trying")),
        ({}, NOON.replace(hour=23), Verdict("deferred", "night", NOON.replace(day=2, hour=8))),
        ({"still_holds": False}, NOON, Verdict("skipped", "no_longer_true")),
        ({"still_holds": False, "kind": "redeemed"}, NOON, Verdict("trying")),
        ({"until": NOON}, NOON, Verdict("skipped", "no_longer_true")),
        ({"until": NOON, "kind": "revoked"}, NOON, Verdict("trying")),
        ({"unclear": True}, NOON, Verdict("trying")),
        ({"unclear": True, "kind": "redeemed", "channel": "wechat"}, NOON, Verdict("unknown", "no_answer")),
        ({"unclear": True, "kind": "redeemed"}, NOON, Verdict("trying")),
    ],
)
def test_a_delivery_is_judged_by_what_is_still_true(
    parts: dict[str, Any], now: datetime, verdict: Verdict
) -> None:
    assert judged(situation(**parts), now) == verdict


def test_what_warns_of_a_loss_is_sent_again_and_what_has_happened_is_not() -> None:
    again = {kind for kind in KINDS if repeated("wechat", kind)}
    assert again == {"revoked", "expiring", "award_won", "award_expiring"}
    channel: Channel = "sms"
    assert all(repeated(channel, kind) for kind in KINDS)


def test_sms_kinds_are_ones_own_choice_each_once() -> None:
    assert set(sms_kinds(None)) == set(SMS_DEFAULT)
    assert sms_kinds(["redeemed", "issued", "redeemed"]) == ["issued", "redeemed"]
    assert sms_kinds([]) == []


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("13800138000", True),
        ("12800138000", False),
        ("1380013800", False),
        ("138001380000", False),
        ("１３８００１３８０００", False),
        ("+8613800138000", False),
        ("13800138000\n", False),
    ],
)
def test_a_phone_is_a_mobile_number_of_the_mainland(text: str, right: bool) -> None:  # noqa: FBT001 - a table
    assert is_phone(text) == right


def test_a_masked_phone_shows_its_ends() -> None:
    assert masked_phone("13800138000") == "138****8000"
