"""Shops with schema.org data, and pages that a person saved."""

import gzip
import json

import pytest
from aiohttp import web

PRODUCT = {
    "@context": "https://schema.org",
    "@type": "Product",
    "name": "Speedy 30",
    "image": ["/x/img/5.jpg", "/x/img/6.jpg"],
    "brand": {"@type": "Brand", "name": "LOUIS VUITTON"},
    "color": "Chestnut",
    "material": "Canvas",
    "category": "Bags > Satchels",
    "offers": [
        {
            "@type": "Offer",
            "price": 1250,
            "priceCurrency": "EUR",
            "itemCondition": "https://schema.org/UsedCondition",
        }
    ],
}


def block(data):
    """A JSON-LD block."""
    return (
        f'<script type="application/ld+json">{data if isinstance(data, str) else json.dumps(data)}</script>'
    )


def page(body, kind="text/html"):
    """An answer that is always the same."""
    return lambda _: web.Response(text=body, content_type=kind)


@pytest.fixture
def shop(site, project):
    """A shop of kind jsonld; `shop(path, body)` serves a page; the start is /x/start."""
    project.configure(f'[scraper.shops.any]\nkind = "jsonld"\nurl = "{site.url}/x/start"\n')
    site.answers["/x/start"] = page('<a href="/products/speedy">Speedy</a><a href="/about">About us</a>')

    def serve(path, body, kind="text/html"):
        site.answers[path] = page(body, kind)

    return serve


def collected(project):
    """The items of the dataset after a crawl."""
    result = project.run("collect", "--json")
    assert project.run("build").code == 0, result.out
    return project.items()


