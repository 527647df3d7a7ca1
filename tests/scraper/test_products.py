"""Products as shops describe them: JSON-LD with all its slips, microdata, RDFa and Open Graph."""

import json

import pytest

from scraper.markup import Page
from scraper.shop import Found
from scraper.shops.jsonld import JsonLd
from scraper.tags import normalize

BAG = {
    "@context": "https://schema.org",
    "@type": "Product",
    "name": "Ada Tote",
    "image": "/i/a.jpg",
    "brand": {"@type": "Brand", "name": "Fendi"},
    "offers": {"@type": "Offer", "price": "120.00", "priceCurrency": "EUR"},
}
PLAIN = json.dumps(BAG)
SHOP = JsonLd(name="any", kind="jsonld", url="https://shop.example/p/1", products="^none$")


def read(body: str) -> list[Found]:
    """The products of a page, as they are cataloged."""
    listing = SHOP.read(Page("https://shop.example/p/1", f"<!doctype html>{body}".encode()))
    return [normalize(found) for found in listing.items]


def block(data: object, kind: str = "application/ld+json") -> str:
    """A JSON-LD block."""
    return f'<script type="{kind}">{data if isinstance(data, str) else json.dumps(data)}</script>'


def bag(**changes: object) -> str:
    """The block of a product; None takes a property away."""
    return block({key: value for key, value in (BAG | changes).items() if value is not None})


def meta(**tags: str) -> str:
    """Meta tags; `__` stands for a colon."""
    return "".join(
        f'<meta property="{name.replace("__", ":")}" content="{value}">' for name, value in tags.items()
    )


def facts(found: Found) -> tuple[str, ...]:
    """What every way of describing the same bag must give."""
    path = found.image.removeprefix("https://shop.example")
    return path, found.title, found.brand, found.price, found.currency


THE_BAG = ("/i/a.jpg", "Ada Tote", "Fendi", "120.00", "EUR")


@pytest.mark.parametrize(
    "text",
    [
        f"/*<![CDATA[*/{PLAIN}/*]]>*/",
        f"//<![CDATA[\n{PLAIN}\n//]]>",
        f"<![CDATA[{PLAIN}]]>",
        f"// a [product]\n{PLAIN}",
        f"/* {{a}} product */ {PLAIN}",
        f"<!--\n{PLAIN}\n-->",
        f"{PLAIN};",
        PLAIN.replace("}}", "},}"),
        PLAIN.replace("}}", "} , /* no more */ }"),
        f"[{PLAIN},]",
        f"{PLAIN}\n{PLAIN}",
        "\ufeff" + PLAIN,
        PLAIN.replace('"', "&quot;"),
        PLAIN.replace("Tote", "Tote\n").replace("}}", "},}"),
        PLAIN.replace("Fendi", r"Fendi\'s").replace(r"Fendi\'s", "Fendi") + "<!-- ' -->",
        PLAIN[:-1] + ', "description": "a // b /* c */, } <!-- d"}',
    ],
)
def test_slips_in_json_ld_lose_nothing(text):
    assert {facts(found) for found in read(block(text))} == {THE_BAG}


def test_a_backslash_that_json_does_not_know():
    (found,) = read(block(PLAIN.replace("Ada", r"Ada\'s")))

    assert found.title == "Ada's Tote"


@pytest.mark.parametrize(
    "kind",
    ["product", "PRODUCT", "https://schema.org/Product", "http://schema.org/Product", "schema:Product",
     ["Thing", "Product"], ["http://schema.org/Product"], "IndividualProduct"],
)  # fmt: skip
def test_types_in_any_spelling(kind):
    assert [facts(found) for found in read(bag(**{"@type": kind}))] == [THE_BAG]


def test_terms_and_keywords_in_any_spelling():
    data = json.dumps(BAG)
    for term in ("name", "image", "offers", "priceCurrency"):
        data = data.replace(f'"{term}"', f'"http://schema.org/{term}"')
    data = data.replace('"@type"', '"type"').replace('"price"', '"schema:price"')

    assert [facts(found) for found in read(block(data, "Application/LD+JSON; charset=utf-8"))] == [THE_BAG]


@pytest.mark.parametrize(
    "deep", ["[" * 200_000, "[" * 200_000 + "]" * 200_000, '{"@type":"Product","brand":' * 50_000]
)
def test_depth_costs_only_its_block(deep):
    assert [facts(found) for found in read(block(deep) + block(PLAIN))] == [THE_BAG]


