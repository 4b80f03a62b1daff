"""Whose machine is asking: its address behind our proxies, and the name that the app gave its device."""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request

from shared.identity.citizens import Citizen
from shared.ratelimit import ANYTHING_PER_ADDRESS, ANYTHING_PER_DEVICE, ANYTHING_PER_PERSON, RateLimiter

DEVICE_HEADER = "X-Device-Id"
# A random text that the app makes at its first start and keeps. Whoever sends none is not refused.
_DEVICE_FORM = re.compile(r"[0-9A-Za-z._-]{8,64}")
# A subscriber of IPv6 has a whole network of this size, and may take another address for each request.
_SUBSCRIBER_BITS = 64

Network = IPv4Network | IPv6Network


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks, comma separated. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def origin_of(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """Who sent a request that came from `peer` with `forwarded` (X-Forwarded-For; empty: none).

    Each proxy adds the address that it saw. Read from the end: the first one that is no proxy of ours is the
    sender; what stands before it is the sender's own invention. A proxy that stands elsewhere cannot say that
    a request began on this machine.
    """
    sender = peer
    for hop in reversed(forwarded.split(",") if forwarded else []):
        if not _within(sender, trusted):
            break
        address = _parsed(hop.strip())
        if address is None or (address.is_loopback and not _is_loopback(sender)):
            break
        sender = str(address)
    return sender


def address_of(request: Request) -> str:
    """What limits and sightings go by; the edge has looked behind the proxies."""
    return subscriber(request.client.host if request.client else "-")


# To parse an address costs 10 µs, and few of them send most requests: gateways, carriers, shops.
@lru_cache(maxsize=8192)
def subscriber(address: str) -> str:
    """An address, of IPv6 the network that one subscriber has."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), _SUBSCRIBER_BITS), strict=False))
    return address


def device_of(request: Request) -> str | None:
    """The device's name as its app sent it; None for none, or one that no app of ours makes."""
    sent = request.headers.get(DEVICE_HEADER, "")
    return sent if _DEVICE_FORM.fullmatch(sent) else None


def stop_floods(request: Request, citizen: Citizen | None = None) -> None:
    """The limits of every call that citizens or strangers make. Raises TooManyRequests."""
    limiter: RateLimiter = request.app.state.wiring.limiter
    limiter.stop_flood(ANYTHING_PER_ADDRESS, address_of(request))
    device = device_of(request)
    if device is not None:
        limiter.stop_flood(ANYTHING_PER_DEVICE, device)
    if citizen is not None:
        limiter.stop_flood(ANYTHING_PER_PERSON, citizen.person_id.hex)


async def stop_floods_of_anybody(request: Request) -> None:
    """A dependency of public calls."""
    stop_floods(request)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_loopback(text: str) -> bool:
    address = _parsed(text)
    return address is not None and address.is_loopback


def _within(text: str, wanted: Sequence[Network]) -> bool:
    address = _parsed(text)
    return address is not None and any(address in network for network in wanted)
