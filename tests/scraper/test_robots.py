"""robots.txt as RFC 9309 has it. The rules in FILES are after Google's published cases (google/robotstxt)."""

import pytest
from aiohttp import web

from scraper.politeness import ROBOTS_BYTES, Robots

LISTING = "/rebag/collections/all-bags"
FORBIDDEN = "User-agent: *\nDisallow: /\n"
US = "user-agent: bagdreams\n"

FILES = {
    "no file": ("", "/x/y", ""),
    "other words": ("foo: bagdreams\nbar: /\n", "/x", ""),
    "without colons": ("user-agent BagDreams\ndisallow /\n", "", "/x/y"),
    "space before the colon": ("user-agent : BagDreams\ndisallow : /x\n", "/y", "/x"),
    "misspelled": ("useragent: bagdreams\ndissallow: /x\ndisalow: /y\n", "/z", "/x /y"),
    "any case": ("USER-AGENT: BAGDREAMS\nALLOW: /x/\nDISALLOW: /\n", "/x/y", "/a/b"),
    "rules outside groups": (f"disallow: /x\n{US}disallow: /y", "/x", "/y"),
    "groups of one agent are one": (
        "allow: /foo/\n\nuser-agent: BagDreams\ndisallow: /\nallow: /x/\nuser-agent: BarBot\ndisallow: /\n"
        "allow: /y/\n\n\nallow: /w/\nuser-agent: BazBot\n\nuser-agent: BagDreams\nallow: /z/\ndisallow: /\n",
        "/x/b /z/d",
        "/y/c /w/a /foo/bar/",
    ),
    "a group of several agents": (
        "user-agent: a\nuser-agent: bagdreams\n\nuser-agent: b\ndisallow: /x",
        "",
        "/x",
    ),
    "the group for all is no addition to ours": (
        f"user-agent: *\ndisallow: /x/\n{US}disallow: /y/",
        "/x/",
        "/y/p",
    ),
    "our group after that for all": (f"user-agent: *\nallow: /\n{US}disallow: /", "", "/x"),
    "only others are meant": ("user-agent: FooBot\ndisallow: /", "/x", ""),
    "all are meant": ("user-agent: FooBot\nallow: /\nuser-agent: * \ndisallow: /", "", "/x"),
    "our group without rules": (f"user-agent: *\ndisallow: /\n{US}", "/x", ""),
    "our name with a version": ("user-agent: BagDreams/1.0 (x)\ndisallow: /x", "/y", "/x"),
    "our name as a part": (
        "user-agent: bag\nuser-agent: dreams\nuser-agent: bagdreams-news\ndisallow: /",
        "/x",
        "",
    ),
    "a sitemap ends no group": (f"{US}sitemap: /s.xml\nuser-agent: b\ndisallow: /x", "/s", "/x"),
    "a crawl delay ends no group": (f"{US}crawl-delay: 1\nuser-agent: b\ndisallow: /x", "/s", "/x"),
    "paths have case": (f"{US}disallow: /X/", "/x/y", "/X/y"),
    "longest disallows": (f"{US}disallow: /x/page.html\nallow: /x/", "/x/", "/x/page.html"),
    "longest allows": (f"{US}allow: /x/page.html\ndisallow: /x/", "/x/page.html", "/x/"),
    "empty rules": (f"{US}disallow: \nallow: ", "/x", ""),
    "as long: allow": (f"{US}disallow: /\nallow: /", "/x", ""),
    "a slash more": (f"{US}disallow: /x\nallow: /x/", "/x/", "/x"),
    "a wildcard that is longer": (f"{US}allow: /page\ndisallow: /*.html", "/page", "/page.html"),
    "a wildcard that is shorter": (f"{US}allow: /x/page.\ndisallow: /*.html", "/x/page.html", "/x/y.html"),
    "reserved characters": (
        f"{US}disallow: /\nallow: /foo/bar?qux=taz&baz=http://foo.bar?tar&par",
        "/foo/bar?qux=taz&baz=http://foo.bar?tar&par",
        "/foo",
    ),
    "other scripts": (
        f"{US}disallow: /\nallow: /foo/bar/ツ",
        "/foo/bar/%E3%83%84 /foo/bar/%e3%83%84",
        "/foo/bar/",
    ),
    "percent-encoded": (f"{US}disallow: /\nallow: /foo/%E3%83%84", "/foo/%e3%83%84", "/foo/x"),
    "percent-encoded for nothing": (
        f"{US}disallow: /\nallow: /foo/bar/%62%61%7A",
        "/foo/bar/baz",
        "/foo/bar/x",
    ),
    "an encoded slash is another": (f"{US}disallow: /a%2fb", "/a/b", "/a%2Fb"),
    "a star within": (
        f"{US}disallow: /foo/bar/quz\nallow: /foo/*/qux",
        "/foo/quz /foo//quz /foo/bax/quz",
        "/foo/bar/quz",
    ),
    "an end": (
        f"{US}disallow: /foo/bar$\nallow: /foo/bar/qux",
        "/foo/bar/qux /foo/bar/ /foo/bar/baz",
        "/foo/bar",
    ),
    "comments": (f"{US}# disallow: /\ndisallow: /foo/quz#qux\nallow: /", "/foo/bar", "/foo/quz"),
    "/fish": (
        f"{US}disallow: /\nallow: /fish",
        "/fish /fish.html /fishheads/yummy.html?id=1",
        "/Fish.asp /catfish /?id=fish",
    ),
    "/fish*": (
        f"{US}disallow: /\nallow: /fish*",
        "/fish /fish/salmon.html /fishheads",
        "/Fish /catfish /?id=fish",
    ),
    "/fish/": (
        f"{US}disallow: /\nallow: /fish/",
        "/fish/ /fish/salmon /fish/?salmon",
        "/fish /fish.html /Fish/Salmon.html",
    ),
    "/*.php": (
        f"{US}disallow: /\nallow: /*.php",
        "/a.php /f/a.php?p //f/a.php.file.html /i?f=a.php/",
        "/php/ /i?php /a.PHP",
    ),
    "/*.php$": (
        f"{US}disallow: /\nallow: /*.php$",
        "/a.php /f/a.php",
        "/a.php?p /a.php/ /a.php5 /i?php /aphpa",
    ),
    "/fish*.php": (f"{US}disallow: /\nallow: /fish*.php", "/fish.php /fishheads/catfish.php?p", "/Fish.PHP"),
    "only the home page": (f"{US}allow: /$\ndisallow: /", "/", "/page.html"),
    "line ends of all systems": (
        "user-agent: bagdreams\rdisallow: /a\r\nuser-agent: b\n\r\n\ndisallow: /b",
        "/b",
        "/a",
    ),
    "other characters end no line": (
        f"{US}disallow: /a\u2028disallow: /\x0bdisallow: /\x85",
        "/b",
        "/a%E2%80%A8disallow:%20/%0Bdisallow:%20/%C2%85",
    ),
    "a byte order mark": ("\ufeffuser-agent: bagdreams\ndisallow: /", "", "/x"),
    "a byte order mark elsewhere": (f"{US}\ufeffdisallow: /", "/x", ""),
}