def test_references_within_the_page():
    graph = [
        {"@type": "WebPage", "@id": "#page", "primaryImageOfPage": {"@id": "#picture"}},
        {**BAG, "@id": "#p", "image": {"@id": "#picture"}, "brand": {"@id": "https://shop.example/p/1#brand"},
         "offers": [{"@id": "#offer"}], "mainEntityOfPage": {"@id": "#page"}},
    ]  # fmt: skip
    others = [
        {"@type": "ImageObject", "@id": "#picture", "contentUrl": "/i/a.jpg"},
        {"@type": "Brand", "@id": "#brand", "name": "Fendi", "owns": {"@id": "#p"}},
        {"@type": "Offer", "@id": "#offer", "price": 120.00, "priceCurrency": "EUR"},
    ]

    assert facts(read(block({"@graph": graph + others}))[0])[:3] == THE_BAG[:3]
    assert facts(read(block({"@graph": graph}) + block(others))[0])[3:] == ("120.0", "EUR")


def test_a_reference_that_leads_nowhere_is_no_picture():
    assert read(bag(image={"@id": "#none"})) == []


def test_values_that_lead_in_circles_end():
    names = [{"@id": f"#{number}"} for number in range(50)]
    graph = [{"@type": "Brand", "@id": f"#{number}", "name": names} for number in range(50)]

    assert facts(read(block({"@graph": [{**BAG, "brand": names}, *graph]}))[0])[2] == ""


def test_variants_have_what_their_group_says():
    variants = [
        {"@type": "Product", "name": f"Ada Tote - {color}", "image": f"/i/{color}.jpg", "color": color,
         "offers": {"price": price, "priceCurrency": "EUR"}}
        for color, price in (("Black", 120), ("Sand", 130))
    ]  # fmt: skip
    group = {
        "@type": "ProductGroup",
        "name": "Ada Tote",
        "brand": "Fendi",
        "category": "Totes",
        "material": "Leather",
    }

    found = read(block({**group, "hasVariant": variants}))
    referring = read(
        block(
            {
                "@graph": [
                    {**group, "@id": "#g"},
                    *({**each, "isVariantOf": {"@id": "#g"}} for each in variants),
                ]
            }
        )
    )
    numbered = read(
        block(
            [{**group, "productGroupID": "7"}, *({**each, "inProductGroupWithID": "7"} for each in variants)]
        )
    )

    assert [facts(each) for each in found] == [
        ("/i/Black.jpg", "Ada Tote - Black", "Fendi", "120", "EUR"),
        ("/i/Sand.jpg", "Ada Tote - Sand", "Fendi", "130", "EUR"),
    ]
    assert {(each.category, each.material) for each in found} == {("tote", "leather")}
    assert referring == numbered == found


def test_variants_with_the_picture_of_their_group_are_one():
    sizes = [{"@type": "Product", "name": f"Ada Tote - {size}", "offers": BAG["offers"]} for size in "SML"]

    found = read(bag(**{"@type": "ProductGroup", "offers": None, "hasVariant": sizes}))

    assert [facts(each) for each in found] == [THE_BAG]


def test_a_variant_that_is_only_named_by_its_page_is_none():
    variants = [{"@type": "Product", "name": "Ada", "image": "/i/a.jpg"}, {"url": "/p/2"}]

    assert len(read(bag(**{"@type": "ProductGroup", "image": "/i/all.jpg", "hasVariant": variants}))) == 1


@pytest.mark.parametrize(
    "image", [None, [None, None], "", {}, {"@type": "ImageObject"}, "data:image/gif;base64,R0"]
)
@pytest.mark.parametrize("kind", ["product", "website"])
def test_a_product_without_a_picture_has_that_of_open_graph(image, kind):
    (found,) = read(bag(image=image) + meta(og__type=kind, og__title="Ada | Shop", og__image="/i/og.jpg"))

    assert facts(found) == ("/i/og.jpg", *THE_BAG[1:])


def test_several_products_do_not_share_the_picture_of_open_graph():
    products = block([{**BAG, "image": None, "name": name} for name in ("Ada", "Bea")])

    assert read(products + meta(og__image="/i/banner.jpg")) == []


def test_a_product_has_what_open_graph_says_besides():
    tags = meta(product__price__amount="80", product__price__currency="USD", product__color="Navy")

    (found,) = read(bag(offers={"priceCurrency": "EUR"}, brand=None) + tags + meta(product__brand="COACH"))

    assert (found.price, found.currency, found.color, found.brand) == ("80", "USD", "blue", "Coach")


