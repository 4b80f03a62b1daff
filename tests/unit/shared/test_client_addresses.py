"""Whose machine is asking, behind our proxies and in spite of what it says itself."""

from ipaddress import ip_address

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.http.client import networks, origin_of, subscriber

OURS = networks("127.0.0.0/8, ::1/128, 10.0.0.0/8")
CITIZEN, INVENTED = "203.0.113.9", "198.51.100.1"
addresses = st.ip_addresses().map(str)


@pytest.mark.parametrize(
    ("peer", "forwarded", "origin"),
    [
        (CITIZEN, "", CITIZEN),
        (CITIZEN, INVENTED, CITIZEN),
        ("10.1.2.3", CITIZEN, CITIZEN),
        ("10.1.2.3", f"{INVENTED}, {CITIZEN}", CITIZEN),
        ("127.0.0.1", f"{INVENTED}, {CITIZEN}, 10.1.2.3", CITIZEN),
        ("10.1.2.3", "", "10.1.2.3"),
        ("10.1.2.3", "unknown", "10.1.2.3"),
        ("10.1.2.3", f"unknown, {CITIZEN}", CITIZEN),
        ("10.1.2.3", f"{CITIZEN}, 10.9.9.9", CITIZEN),
        # A proxy elsewhere cannot make a request one of this machine, which may read the metrics.
        ("10.1.2.3", "127.0.0.1", "10.1.2.3"),
        ("10.1.2.3", "::1", "10.1.2.3"),
        ("127.0.0.1", "::ffff:203.0.113.9", CITIZEN),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("testclient", CITIZEN, "testclient"),
    ],
)
def test_the_first_address_that_is_no_proxy_of_ours_is_the_sender(
    peer: str, forwarded: str, origin: str
) -> None:
    assert origin_of(peer, forwarded, OURS) == origin


@given(st.lists(addresses | st.text(max_size=20), max_size=6), addresses)
def test_nobody_talks_its_way_to_another_address(invented: list[str], sender: str) -> None:
    """What a sender puts in front changes nothing: our proxy appends the address that it saw."""
    told = ",".join([*(text.replace(",", "") for text in invented), sender])
    alone = origin_of("10.0.0.1", sender, OURS)
    assume(not any(ip_address(alone) in network for network in OURS))
    assert origin_of("10.0.0.1", told, OURS) == alone


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        (CITIZEN, CITIZEN),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("-", "-"),
    ],
)
def test_subscriber_of_ipv6_is_its_network(address: str, counted: str) -> None:
    assert subscriber(address) == counted


def test_proxies_that_are_no_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="nginx"):
        networks("nginx")
