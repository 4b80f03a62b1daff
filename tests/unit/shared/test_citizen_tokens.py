"""Tokens of citizens: what we issue is read, whatever was changed in it is not."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Unauthenticated
from shared.identity.citizens import AUDIENCE, CitizenTokens

KEY = bytes(range(32))
NOW = datetime(2020, 10, 20, 3, 0, tzinfo=UTC)
ACCOUNT, PERSON = UUID(int=7), UUID(int=2**127 + 9)
CLAIMS = {
    "aud": AUDIENCE,
    "sub": ACCOUNT.hex,
    "per": PERSON.hex,
    "bkt": 512,
    "exp": int((NOW + timedelta(hours=1)).timestamp()),
}


def issued() -> str:
    life = timedelta(hours=1)
    return CitizenTokens(KEY).issue(account_id=ACCOUNT, bucket=512, person_id=PERSON, now=NOW, life=life)


def test_what_was_issued_is_read_as_a_general_reader_does() -> None:
    citizen = CitizenTokens(KEY).read(issued(), NOW)
    claims = jwt.decode(issued(), KEY, algorithms=["HS256"], audience=AUDIENCE, options={"verify_exp": False})
    assert (citizen.account_id.hex, citizen.person_id.hex) == (claims["sub"], claims["per"])
    assert (citizen.bucket, int(citizen.expires_at.timestamp())) == (claims["bkt"], claims["exp"])


@given(st.data())
def test_a_token_with_any_other_character_anywhere_is_refused(data: st.DataObject) -> None:
    token = issued()
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda one: one != token[place]))
    with pytest.raises(Unauthenticated):
        CitizenTokens(KEY).read(token[:place] + other + token[place + 1 :], NOW)


@given(st.text())
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        CitizenTokens(KEY).read(text, NOW)


@pytest.mark.parametrize(
    "token",
    [
        jwt.encode(CLAIMS, bytes(32), algorithm="HS256"),
        jwt.encode(CLAIMS, KEY * 2, algorithm="HS512"),
        jwt.encode(CLAIMS, "", algorithm="none"),
        jwt.encode(CLAIMS | {"aud": "hv-staff"}, KEY, algorithm="HS256"),
        jwt.encode(CLAIMS | {"aud": [AUDIENCE]}, KEY, algorithm="HS256"),
        jwt.encode(CLAIMS, KEY, algorithm="HS256", headers={"kid": "1"}),
        jwt.encode(CLAIMS | {"bkt": "512"}, KEY, algorithm="HS256"),
        jwt.encode(CLAIMS | {"per": "nobody"}, KEY, algorithm="HS256"),
        jwt.encode(CLAIMS | {"exp": 10**18}, KEY, algorithm="HS256"),
        *(
            jwt.encode({name: value for name, value in CLAIMS.items() if name != left_out}, KEY)
            for left_out in CLAIMS
        ),
    ],
)
def test_a_token_of_another_form_is_refused_whoever_signed_it(token: str) -> None:
    with pytest.raises(Unauthenticated):
        CitizenTokens(KEY).read(token, NOW)


def test_it_ends_with_its_time() -> None:
    tokens = CitizenTokens(KEY)
    tokens.read(issued(), NOW)
    with pytest.raises(Unauthenticated):
        tokens.read(issued(), NOW + timedelta(hours=1))