def test_entities_in_values():
    (found,) = read(
        bag(
            name="11&quot; Tote &amp; Strap",
            brand="Dolce &amp; Gabbana",
            image="/i/a.jpg?w=800&amp;h=800&copy=1&#038;x=2",
        )
    )

    assert (found.title, found.brand) == ('11" Tote & Strap', "Dolce & Gabbana")
    assert found.image == "https://shop.example/i/a.jpg?w=800&h=800&copy=1&x=2"


@pytest.mark.parametrize(
    ("image", "taken"),
    [
        (["/i/a-w50-h60.jpg", "/i/a-w240-h290.jpg", "/i/a-w1200-h1200.jpg"], "/i/a-w1200-h1200.jpg"),
        (["/i/a.jpg?w=50&h=50", "/i/a.jpg?w=800&h=800"], "/i/a.jpg?w=800&h=800"),
        (["/i/a_100x100.jpg", "/i/a_1024x1024.jpg", "/i/b_1024x1024.jpg"], "/i/a_1024x1024.jpg"),
        (["/i/a-150x150.jpg", "/i/a.jpg", "/i/b.jpg"], "/i/a.jpg"),
        (["/i/a_small.jpg", "/i/a_large.jpg"], "/i/a_large.jpg"),
        (["/i/5.jpg", "/i/6.jpg"], "/i/5.jpg"),
        (["/i/front.jpg", "/i/back.jpg"], "/i/front.jpg"),
        ([{"url": "/i/s.jpg", "width": 100}, {"url": "/i/l.jpg", "width": "1200px"}], "/i/l.jpg"),
        ([{"url": "/i/f.jpg", "width": {"value": 11}}, {"url": "/i/b.jpg", "width": 12}], "/i/f.jpg"),
        (["data:image/png;base64,x", "/i/a.jpg"], "/i/a.jpg"),
        ({"@id": "https://shop.example/i/a.jpg"}, "/i/a.jpg"),
    ],
)  # fmt: skip
def test_the_first_view_in_its_largest_size(image, taken):
    assert facts(read(bag(image=image))[0])[0] == taken


@pytest.mark.parametrize(
    ("offers", "price"),
    [
        ({"@type": "AggregateOffer", "priceCurrency": "EUR", "offers": [{"price": "120.00"}]}, "120.00"),
        ({"@type": "AggregateOffer", "priceCurrency": "EUR", "lowPrice": 80, "highPrice": 99}, "80"),
        ([{"availability": "x"}, {"price": 99, "priceCurrency": "EUR"}], "99"),
        ([{"price": 0, "priceCurrency": "EUR"}, {"price": 99, "priceCurrency": "EUR"}], "99"),
        ({"price": "0", "priceCurrency": "EUR", "availability": "https://schema.org/OutOfStock"}, ""),
        ({"price": 0.0, "priceCurrency": "EUR"}, ""),
        ({"price": "on request", "priceCurrency": "EUR"}, ""),
        ({"priceSpecification": [
            {"price": 150, "priceCurrency": "EUR", "priceType": "https://schema.org/ListPrice"},
            {"price": 99, "priceCurrency": "EUR"}]}, "99"),
        ({"price": 120.000, "priceCurrency": "€"}, "120.0"),
        ({"price": {"@value": "99"}, "priceCurrency": {"@value": "EUR"}}, "99"),
    ],
)  # fmt: skip
def test_prices(offers, price):
    (found,) = read(bag(offers=offers))

    assert (found.price, found.currency) == (price, "EUR" if price else "")


def test_a_number_of_a_million_digits_costs_nothing():
    (found,) = read(block(PLAIN.replace('"120.00"', "9" * 1_000_000)))

    assert found.title == "Ada Tote"
    assert len(found.price) <= 100


def test_an_offer_around_its_product():
    offer = {"@type": "Offer", "price": "120.00", "priceCurrency": "EUR"}

    (found,) = read(block({**offer, "itemOffered": {key: BAG[key] for key in ("@type", "name", "image")}}))
    assert (found.price, found.currency) == ("120.00", "EUR")


@pytest.mark.parametrize(
    ("said", "category"),
    [
        ("Damen/Taschen/Abendtaschen", "Abendtaschen"),
        ("Bags > Satchels", "Satchels"),
        ("Women | Bags | Totes | 5166", "Totes"),
        ("5166", ""),
        (["5166", "Bags » Hobos"], "Hobos"),
        ({"@type": "CategoryCode", "name": "Bags/Clutches"}, "Clutches"),
        ("https://example.com/taxonomy/12", ""),
    ],
)
def test_the_last_part_of_a_category(said, category):
    page = bag(category=said).encode()

    assert SHOP.read(Page("https://shop.example/p/1", page)).items[0].category == category