@pytest.mark.parametrize(("rules", "allowed", "refused"), FILES.values(), ids=FILES.keys())
def test_the_paths_of_a_file(rules, allowed, refused):
    robots = Robots(rules.encode())

    assert [path for path in allowed.split() if not robots.allows(f"http://foo.bar{path}")] == []
    assert [path for path in refused.split() if robots.allows(f"http://foo.bar{path}")] == []


@pytest.mark.parametrize("mark", [b"\xef\xbb", b"\xef"])
def test_half_a_byte_order_mark_is_skipped(mark):
    assert not Robots(mark + FORBIDDEN.encode()).allows("http://foo.bar/x")


def test_utf_16_is_read_too():
    assert not Robots(FORBIDDEN.encode("utf-16")).allows("http://foo.bar/x")


def test_octets_that_are_no_utf_8_are_compared_as_they_are():
    robots = Robots(b"User-agent: *\nDisallow: /sac-\xe0-main\n")

    assert not robots.allows("http://foo.bar/sac-%E0-main")
    assert robots.allows("http://foo.bar/sac")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_first_500_kib_count_and_no_part_of_a_line(end):
    filler = "#" * (ROBOTS_BYTES - len(f"User-agent: *{end}Disallow: /b{end}{end}Allow: /"))
    body = f"User-agent: *{end}Disallow: /b{end}{filler}{end}Allow: /bags-only{end}Disallow: /{end}"

    robots = Robots(body.encode())

    assert robots.allows("http://foo.bar/x")
    assert not robots.allows("http://foo.bar/bags")


@pytest.mark.parametrize("line", ["user-agent: a%d\n", "Disallow: /*a*b$%d\n", " " * 400 + "%d\n"])
def test_a_file_of_the_worst_lines_is_read_in_one_pass(line):
    body = "User-agent: *\n" + "".join(line % number for number in range(30_000)) + FORBIDDEN

    assert Robots(body[: ROBOTS_BYTES - len(FORBIDDEN)].encode() + FORBIDDEN.encode()).rules


