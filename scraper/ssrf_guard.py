"""Prevents server-side request forgery: no page may lead the crawl to this machine or its network."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

NAT64 = IPv6Network("64:ff9b::/96")


class PrivateAddressError(OSError):
    """A URL or host that the crawl must not connect to."""


def public(address: str) -> bool:
    """Whether an IP address, or the IPv4 address in an IPv6 one, is public. Raises ValueError for a name."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in NAT64:
            inner = IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def local(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def check(url: URL, named: frozenset[str]) -> None:
    """Raises PrivateAddressError unless the URL is http(s) and its host public, in `named`, or a name.

    Resolvers don't see IP addresses, so check before every request and redirect.
    """
    if url.scheme not in ("http", "https") or not url.host:
        raise PrivateAddressError(f"not a web address: {str(url)[:100]}")
    host = url.host.lower()
    if host in named:
        return
    try:
        allowed = public(host)
    except ValueError:
        return  # a name, so the resolver checks where it leads
    if not allowed:
        raise PrivateAddressError(f"leads into a private network: {host}")


class GuardedResolver(AbstractResolver):
    """Resolves a name and refuses the answer if any address in it is not public.

    The connection uses the addresses it returns, so DNS rebinding gains nothing. Hosts in `named`, those of
    the config, may be private: a shop on loopback works if its owner configured it.
    """

    def __init__(self, named: frozenset[str], resolver: AbstractResolver | None = None) -> None:
        self.named = named
        self.resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a host. Raises PrivateAddressError, or OSError if there are none."""
        answers = await self.resolver.resolve(host, port, family)
        if host.lower().rstrip(".") not in self.named and not all(public(a["host"]) for a in answers):
            raise PrivateAddressError(f"leads into a private network: {host}")
        return answers

    async def close(self) -> None:
        """Closes the wrapped resolver."""
        await self.resolver.close()
