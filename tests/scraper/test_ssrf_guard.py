"""No page leads the crawl to this machine or its network, unless the config names the host."""

import socket

import pytest
from aiohttp import web

from scraper.ssrf_guard import GuardedResolver, PrivateAddressError, public

INWARD = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "fe80::1%eth0",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::a9fe:a9fe",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "240.0.0.1",
    "::",
    "::10.0.0.1",
    "::93.184.215.14",
    "::ffff:0:10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:1::1",
    "2001:2::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:5db8:d70e::1",
    "3fff::1",
    "5f00::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", INWARD)
def test_an_inward_address_is_not_public(address):
    assert not public(address)


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "2606:4700::1111", "2a00:1450::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"],
)
def test_an_outward_address_is_public(address):
    assert public(address)


class Names:
    """A name server whose answers change: each call gives the next."""

    def __init__(self, *answers):
        self.answers = list(answers)

    async def resolve(self, host, port=0, family=socket.AF_UNSPEC):
        """The next answer."""
        return [{"hostname": host, "host": a, "port": port, "family": family, "proto": 0, "flags": 0}
                for a in self.answers.pop(0)]  # fmt: skip

    async def close(self):
        """Nothing to close."""


async def test_a_name_that_leads_inward_is_refused():
    with pytest.raises(PrivateAddressError):
        await GuardedResolver(frozenset(), Names(["10.0.0.1"])).resolve("bags.example", 80)


async def test_one_inward_address_among_others_is_refused():
    with pytest.raises(PrivateAddressError):
        await GuardedResolver(frozenset(), Names(["93.184.215.14", "::1"])).resolve("bags.example", 80)


async def test_a_name_that_changes_its_answer_is_looked_at_each_time():
    resolver = GuardedResolver(frozenset(), Names(["93.184.215.14"], ["127.0.0.1"]))

    assert [a["host"] for a in await resolver.resolve("bags.example", 80)] == ["93.184.215.14"]
    with pytest.raises(PrivateAddressError):
        await resolver.resolve("bags.example", 80)


async def test_a_name_of_the_config_may_lead_inward_at_its_port():
    resolver = GuardedResolver(frozenset({("nas.local", 80)}), Names(["192.168.1.9"], ["192.168.1.9"]))

    assert [a["host"] for a in await resolver.resolve("NAS.local.", 80)] == ["192.168.1.9"]
    with pytest.raises(PrivateAddressError):
        await resolver.resolve("nas.local", 8080)


def card(image):
    """A listing of one bag whose picture is somewhere else."""
    return lambda request: web.Response(
        text=f'<div class="plp-product"><img src="{image}"><p class="product-title">Bag</p></div>'
        * (request.query.get("page", "1") == "1"),
        content_type="text/html",
    )


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("http://localhost:{port}/rebag/img/1.jpg", "leads into a private network"),
        ("http://[::1]:{port}/rebag/img/1.jpg", "leads into a private network"),
        ("http://[::ffff:127.0.0.1]:{port}/rebag/img/1.jpg", "leads into a private network"),
        ("http://127.0.0.2:{port}/rebag/img/1.jpg", "leads into a private network"),
        ("http://2130706434:{port}/rebag/img/1.jpg", "not a web address"),
        ("http://169.254.169.254/latest/meta-data", "leads into a private network"),
        ("file:///etc/passwd", "not a web address"),
        ("http://[bad", "not a web address"),
    ],
)
def test_a_picture_that_leads_inward_is_not_fetched(site, project, image, reason):
    site.answers["/rebag/collections/all-bags"] = card(image.format(port=site.port))
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert result.event("shop")["failed"] == 1
    assert reason in result.event("problem")["message"]
    assert site.pictures() == []


def test_a_redirect_that_leads_inward_is_not_followed(site, project):
    site.answers["/rebag/img/1_512x512.jpg"] = lambda _: web.Response(
        status=302, headers={"Location": f"http://localhost:{site.port}/rebag/img/2.jpg"}
    )
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert "1 leads into a private network: localhost" in result.event("problem")["message"]
    assert "/rebag/img/2.jpg" not in site.asked


def test_another_port_of_a_host_of_the_config_is_not_named(site, project, neighbor):
    site.answers["/rebag/collections/all-bags"] = card(f"http://127.0.0.1:{neighbor.port}/1.jpg")
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert "1 leads into a private network: 127.0.0.1" in result.event("problem")["message"]
    assert neighbor.connections() == 0


@pytest.mark.parametrize("first", ["rebag", "owner"])
def test_what_one_shop_names_is_not_named_for_another(site, project, first):
    site.answers["/rebag/collections/all-bags"] = card(f"http://localhost:{site.port}/rebag/img/77.jpg")
    owner = f'[scraper.shops.owner]\nkind = "shopify"\nurl = "http://localhost:{site.port}/shopify"\n'
    rebag = f'[scraper.shops.rebag]\nkind = "rebag"\nurl = "{site.url}/rebag/collections/all-bags"\n'
    project.configure(rebag + owner if first == "rebag" else owner + rebag)

    result = project.run("collect", "--json")

    assert {e["shop"]: e["new"] for e in result.events if e["event"] == "shop"} == {"rebag": 0, "owner": 10}
    assert "leads into a private network: localhost" in result.event("problem")["message"]
    assert "/rebag/img/77.jpg" not in site.asked


def test_an_address_file_that_is_not_there_is_one_line(site, project):
    project.shops(site, "rebag")
    with (project.path / "config.toml").open("a") as config:
        config.write('[scraper.shops.rr]\nkind = "therealreal"\naddresses = "none.txt"\n')

    result = project.run("collect", "--json")

    assert result.event("problem")["shop"] == "rr"
    assert "none.txt" in result.event("problem")["message"]


def test_a_shop_on_the_internet_wants_to_know_who_comes(project):
    project.configure('[scraper.shops.a]\nkind = "rebag"\nurl = "https://bags.invalid/"\n')

    result = project.run("collect")

    assert (result.code, "scraper.contact is empty" in result.err) == (2, True)
