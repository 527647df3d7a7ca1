"""Sitemaps in every form that the protocol knows, and feeds."""

import gzip

import pytest
from aiohttp import web

from scraper.markup import Page
from scraper.shop import MarkupError
from scraper.shops.jsonld import JsonLd

SHOP = JsonLd(name="any", kind="jsonld", url="https://shop.example/sitemap.xml", products="/p/")
URLS = ["https://shop.example/p/1", "https://shop.example/p/2"]
ENTRIES = "".join(f"<url><loc>{url}</loc></url>" for url in URLS)
SITEMAP = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{ENTRIES}</urlset>'
DECLARATION = '<?xml version="1.0" encoding="UTF-16"?>'


def read(body: str | bytes) -> list[str]:
    """The URLs that a page leads to."""
    data = body.encode() if isinstance(body, str) else body
    return SHOP.read(Page("https://shop.example/sitemap.xml", data)).more


@pytest.mark.parametrize(
    "body",
    [
        SITEMAP,
        f"<!-- {'generated ' * 100} --><!-- <p> --> {SITEMAP}",
        f'\n<?xml version="1.0"?>\n<?xml-stylesheet href="a.xsl"?>\n<!-- a -->\n{SITEMAP}',
        "\ufeff" + SITEMAP,
        (DECLARATION + SITEMAP).encode("utf-16"),
        (DECLARATION + SITEMAP).encode("utf-16-be"),
        (DECLARATION + SITEMAP).encode("utf-16-le"),
        gzip.compress(SITEMAP.encode(), mtime=0),
        gzip.compress("\n".join(URLS).encode(), mtime=0),
        SITEMAP.replace("https://shop.example", ""),
        SITEMAP.replace("<loc>", "<loc>\n <![CDATA[").replace("</loc>", "]]></loc>"),
        SITEMAP.replace("<url>", "<URL>").replace("</url>", "</URL>"),
        "\n".join(URLS),
        "# ours\r\n" + "\r\n".join(URLS) + "\r\n",
        "\ufeff" + "\n".join(URLS),
        "/p/1\n/p/2\n",
        "\n".join(URLS).encode("utf-16"),
        f"<rss><a><link>/</link>{''.join(f'<item><link>{u}</link></item>' for u in URLS)}</a></rss>",
        f"<rss xmlns:g='g'>{''.join(f'<item><g:link>{u}</g:link></item>' for u in URLS)}</rss>",
        '<feed><link href="/"/>'
        + "".join(f'<entry><link rel="self" href="/x"/><link href="{u}"/></entry>' for u in URLS)
        + "</feed>",
    ],
)  # fmt: skip
def test_every_form_of_a_sitemap(body):
    assert read(body) == URLS


@pytest.mark.parametrize("loc", ["/p/1?a=1&b=2", "/p/1?a=1&amp;b=2", "<![CDATA[/p/1?a=1&b=2]]>"])
def test_ampersands(loc):
    assert read(f"<urlset><url><loc>{loc}</loc></url></urlset>") == ["https://shop.example/p/1?a=1&b=2"]


@pytest.mark.parametrize(
    "body", ['<?xml version="1.0"?><opml><body/></opml>', '<?xml version="1.0"?>', "<?xml"]
)
def test_other_xml_is_named(body):
    with pytest.raises(MarkupError, match="a broken sitemap"):
        read(body)


def test_an_xhtml_page_is_a_page():
    page = '<?xml version="1.0"?><!DOCTYPE html><html xmlns="x"><a href="/p/1">x</a></html>'

    assert read(page) == ["https://shop.example/p/1"]


def test_an_index_leads_to_its_sitemaps():
    places = "".join(f"<sitemap><loc>/{name}</loc></sitemap>" for name in ("pages.xml", "products.txt"))
    index = f"<sitemapindex>{places}</sitemapindex>"

    assert read(index) == ["https://shop.example/products.txt"]


def test_the_crawl_reads_a_text_of_relative_addresses(project, site):
    project.configure(
        f'[scraper.shops.any]\nkind = "jsonld"\nurl = "{site.url}/list.txt"\nproducts = "/p/"\n'
    )
    bag = (
        '<div itemscope itemtype="https://schema.org/Product"><b itemprop="name">Tote</b>'
        '<img itemprop="image" src="/x/img/{}.jpg"></div>'
    )
    site.answers["/list.txt"] = lambda _: web.Response(text="/p/1\n/p/2\n")
    for number in (1, 2):
        body = bag.format(number)
        site.answers[f"/p/{number}"] = lambda _, body=body: web.Response(text=body, content_type="text/html")

    assert project.run("collect", "--json").event("shop")["new"] == 2
