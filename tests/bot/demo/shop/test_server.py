import io
import json
import signal
import socket
import subprocess
import sys
import urllib.request
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer
from bs4 import BeautifulSoup
from PIL import Image

from bot.demo.shop.drawing import tags
from bot.demo.shop.server import create_shop

BAGS = 300


@pytest.fixture
async def client():
    async with TestClient(TestServer(create_shop(BAGS))) as client:
        yield client


async def soup(client, path):
    response = await client.get(path)
    assert response.status == 200
    assert response.content_type == "text/html"
    return BeautifulSoup(await response.text(), "lxml")


async def image(client, path):
    response = await client.get(path)
    assert response.status == 200
    return Image.open(io.BytesIO(await response.read()))


async def test_rebag_pages_have_the_markup_and_end(client):
    titles = []
    for page in (1, 2, 3, 4):
        cards = (await soup(client, f"/rebag/collections/all-bags?page={page}&_=pf")).select(
            "div.plp-product"
        )
        assert len(cards) == {1: 48, 2: 48, 3: 4, 4: 0}[page]
        titles += [
            card.select_one("div.inner-focus div.product-caption div.product-title").text for card in cards
        ]
    assert titles == [tags(number).title for number in range(1, BAGS + 1, 3)]


async def test_a_rebag_picture_comes_larger_on_request(client):
    card = (await soup(client, "/rebag/collections/all-bags?page=1")).select_one("div.plp-product")
    assert card.select_one("div.product-vendor").text == tags(1).brand
    source = card.find("img")["src"]
    assert "260x260" in source
    assert max((await image(client, source)).size) == 260
    large = await image(client, source.replace("260x260", "512x512"))
    assert (max(large.size), large.format) == (512, "JPEG")


async def test_therealreal_listings_have_the_markup_and_lazy_pictures(client):
    brands = []
    for sale in (1, 2, 3):
        cards = (await soup(client, f"/therealreal/sales/{sale}")).select("div.product-card-aligner")
        assert len(cards) in (33, 34)
        brands += [card.select_one("div.product-card__brand").text for card in cards]
        first, last = cards[0].find("img"), cards[-1].find("img")
        assert not first["src"].startswith("data:")
        assert last["src"].startswith("data:image")
        assert cards[-1].select_one("div.product-card__description").text
        picture = await image(client, last["data-src"].split("?")[0] + "?width=512")
        assert picture.width == 512
        assert not (await soup(client, f"/therealreal/sales/{sale}?page=2")).select(
            "div.product-card-aligner"
        )
    assert sorted(brands) == sorted(tags(number).brand for number in range(2, BAGS + 1, 3))
    assert (await client.get("/therealreal/sales/99")).status == 404


async def test_shopify_products_have_the_fields_and_end(client):
    products = []
    for page in (1, 2, 3):
        response = await client.get(f"/shopify/collections/bags/products.json?limit=60&page={page}")
        products += (await response.json())["products"]
    assert [product["title"] for product in products] == [
        tags(number).title for number in range(3, BAGS + 1, 3)
    ]
    product = products[0]
    assert float(product["variants"][0]["price"]) == tags(3).price
    assert product["variants"][0]["available"] is True
    source = product["images"][0]
    assert source["src"].startswith("http://127.0.0.1")
    path = urlsplit(source["src"]).path
    original = await image(client, path)
    assert (original.format, original.size) == ("PNG", (source["width"], source["height"]))
    assert max((await image(client, path.replace(".png", "_256x256.png"))).size) == 256


async def test_the_three_styles_share_no_bag_and_leave_none_out(client):
    rebag = {
        n
        for page in (1, 2, 3)
        for n in await numbers(client, f"/rebag/collections/all-bags?page={page}", "data-product-id")
    }
    real = {n for sale in (1, 2, 3) for n in await numbers(client, f"/therealreal/sales/{sale}", "data-id")}
    shopify = {
        p["id"]
        for p in (await (await client.get("/shopify/collections/bags/products.json?limit=250")).json())[
            "products"
        ]
    }
    assert len(rebag) + len(real) + len(shopify) == BAGS
    assert rebag | real | shopify == set(range(1, BAGS + 1))


async def numbers(client, path, attribute):
    return [int(element[attribute]) for element in (await soup(client, path)).select(f"[{attribute}]")]


async def test_robots_allow_what_is_sold_and_nonsense_is_answered(client):
    robots = await (await client.get("/robots.txt")).text()
    assert "User-agent: *" in robots
    assert "Disallow: /rebag" not in robots
    assert (await client.get(f"/rebag/img/{BAGS + 1}_512x512.jpg")).status == 404
    assert (await client.get("/rebag/img/0_512x512.jpg")).status == 404
    assert (
        len((await soup(client, "/rebag/collections/all-bags?page=banana")).select("div.plp-product")) == 48
    )
    assert max((await image(client, "/therealreal/img/2.jpg?width=99999")).size) <= 2048
    assert len((await soup(client, "/")).select("a")) == 5


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_its_address_and_ends_cleanly(ending):
    command = [sys.executable, "-m", "bot.demo.shop.server", "--bags", "9"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as shop:
        try:
            address = shop.stdout.readline().strip()
            with urllib.request.urlopen(f"{address}/shopify/collections/bags/products.json") as answer:
                assert [product["id"] for product in json.load(answer)["products"]] == [3, 6, 9]
        finally:
            shop.send_signal(ending)
        assert shop.wait(20) == 0
        assert shop.stderr.read() == ""


def test_it_ends_with_whoever_holds_its_leash():
    command = [sys.executable, "-m", "bot.demo.shop.server", "--bags", "9", "--leashed"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shop:
        assert shop.stdout.readline().startswith(b"http://127.0.0.1:")
        shop.stdin.close()
        assert shop.wait(20) == 0


def test_a_busy_port_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "bot.demo.shop.server", "--port", str(port)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert str(port) in ended.stderr
