"""Nothing ends in silence: what goes wrong is a line, costs only itself, and is asked for again."""

import json
from datetime import timedelta

import pytest
from aiohttp import web

from scraper import catalog
from scraper.catalog import Catalog
from scraper.square import square

LISTING = "/rebag/collections/all-bags"
SHOPIFY = "/shopify/collections/bags/products.json"


def product(number, **fields):
    """A product of products.json."""
    return {
        "title": f"Tote {number}",
        "handle": f"tote-{number}",
        "variants": [{"price": "10.00"}],
        "images": [{"src": f"/shopify/img/30{number}.jpg", "position": 1}],
    } | fields


def second_page(answer, pages=4):
    """A products.json of `pages` pages with a product each, whose second one is `answer`."""

    def page(request):
        number = int(request.query["page"])
        if number == 2:
            return answer(request)
        return web.json_response({"products": [product(number)] if number <= pages else []})

    return page


def problems(result):
    """The lines of a run."""
    return [event["message"] for event in result.events if event["event"] == "problem"]


def refused(status):
    """An answer with a status."""
    return lambda _: web.Response(status=status, text="Security Rejection")


def said(body, status=200):
    """An answer in JSON."""
    return lambda _: web.json_response(body, status=status)


LIMIT = {"errors": "Page * Limit exceeds the 25000 limit."}
REFUSALS = {
    "430": (refused(430), "answered 430"),
    "420": (refused(420), "answered 420"),
    "522": (refused(522), "answered 522"),
    "520": (refused(520), "answered 520"),
    "999": (refused(999), "answered 999"),
    "400": (said(LIMIT, 400), "answered 400"),
    "406": (refused(406), "answered 406"),
    "414": (refused(414), "answered 414"),
    "204": (lambda _: web.Response(status=204), "answered 204"),
    "a redirect nowhere": (refused(302), "answered 302"),
    "too large": (lambda _: web.Response(body=bytes(200_000)), "larger than 100000 bytes"),
    "200 with errors": (said(LIMIT), "Shopify answered with errors: Page * Limit exceeds"),
    "200 with errors beside products": (said(LIMIT | {"products": []}), "Shopify answered with errors"),
    "HTML": (lambda _: web.Response(text="<html>Sorry</html>"), "not a Shopify products.json"),
    "a list": (said([]), "not a Shopify products.json"),
    "null": (said({"products": None}), "not a Shopify products.json"),
    "words": (said({"products": "ab"}), "not a Shopify products.json"),
    "cut": (lambda _: web.Response(text='{"products": [{"title": "To'), "not a Shopify products.json"),
    "deep": (lambda _: web.Response(text='{"products": ' + "[" * 90_000), "not a Shopify products.json"),
    "a long number": (lambda _: web.Response(text='{"products": [' + "9" * 9_000 + "]}"), "not a Shopify"),
}