@pytest.mark.parametrize(
    "data",
    [
        PRODUCT,
        [{"@type": "WebSite", "name": "x"}, PRODUCT],
        {"@graph": [{"@type": "Organization"}, PRODUCT]},
        {"@type": "ItemPage", "mainEntity": {**PRODUCT, "@type": ["Product", "Thing"]}},
        {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": PRODUCT}]},
        {
            **PRODUCT,
            "image": {"@type": "ImageObject", "contentUrl": "/x/img/5.jpg"},
            "brand": "Louis Vuitton",
        },
    ],
    ids=["plain", "list", "graph", "main entity", "item list", "image object"],
)
def test_a_product_is_read_wherever_it_stands(project, shop, site, data):
    shop("/products/speedy", block(data))

    (item,) = collected(project)

    assert item["image"] == f"{site.url}/x/img/5.jpg"
    assert (item["title"], item["brand"], item["category"]) == ("Speedy 30", "Louis Vuitton", "satchel")
    assert (item["price"], item["currency"], item["condition"]) == ("1250", "EUR", "used")
    assert (item["color"], item["material"]) == ("brown", "canvas")
    assert item["page"] == f"{site.url}/products/speedy"


def test_a_malformed_block_does_not_lose_its_siblings(project, shop):
    shop("/products/speedy", block('{"@type": "Product", "name": ') + block("") + block(PRODUCT) + block("]"))

    assert [item["title"] for item in collected(project)] == ["Speedy 30"]


def test_links_to_other_sites_are_not_followed(project, shop, site):
    other = f"http://localhost:{site.port}"
    shop(
        "/x/start",
        f'<a href="{other}/share?u=/products/1">!</a><a href="http://[/products/"><a href="/products/1">',
    )
    shop("/products/1", block(PRODUCT))
    with (project.path / "config.toml").open("a") as config:
        config.write(f'[scraper.shops.other]\nkind = "rebag"\nurl = "{other}/rebag"\n')

    event = project.run("collect", "--shop", "any", "--json").event("shop")

    assert (event["new"], "/share" in site.asked) == (1, False)


def test_open_graph_is_the_fallback(project, shop):
    shop(
        "/products/speedy",
        '<meta property="og:type" content="product"><meta property="og:title" content="Pouch">'
        '<meta property="og:image" content="/x/img/8.jpg"><meta property="product:price:amount" content="90">'
        '<meta property="product:price:currency" content="USD">',
    )

    (item,) = collected(project)

    assert (item["title"], item["price"], item["currency"]) == ("Pouch", "90", "USD")


def test_a_sitemap_leads_to_the_products(project, shop, site):
    urls = "".join(f"<url><loc>{site.url}{path}</loc></url>" for path in ("/products/speedy", "/pages/about"))
    packed = gzip.compress(f'<?xml version="1.0"?><urlset>{urls}</urlset>'.encode())
    index = f"<sitemapindex><sitemap><loc>{site.url}/x/products.xml.gz</loc></sitemap></sitemapindex>"
    shop("/x/start", f'<?xml version="1.0"?>{index}', "application/xml")
    site.answers["/x/products.xml.gz"] = lambda _: web.Response(body=packed, content_type="application/gzip")
    shop("/products/speedy", block(PRODUCT))

    assert len(collected(project)) == 1
    assert "/pages/about" not in site.asked


def test_pictures_in_a_sitemap_are_no_pages_whatever_its_prefix(project, shop, site):
    entry = "<i:image><i:loc>/products/1.jpg</i:loc></i:image><s:loc>{}/products/speedy</s:loc>"
    url = f"<s:url>{entry.format(site.url)}</s:url>"
    shop("/x/start", f'<?xml version="1.0"?><s:urlset xmlns:s="s" xmlns:i="i">{url}</s:urlset>')
    shop("/products/speedy", block(PRODUCT))

    assert len(collected(project)) == 1
    assert "/products/1.jpg" not in site.asked


def test_a_broken_sitemap_is_loud(project, shop):
    shop("/x/start", '<?xml version="1.0"?><url', "application/xml")

    assert "a broken sitemap" in project.run("collect", "--json").event("problem")["message"]


def test_a_sitemap_bomb_stops_the_shop(project, shop, site):
    site.answers["/x/start"] = lambda _: web.Response(
        body=gzip.compress(bytes(70_000_000), 1), content_type="application/gzip"
    )

    assert "unpacks to more" in project.run("collect", "--json").event("problem")["message"]


def test_a_start_page_without_products_is_loud(project, shop):
    shop("/x/start", "<p>We have moved</p>")

    assert "0 products" in project.run("collect", "--json").event("problem")["message"]


def test_a_product_page_that_is_gone_costs_only_itself(project, shop, site):
    shop("/x/start", '<a href="/products/gone">x</a><a href="/products/speedy">y</a>')
    site.answers["/products/gone"] = lambda _: web.Response(status=404)
    shop("/products/speedy", block(PRODUCT))

    assert len(collected(project)) == 1


def test_saved_pages_are_read_and_pictures_that_were_not_saved_are_fetched(project, site, tmp_path, draw):
    saved = tmp_path / "saved"
    (saved / "page_files").mkdir(parents=True)
    (saved / "page_files" / "1.jpg").write_bytes(draw(1))
    (tmp_path / "secret.jpg").write_bytes(draw(9))
    cards = "".join(
        f'<div class="plp-product"><img src="{image}"><p class="product-title">Bag</p></div>'
        for image in ("page_files/1.jpg", "/rebag/img/2.jpg", f"{site.url}/rebag/img/3.jpg", "../secret.jpg")
    )
    origin = f"{site.url}/rebag/collections/all-bags"
    (saved / "page.html").write_text(
        f"<!-- saved from url=(0042){origin} --><html><body>{cards}</body></html>"
    )
    project.configure(
        f'[scraper.shops.s]\nkind = "html"\npath = "{saved}"\nreads = "rebag"\nurl = "{origin}"\n'
    )

    event = project.run("collect", "--json").event("shop")

    assert (event["new"], event["failed"]) == (3, 1)
    assert sorted(site.pictures()) == ["/rebag/img/2.jpg", "/rebag/img/3.jpg"]
