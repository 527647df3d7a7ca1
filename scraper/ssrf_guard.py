"""Prevents server-side request forgery: no page may lead the crawl to this machine or its network."""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

NAT64: Final = IPv6Network("64:ff9b::/96")
"""Behind an address in here is the IPv4 address that it ends with (RFC 6052)."""
UNICAST: Final = IPv6Network("2000::/3")
"""All that IANA has allocated as global unicast; what is outside has other uses, or none yet."""
SPECIAL: Final[list[IPv4Network | IPv6Network]] = [
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv6Network("2001::/23"),  # protocol assignments, among them Teredo
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4
    IPv6Network("3fff::/20"),  # documentation
]
"""Ranges of the IANA special-purpose address registries that some of Python's tables take for public."""

Origin = tuple[str, int]
"""A host, in lower case and without a dot at its end, and a port."""


class PrivateAddressError(OSError):
    """A URL or host that the crawl must not connect to."""


def public(address: str) -> bool:
    """Whether an IP address, or the IPv4 address in an IPv6 one, is public. Raises ValueError for a name."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped or ip in NAT64:
            return public(str(IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip not in UNICAST:
            return False
    special = ip.is_multicast or ip.is_reserved or any(ip in network for network in SPECIAL)
    return ip.is_global and not special


def local(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def origin(url: URL) -> Origin:
    """The host and port of a URL."""
    return (url.raw_host or "").lower().rstrip("."), url.port or 0


def check(url: URL, named: frozenset[Origin]) -> None:
    """Raises PrivateAddressError unless the URL is http(s) and its host public, in `named`, or a name.

    Resolvers don't see IP addresses, so check before every request and redirect.
    """
    if url.scheme not in ("http", "https") or not url.raw_host:
        raise PrivateAddressError(f"not a web address: {str(url)[:100]}")
    if origin(url) in named:
        return
    try:
        allowed = public(url.raw_host)
    except ValueError:
        return  # a name, so the resolver checks where it leads
    if not allowed:
        raise PrivateAddressError(f"leads into a private network: {url.raw_host}")


class GuardedResolver(AbstractResolver):
    """Resolves a name and refuses the answer if any address in it is not public.

    The connection uses the addresses it returns, so DNS rebinding gains nothing. Only the hosts and ports in
    `named`, those of one shop in the config, may be private: a shop on loopback works if its owner
    configured it, and no other shop leads there.
    """

    def __init__(self, named: frozenset[Origin], resolver: AbstractResolver | None = None) -> None:
        self.named = named
        self.resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a host. Raises PrivateAddressError, or OSError if there are none."""
        answers = await self.resolver.resolve(host, port, family)
        named = (host.lower().rstrip("."), port) in self.named
        if not named and not all(public(answer["host"]) for answer in answers):
            raise PrivateAddressError(f"leads into a private network: {host}")
        return answers

    async def close(self) -> None:
        """Closes the wrapped resolver."""
        await self.resolver.close()