def test_the_color_is_that_of_the_field():
    names = (
        {"name": "Lining color", "value": "Red"},
        {"name": "pa_color", "value": "Navy"},
        {"name": "Material", "value": "Suede"},
    )

    (found,) = read(bag(name="The Wine Lover", additionalProperty=list(names)))

    assert (found.color, found.material) == ("blue", "suede")


def test_a_base_address():
    (found,) = read('<base href="/shop/">' + bag(image="i/a.jpg", url="p/1"))

    assert (found.image, found.url) == ("https://shop.example/shop/i/a.jpg", "https://shop.example/shop/p/1")


MICRODATA = (
    '<div itemscope itemtype="{kind}"><h1 itemprop="name">Ada\n Tote</h1>'
    '<img itemprop="image" src="/placeholder.gif" data-src="/i/a.jpg"><span itemprop="brand">Fendi</span>'
    '<div itemprop="offers" itemscope itemtype="https://schema.org/Offer">'
    '<meta itemprop="price" content="120.00"><meta itemprop="priceCurrency" content="EUR"></div></div>'
)
RDFA = (
    '<div vocab="https://schema.org/" typeof="{kind}"><h1 property="{p}name">Ada Tote</h1>'
    '<img property="{p}image" src="/i/a.jpg">'
    '<div property="{p}brand" typeof="{p}Brand"><b property="{p}name">Fendi</b></div>'
    '<div property="{p}offers" typeof="{p}Offer"><span property="{p}price" content="120.00">120</span>'
    '<span property="{p}priceCurrency" content="EUR">€</span></div></div>'
)


@pytest.mark.parametrize(
    "body",
    [
        MICRODATA.format(kind="https://schema.org/Product"),
        MICRODATA.format(kind="HTTP://SCHEMA.ORG/product"),
        f'<div itemscope itemtype="https://schema.org/WebPage">{MICRODATA.format(kind="http://schema.org/Product")}</div>',
        MICRODATA.format(kind="https://schema.org/Product").replace(
            '<span itemprop="brand">Fendi</span>',
            '<div itemprop="brand" itemscope itemtype="https://schema.org/Brand">'
            '<meta itemprop="name" content="Fendi"></div>',
        ),
        MICRODATA.format(kind="https://schema.org/Product").replace("<h1", '<a href="/p"')
        .replace("</h1>", "</a>"),
        MICRODATA.format(kind='https://schema.org/Product" itemref="more')
        .replace('<span itemprop="brand">Fendi</span>', "")
        + '<p id="more"><span itemprop="brand">Fendi</span></p>',
        RDFA.format(kind="Product", p=""),
        RDFA.format(kind="schema:Product", p="schema:"),
        RDFA.format(kind="https://schema.org/Product", p="https://schema.org/"),
    ],
)  # fmt: skip
def test_microdata_and_rdfa(body):
    assert [facts(found) for found in read(body)] == [THE_BAG]


@pytest.mark.parametrize(
    "tag", ["<b itemprop=name>", "<div itemscope itemprop=offers>", "<picture itemprop=image>"]
)
def test_deep_microdata_ends(tag):
    assert read(f"<div itemscope itemtype=Product>{tag * 3_000}") == []


@pytest.mark.parametrize(
    ("tags", "image", "price"),
    [
        ("".join(meta(og__image=f"/i/{view}.jpg") for view in ("front", "back", "in")), "/i/front.jpg", ""),
        (meta(og__image="") + meta(og__image__secure_url="/i/b.jpg"), "/i/b.jpg", ""),
        (meta(og__image="/i/a.jpg?x=1&amp;amp;y=2"), "/i/a.jpg?x=1&y=2", ""),
        (
            meta(og__image="/i/a.jpg", product__price__amount="148.00", product__sale_price__amount="97.00",
                 product__price__currency="EUR"), "/i/a.jpg", "97.00",
        ),
        (
            meta(og__image="/i/a.jpg", product__price__amount="148.00", product__sale_price__amount="0",
                 product__price__currency="EUR"), "/i/a.jpg", "148.00",
        ),
    ],
)  # fmt: skip
def test_open_graph(tags, image, price):
    (found,) = read(meta(og__type="og:product", og__title="Ada Tote", product__category="5166") + tags)

    assert facts(found) == (image, "Ada Tote", "", price, "EUR" if price else "")
    assert found.category == "tote"
