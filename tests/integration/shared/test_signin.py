"""WeChat and Alipay tell who signs in; whatever else they say becomes one of our refusals."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from pydantic import SecretStr

from shared.clock import CHINA
from shared.errors import Busy, Refusal, TooManyRequests
from shared.settings import Settings, SettingsMissing
from shared.signin import providers_of
from shared.signin.alipay import Alipay
from shared.signin.errors import SignInCodeInvalid, SignInRefused
from shared.signin.wechat import WeChat
from tests.support.platforms import FakeAlipay, FakeWeChat, listening

TROUBLES = ("drops", "error page", "no object")


@pytest.fixture
async def wechat() -> AsyncIterator[tuple[FakeWeChat, WeChat]]:
    fake = FakeWeChat()
    async with listening(fake) as url:
        adapter = WeChat(url, fake.app_id, fake.secret)
        yield fake, adapter
        await adapter.close()


@pytest.fixture
async def alipay() -> AsyncIterator[tuple[FakeAlipay, Alipay]]:
    fake = FakeAlipay()
    async with listening(fake) as url:
        adapter = Alipay(url, fake.app_id, fake.private_key)
        yield fake, adapter
        await adapter.close()


async def refusal_of(adapter: WeChat | Alipay, code: str) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await adapter.subject_of(code)
    return refused.value


async def test_wechat_names_the_user_by_app_and_openid(wechat: tuple[FakeWeChat, WeChat]) -> None:
    fake, adapter = wechat
    fake.codes["0716AVll"] = "oGZUI0egBJY1zhBYw2KhdUfwVJJE"
    assert await adapter.subject_of("0716AVll") == f"{fake.app_id}/oGZUI0egBJY1zhBYw2KhdUfwVJJE"
    assert isinstance(await refusal_of(adapter, "0716AVll"), SignInCodeInvalid)


@pytest.mark.parametrize(
    ("errcode", "refusal"),
    [
        (40029, SignInCodeInvalid),
        (40163, SignInCodeInvalid),
        (45011, TooManyRequests),
        (40226, SignInRefused),
        (-1, Busy),
        (40013, Busy),
    ],
)
async def test_wechat_faults_become_refusals(
    wechat: tuple[FakeWeChat, WeChat], errcode: int, refusal: type[Refusal]
) -> None:
    fake, adapter = wechat
    fake.faults["c"] = errcode
    refused = await refusal_of(adapter, "c")
    assert type(refused) is refusal
    if refusal is TooManyRequests:
        assert refused.retry_after_seconds == 60


async def test_wrong_app_secret_is_ours_to_mend_and_never_logged(capfd: pytest.CaptureFixture[str]) -> None:
    fake = FakeWeChat()
    async with listening(fake) as url:
        adapter = WeChat(url, fake.app_id, "another-secret")
        assert isinstance(await refusal_of(adapter, "secret-code"), Busy)
        fake.trouble = "error page"
        assert isinstance(await refusal_of(adapter, "secret-code"), Busy)
        await adapter.close()
    told = capfd.readouterr()
    assert "40125" in told.out + told.err
    assert "another-secret" not in told.out + told.err
    assert "secret-code" not in told.out + told.err


@pytest.mark.parametrize("subject_name", ["open_id", "user_id"])
async def test_alipay_checks_our_signature_and_names_the_user(
    alipay: tuple[FakeAlipay, Alipay], subject_name: str
) -> None:
    fake, adapter = alipay
    fake.subject_name = subject_name
    fake.codes["4b203fe6c1"] = "2088102150477652"
    assert await adapter.subject_of("4b203fe6c1") == f"{fake.app_id}/2088102150477652"
    told = fake.asked[-1].values
    assert (told["method"], told["sign_type"]) == ("alipay.system.oauth.token", "RSA2")
    sent = datetime.strptime(told["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
    assert abs((datetime.now(CHINA) - sent).total_seconds()) < 60


@pytest.mark.parametrize(
    ("sub_code", "refusal"),
    [
        ("isv.code-invalid", SignInCodeInvalid),
        ("isv.app-call-limited", TooManyRequests),
        ("isv.user-is-blocked", SignInRefused),
        ("isp.unknow-error", Busy),
        ("isv.invalid-signature", Busy),
    ],
)
async def test_alipay_faults_become_refusals(
    alipay: tuple[FakeAlipay, Alipay], sub_code: str, refusal: type[Refusal]
) -> None:
    fake, adapter = alipay
    fake.faults["c"] = sub_code
    assert type(await refusal_of(adapter, "c")) is refusal


async def test_a_key_that_is_not_the_apps_is_refused_by_alipay() -> None:
    fake, stranger = FakeAlipay(), FakeAlipay()
    fake.codes["c"] = "2088"
    async with listening(fake) as url:
        adapter = Alipay(url, fake.app_id, stranger.private_key)
        assert isinstance(await refusal_of(adapter, "c"), Busy)
        await adapter.close()


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_platform_in_trouble_means_busy(
    wechat: tuple[FakeWeChat, WeChat], alipay: tuple[FakeAlipay, Alipay], trouble: str
) -> None:
    for fake, adapter in (wechat, alipay):
        fake.trouble = trouble
        assert isinstance(await refusal_of(adapter, "c"), Busy)
        assert len(fake.asked) == 1


async def test_platform_that_stays_silent_means_busy_within_five_seconds(
    wechat: tuple[FakeWeChat, WeChat],
) -> None:
    fake, adapter = wechat
    fake.trouble = "silent"
    started = datetime.now(CHINA)
    assert isinstance(await refusal_of(adapter, "c"), Busy)
    assert (datetime.now(CHINA) - started).total_seconds() < 5


async def test_platform_that_is_not_there_means_busy() -> None:
    adapter = WeChat("http://127.0.0.1:1", "wx", "s")
    assert isinstance(await refusal_of(adapter, "c"), Busy)
    await adapter.close()


def test_only_what_is_set_up_is_offered(settings: Settings) -> None:
    assert set(providers_of(settings)) == {"demo"}
    alone = settings.model_copy(update={"demo": False})
    assert set(providers_of(alone)) == set()
    set_up = {
        "wechat_app_id": "wx",
        "wechat_app_secret": SecretStr("s"),
        "alipay_app_id": "2014",
        "alipay_private_key": SecretStr(FakeAlipay().private_key),
    }
    assert set(providers_of(alone.model_copy(update=set_up))) == {"wechat", "alipay"}


def test_a_private_key_that_is_none_stops_the_start(settings: Settings) -> None:
    broken = settings.model_copy(
        update={"alipay_app_id": "2014", "alipay_private_key": SecretStr("not a key")}
    )
    with pytest.raises(SettingsMissing, match="HV_ALIPAY_PRIVATE_KEY"):
        providers_of(broken)