@pytest.mark.parametrize(("answer", "line"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_page_that_is_refused_is_a_line_and_its_crawl_goes_on_the_next_time(site, project, answer, line):
    site.answers[SHOPIFY] = second_page(answer)
    project.shops(site, "shopify", more="page_bytes = 100_000")

    result = project.run("collect", "--json")

    assert result.code == 2
    (problem,) = problems(result)
    assert line in problem
    assert "page=2" in problem
    site.asked.clear()
    site.answers[SHOPIFY] = second_page(said({"products": [product(2)]}))
    again = project.run("collect", "--json")
    assert (again.code, again.event("shop")["new"]) == (0, 3)
    assert site.asked[SHOPIFY] == 4  # it went on at page 2


def test_a_page_that_always_fails_hides_nothing_new_from_the_next_night(site, project, monkeypatch):
    site.answers[SHOPIFY] = second_page(said(LIMIT, 400))
    project.shops(site, "shopify")
    project.run("collect")
    now = catalog.datetime.now

    class Tomorrow(catalog.datetime):
        @classmethod
        def now(cls, zone=None):
            return now(zone) + timedelta(hours=23, minutes=59)

    monkeypatch.setattr(catalog, "datetime", Tomorrow)
    site.answers[SHOPIFY] = lambda request: web.json_response(
        {"products": [product(number) for number in (1, 5)] if request.query["page"] == "1" else []}
    )

    assert project.run("collect", "--json").event("shop")["new"] == 1


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_not_there_ends_the_listing(site, project, status):
    site.answers[SHOPIFY] = second_page(refused(status))
    project.shops(site, "shopify")

    result = project.run("collect", "--json")

    assert (result.code, problems(result), result.event("shop")["new"]) == (0, [], 1)


@pytest.mark.parametrize("status", [408, 420, 425, 429, 430, 500, 503, 520, 522, 530])
def test_what_passes_is_tried_again_within_the_crawl(site, project, status):
    def once(request):
        if site.asked[SHOPIFY] == 2:
            return web.Response(status=status)
        return web.json_response({"products": [product(2)]})

    site.answers[SHOPIFY] = second_page(once)
    project.shops(site, "shopify")

    assert project.run("collect", "--json").event("shop")["new"] == 4


@pytest.mark.parametrize("finished", [True, False])
def test_a_picture_that_failed_for_a_passing_reason_is_asked_for_by_the_next_crawl(site, project, finished):
    site.answers["/shopify/img/301_512x512.jpg"] = refused(522)
    site.answers["/shopify/img/303_512x512.jpg"] = refused(404)
    answer = said({"products": [product(2)]}) if finished else refused(400)
    site.answers[SHOPIFY] = second_page(answer, pages=1)
    if not finished:  # the products of later pages are unknown then
        site.answers[SHOPIFY] = second_page(answer)
    project.shops(site, "shopify")
    project.run("collect")
    del site.answers["/shopify/img/301_512x512.jpg"]
    site.asked.clear()

    project.run("collect")

    assert site.asked["/shopify/img/301_512x512.jpg"] == 1
    assert site.asked["/shopify/img/303_512x512.jpg"] == 0


BAD = {
    "variants of nothing": {"variants": [None]},
    "variants that are words": {"variants": "ab"},
    "images that are words": {"images": "ab"},
    "images of nothing": {"images": [None]},
    "images that are numbers": {"images": [1]},
    "images in no order": {"images": [{"src": "/a.jpg", "position": "1"}, {"src": "/b.jpg", "position": 2}]},
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD.keys())
def test_a_bad_product_is_skipped_and_counted(site, project, fields):
    products = [product(1), product(2, **fields), product(3)]
    site.answers[SHOPIFY] = lambda request: web.json_response(
        {"products": products if request.query["page"] == "1" else []}
    )
    project.shops(site, "shopify")

    result = project.run("collect", "--json")

    assert (result.event("shop")["new"], result.event("shop")["failed"]) == (2, 1)
    assert "1 unreadable product (" in result.event("problem")["message"]


@pytest.mark.parametrize("bad", [None, "ab", 5, [], ["ab"]])
def test_a_product_that_is_none_costs_no_other(site, project, bad):
    site.answers[SHOPIFY] = lambda request: web.json_response(
        {"products": [product(1), bad] if request.query["page"] == "1" else []}
    )
    project.shops(site, "shopify")

    event = project.run("collect", "--json").event("shop")

    assert (event["new"], event["failed"]) == (1, 1)


def card(title, image="/rebag/img/1.jpg", css="plp-product", title_css="product-title"):
    """A card of a listing."""
    return f'<div class="{css}"><img src="{image}"><p class="{title_css}">{title}</p></div>'


def test_a_card_with_a_bad_address_costs_no_other(site, project):
    cards = [
        card("Bag", image, "product-card-aligner", "product-card__description")
        for image in ("http://[bad/1.jpg", "/therealreal/img/2.jpg", "http://a:99999999/")
    ]
    site.answers["/therealreal/sales/1"] = lambda request: web.Response(
        text="".join(cards) * (request.query.get("page", "1") == "1"), content_type="text/html"
    )
    project.shops(site, "therealreal")

    event = project.run("collect", "--json").event("shop")

    assert (event["new"], event["failed"]) == (1, 2)


TEXTS = {
    "half an emoji": (r"Tote \ud83d", "Tote"),
    "the other half": (r"\udc5cTote", "Tote"),
    "two halves": (r"Tote \ud83d\udc5c", "Tote 👜"),
    "halves in the wrong order": (r"Tote \udc5c\ud83d Bag", "Tote Bag"),
    "a NUL": (r"To\u0000te", "Tote"),
    "control characters": (r"To\u0007te\u001b[31m\u009b", "Tote[31m"),
    "white space": (r"\u0009Tote\u0085\u000a Bag\u00a0", "Tote Bag"),
    "no character": (r"Tote\uffff", "Tote"),
    "a novel": ("Tote " * 100_000, "Tote " * 60),
}


@pytest.mark.parametrize(("written", "kept"), TEXTS.values(), ids=TEXTS.keys())
def test_whatever_a_shop_writes_can_be_stored(site, project, written, kept):
    page = json.dumps({"products": [product(1, title="TITLE", vendor="TITLE", product_type="TITLE")]})
    site.answers[SHOPIFY] = lambda request: web.Response(
        text=page.replace("TITLE", written) if request.query["page"] == "1" else '{"products": []}'
    )
    project.shops(site, "shopify", "rebag")

    result = project.run("collect", "--json")
    project.run("build")

    assert (result.code, problems(result)) == (0, [])
    titles = [item["title"].strip() for item in project.items() if item["shop"] == "shopify"]
    assert titles == [kept.strip()]


@pytest.mark.parametrize(
    "address", [r"/shopify/img/\ud83d.jpg", r"/shopify/img/\u0000.jpg", r"http://\ud83d/1.jpg"]
)
def test_an_address_of_half_a_character_costs_only_itself(site, project, address):
    page = json.dumps({"products": [product(1), product(2, handle="HANDLE")]})
    page = page.replace("/shopify/img/302.jpg", address).replace("HANDLE", r"a\udc5c")
    site.answers[SHOPIFY] = lambda request: web.Response(
        text=page if request.query["page"] == "1" else '{"products": []}'
    )
    project.shops(site, "shopify", "rebag")

    result = project.run("collect", "--json")

    assert {e["shop"]: e["new"] for e in result.events if e["event"] == "shop"}["rebag"] == 10
    assert site.asked["/shopify/img/301_512x512.jpg"] == 1


@pytest.mark.parametrize("host", ["a" * 70 + ".invalid", "a..b", "[bad", "xn--a.invalid", "%00"])
def test_a_host_that_can_not_be_costs_only_its_picture(site, project, host):
    site.answers[LISTING] = lambda request: web.Response(
        text=(card("Bag") + card("Bag", f"http://{host}/2.jpg")) * (request.query.get("page", "1") == "1"),
        content_type="text/html",
    )
    project.shops(site, "rebag")

    event = project.run("collect", "--json").event("shop")

    assert (event["new"], event["failed"]) == (1, 1)


@pytest.mark.parametrize("status", [b"200 OK", b"404 N\xf6", b"403 N\xf6"])
def test_headers_that_are_no_text_cost_nothing(site, project, draw, status):
    async def answer(request):
        head = b'HTTP/1.1 %s\r\nETag: "\xff\xfe"\r\nLast-Modified: \xe9t\xe9\r\nConnection: close\r\n\r\n'
        request.transport.write(head % status + draw(1))
        request.transport.close()
        return web.Response()

    site.answers["/rebag/img/1_512x512.jpg"] = answer
    project.shops(site, "rebag")

    event = project.run("collect", "--json").event("shop")

    assert event["new"] == (10 if status == b"200 OK" else 9)


def test_a_page_with_headers_that_are_no_text_is_recorded(site, project):
    async def answer(request):
        body = card("Bag") * (request.query.get("page", "1") == "1")
        request.transport.write(
            b'HTTP/1.1 200 OK\r\nETag: "\xff"\r\nConnection: close\r\n\r\n' + body.encode()
        )
        request.transport.close()
        return web.Response()

    site.answers[LISTING] = answer
    project.shops(site, "rebag")

    assert project.run("collect", "--json").event("shop")["new"] == 1


def test_what_a_shop_reads_with_an_error_of_any_kind_is_that_page_s_line(site, project, monkeypatch):
    def read(shop, page):
        raise MemoryError("the page is a bomb")

    monkeypatch.setattr("scraper.shops.therealreal.TheRealReal.read", read)
    project.shops(site, "therealreal", "rebag")

    result = project.run("collect", "--json")

    assert result.code == 2
    assert "cannot be read: MemoryError: the page is a bomb at http" in result.event("problem")["message"]
    assert {e["shop"]: e["new"] for e in result.events if e["event"] == "shop"} == {
        "therealreal": 0,
        "rebag": 10,
    }


def test_a_page_that_can_not_be_recorded_is_a_line_and_the_others_go_on(site, project, monkeypatch):
    record = Catalog.record_page

    def fail(self, shop, *rest):
        if shop == "shopify":
            raise ValueError("no")
        return record(self, shop, *rest)

    monkeypatch.setattr(Catalog, "record_page", fail)
    project.shops(site, "shopify", "rebag")

    result = project.run("collect", "--json")

    assert "cannot be recorded: ValueError: no" in problems(result)[0]
    assert {e["shop"]: e["new"] for e in result.events if e["event"] == "shop"}["rebag"] == 10


def test_a_saved_page_over_the_limit_is_a_line(site, project, tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "1.html").write_text(card("Bag") + " " * 100_000)
    project.shops(site, "rebag", more="page_bytes = 50_000")
    with (project.path / "config.toml").open("a") as config:
        config.write(f'[scraper.shops.saved]\nkind = "html"\npath = "{tmp_path}/saved"\nreads = "rebag"\n')

    result = project.run("collect", "--json")

    assert (result.code, result.event("problem")["shop"]) == (2, "saved")
    assert "larger than 50000 bytes at file:" in result.event("problem")["message"]


def test_an_address_file_with_nonsense_in_it_is_a_line_each(site, project, tmp_path):
    (tmp_path / "addresses.txt").write_text(f"http://[bad\n{site.url}/therealreal/sales/1\nnonsense\n")
    project.configure(
        f'[scraper.shops.rr]\nkind = "therealreal"\naddresses = "{tmp_path}/addresses.txt"\n'
        f'url = "{site.url}/therealreal/sales/2"\n'
    )

    result = project.run("collect", "--json")

    assert [line.split(" at ")[0].split(":")[0] for line in problems(result)] == ["not a web address"] * 2
    assert result.event("shop")["new"] == 10


def test_a_folder_that_is_not_there_is_a_line_and_the_shops_go_on(site, project, tmp_path):
    (tmp_path / "empty").mkdir()
    project.shops(site, "rebag")
    with (project.path / "config.toml").open("a") as config:
        config.write(f'[scraper.shops.a]\nkind = "folder"\npath = "{tmp_path}/nowhere"\n')
        config.write(f'[scraper.shops.b]\nkind = "folder"\npath = "{tmp_path}/empty"\n')
        config.write(f'[scraper.shops.c]\nkind = "html"\npath = "{tmp_path}/nowhere"\n')

    result = project.run("collect", "--json")

    lines = {event["shop"]: event["message"] for event in result.events if event["event"] == "problem"}
    assert (result.code, lines.keys()) == (2, {"a", "b", "c"})
    assert all(str(tmp_path) in line for line in lines.values())
    assert [e["new"] for e in result.events if e["event"] == "shop" and e["shop"] == "rebag"] == [10]


@pytest.mark.parametrize("error", [KeyError("a"), RecursionError(), MemoryError(), SystemError("a")])
def test_a_decoder_that_stumbles_costs_one_picture(site, project, monkeypatch, draw, error):
    def stumble(data, *rest):
        if data == draw(1):
            raise error
        return square(data, *rest)

    monkeypatch.setattr("scraper.intake.square", stumble)
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert (result.event("shop")["new"], result.event("shop")["failed"]) == (9, 1)
    assert f"1 broken ({type(error).__name__})" in result.event("problem")["message"]
