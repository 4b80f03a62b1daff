from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.issuance.quiz.rules import attempt_token
from services.issuance.quiz.schemas import TOKEN_MAX

told = st.tuples(
    st.binary(min_size=32, max_size=32),
    st.text(alphabet="0123456789ABCDEFabcdef", min_size=34, max_size=34),
    st.uuids(),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - made aware
)


@given(told, told)
def test_token_is_of_one_attempt_person_time_and_key(
    one: tuple[bytes, str, UUID, datetime], other: tuple[bytes, str, UUID, datetime]
) -> None:
    assert (attempt_token(*one) == attempt_token(*other)) == (one == other)
    assert len(attempt_token(*one)) <= TOKEN_MAX
