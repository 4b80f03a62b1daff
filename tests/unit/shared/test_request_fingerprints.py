from hypothesis import given
from hypothesis import strategies as st

from shared.idempotency import fingerprint, staff_caller
from shared.ids import BUCKETS, new_id

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=6))
def test_order_of_fields_does_not_matter(body: dict[str, object]) -> None:
    assert fingerprint(body) == fingerprint(dict(reversed(body.items())))
    assert len(fingerprint(body)) == 16


@given(one=JSON, other=JSON)
def test_bodies_that_differ_have_different_fingerprints(one: object, other: object) -> None:
    # In JSON, true is not 1: Python would call them equal.
    assert (fingerprint(one) == fingerprint(other)) == (repr(one) == repr(other)) or one == other


@given(st.text())
def test_any_text_has_a_fingerprint(text: str) -> None:
    assert fingerprint({"text": text})
    assert fingerprint({"half": "\ud800"})


def test_staff_live_in_a_bucket_of_their_own() -> None:
    staff_id = new_id()
    caller = staff_caller(staff_id)
    assert caller == staff_caller(staff_id)
    assert 0 <= caller.bucket < BUCKETS