def text(body, **options):
    """An answer to a request for robots.txt."""
    return lambda _: web.Response(text=body, **options)


@pytest.mark.parametrize(
    "body",
    [
        "\ufeff" + FORBIDDEN,
        FORBIDDEN + "# filler line filler line\n" * 25_000,
        "User-agent: mail\nAllow: /\n" + FORBIDDEN,
    ],
    ids=["a byte order mark", "a large file", "a group with a word of our contact's address"],
)
def test_a_shop_that_forbids_is_left_alone(site, project, body):
    site.answers["/robots.txt"] = text(body)
    project.shops(site, "rebag", more='contact = "ada@mail.example"')

    result = project.run("collect", "--json")

    assert (result.code, "disallowed by robots.txt" in result.event("problem")["message"]) == (2, True)
    assert set(site.asked) == {"/robots.txt"}


@pytest.mark.parametrize("rule", ["Crawl-delay: 86400", "Request-rate: 1/1d", "Crawl-delay: 301"])
def test_a_delay_above_our_patience_leaves_the_shop_for_today(site, project, rule):
    site.answers["/robots.txt"] = text(f"User-agent: *\n{rule}\n")
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert result.code == 2
    assert "s between requests, more than `patience`" in result.event("problem")["message"]
    assert set(site.asked) == {"/robots.txt"}
    site.answers.clear()
    assert project.run("collect", "--json").event("shop")["new"] == 10


def test_a_picture_host_that_asks_for_too_much_costs_only_its_pictures(site, project):
    elsewhere = f"http://localhost:{site.port}"

    def robots(request):
        slow = request.host.startswith("localhost")
        return web.Response(text=f"User-agent: *\nCrawl-delay: {86400 if slow else 0}\n")

    site.answers["/robots.txt"] = robots
    site.answers["/rebag/img/1_512x512.jpg"] = lambda _: web.Response(
        status=302, headers={"Location": f"{elsewhere}/rebag/img/77.jpg"}
    )
    project.configure(
        f'[scraper.shops.rebag]\nkind = "rebag"\nurl = ["{site.url}{LISTING}", "{elsewhere}{LISTING}"]\n'
    )

    result = project.run("collect", "--json")

    assert "86400 s between requests" in result.events[0]["message"]
    assert "/rebag/img/77.jpg" not in site.asked


@pytest.mark.parametrize(
    ("status", "new"),
    [(404, 10), (401, 10), (403, 10), (451, 10), (500, 0), (501, 0), (522, 0), (429, 0), (430, 0)],
)
def test_a_file_that_is_not_there_allows_all_and_one_that_is_out_of_reach_nothing(site, project, status, new):
    site.answers["/robots.txt"] = lambda _: web.Response(status=status)
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert result.event("shop")["new"] == new
    assert new or f"no robots.txt: answered {status}" in result.event("problem")["message"]


@pytest.mark.parametrize(("hops", "new"), [(5, 0), (6, 10)])
def test_five_redirects_lead_to_the_file_and_six_nowhere(site, project, hops, new):
    def hop(request):
        number = int(request.query.get("hop", "0"))
        if number == hops:
            return web.Response(text=FORBIDDEN)
        return web.Response(status=301, headers={"Location": f"/robots.txt?hop={number + 1}"})

    site.answers["/robots.txt"] = hop
    project.shops(site, "rebag")

    assert project.run("collect", "--json").event("shop")["new"] == new


def test_a_crawl_of_days_asks_again_each_day(site, project, monkeypatch):
    days = iter(range(0, 10**9, 100_000))
    monkeypatch.setattr("scraper.fetch.clock", lambda: next(days))
    project.shops(site, "rebag")
    project.run("collect")

    assert site.asked["/robots.txt"] > 1


def test_a_path_with_steps_is_judged_by_where_it_leads(site, project):
    site.answers["/robots.txt"] = text("User-agent: *\nDisallow: /rebag/private/\n")
    site.answers[LISTING] = lambda request: web.Response(
        text="".join(
            f'<div class="plp-product"><img src="{site.url}{path}"><p class="product-title">Bag</p></div>'
            for path in ("/rebag/img/../private/1.jpg", "/rebag/img/%2e%2E/private/2.jpg", "/rebag/img/3.jpg")
        )
        * (request.query.get("page", "1") == "1"),
        content_type="text/html",
    )
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert "2 disallowed by robots.txt" in result.event("problem")["message"]
    assert site.pictures() == ["/rebag/img/3.jpg"]
