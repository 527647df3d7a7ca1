"""`python -m bot.demo.shop.server`, the demo's shop: drawn bags on loopback in three real shops' markup.

A third of the bags is in Rebag's listing, a third in TheRealReal's, a third in Shopify's JSON.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from html import escape
from io import BytesIO
from typing import Annotated

import typer
from aiohttp import web

from bot.demo.shop.drawing import draw, frame, tags

_BAGS = web.AppKey("bags", int)
_REBAG_PAGE = 48
_SALES = 3
_SALE_PAGE = 60
_SHOPIFY_LIMIT = 250
_PLACEHOLDER = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
_IMAGE_TYPES = {"jpg": ("JPEG", "image/jpeg"), "png": ("PNG", "image/png")}
_LARGEST = 2048

routes = web.RouteTableDef()


def create_shop(bags: int) -> web.Application:
    """The shop with bags 1 to `bags`, not listening yet."""
    app = web.Application()
    app[_BAGS] = bags
    app.add_routes(routes)
    return app


def _stock(request: web.Request, style: int) -> range:
    """The numbers of the bags that one of the three styles (0, 1 or 2) sells."""
    return range(style + 1, request.app[_BAGS] + 1, 3)


def _whole(request: web.Request, name: str, default: int) -> int:
    """A positive number from the query; the default for anything else."""
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0 else default


def _page(numbers: range, page: int, size: int) -> range:
    return numbers[(page - 1) * size : page * size]


def _html(title: str, body: str) -> web.Response:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title>'
    text = f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'
    return web.Response(text=text, content_type="text/html")


def _price(number: int) -> str:
    tag = tags(number)
    return f"{_SYMBOLS[tag.currency]}{tag.price:,.0f}"


@routes.get("/robots.txt")
async def _robots(request: web.Request) -> web.Response:
    return web.Response(text="User-agent: *\nDisallow: /cart\nDisallow: /checkout\n")


@routes.get("/")
async def _door(request: web.Request) -> web.Response:
    listings = ["/rebag/collections/all-bags?page=1"]
    listings += [f"/therealreal/sales/{sale}?page=1" for sale in range(1, _SALES + 1)]
    listings += ["/shopify/collections/bags/products.json?limit=250&page=1"]
    links = "".join(f'<li><a href="{escape(address)}">{escape(address)}</a></li>' for address in listings)
    return _html("Drawn bags", f"<h1>{request.app[_BAGS]} drawn bags</h1><ul>{links}</ul>")


@routes.get("/rebag/collections/all-bags")
async def _rebag(request: web.Request) -> web.Response:
    cards = []
    for number in _page(_stock(request, 0), _whole(request, "page", 1), _REBAG_PAGE):
        tag = tags(number)
        cards.append(
            f"""<div class="plp-product" data-product-id="{number}">
  <a class="inner-focus-link" href="/rebag/products/{number}">
    <div class="product-image">
      <img class="lazyload" src="/rebag/img/{number}_260x260.jpg" alt="{escape(tag.title)}">
    </div>
  </a>
  <div class="inner-focus"><div class="product-caption">
    <div class="product-vendor">{escape(tag.brand)}</div>
    <div class="product-title">{escape(tag.title)}</div>
    <div class="product-price">{escape(_price(number))}</div>
  </div></div>
</div>"""
        )
    return _html("All bags", '<div class="plp-products">\n' + "\n".join(cards) + "\n</div>")


@routes.get(r"/therealreal/sales/{sale:\d{1,6}}")
async def _therealreal(request: web.Request) -> web.Response:
    sale = int(request.match_info["sale"])
    if not 1 <= sale <= _SALES:
        raise web.HTTPNotFound(text="no such sale")
    cards = []
    for place, number in enumerate(
        _page(_stock(request, 1)[sale - 1 :: _SALES], _whole(request, "page", 1), _SALE_PAGE)
    ):
        tag = tags(number)
        address = f"/therealreal/img/{number}.jpg?width=280"
        # The real page fills in the first pictures and leaves those below the fold to a script.
        image = f'src="{address}"' if place < 4 else f'src="{_PLACEHOLDER}" data-src="{address}"'
        cards.append(
            f"""<div class="product-card-aligner"><div class="product-card" data-id="{number}">
  <a class="product-card__link" href="/therealreal/products/{number}">
    <div class="product-card__image"><img {image} alt="{escape(tag.title)}"></div>
    <div class="product-card__brand">{escape(tag.brand)}</div>
    <div class="product-card__description">{escape(tag.title)}</div>
    <div class="product-card__price">{escape(_price(number))}</div>
  </a>
</div></div>"""
        )
    return _html(f"Sale {sale}", '<div class="product-grid">\n' + "\n".join(cards) + "\n</div>")


@routes.get("/shopify/collections/bags/products.json")
async def _shopify(request: web.Request) -> web.Response:
    limit = min(_whole(request, "limit", 30), _SHOPIFY_LIMIT)
    numbers = _page(_stock(request, 2), _whole(request, "page", 1), limit)
    return web.json_response({"products": [_product(request, number) for number in numbers]})


def _product(request: web.Request, number: int) -> dict[str, object]:
    tag = tags(number)
    width, height = frame(number)
    source = request.url.origin().with_path(f"/shopify/cdn/{number}.png").with_query(v="1")
    return {
        "id": number,
        "title": tag.title,
        "handle": f"bag-{number}",
        "vendor": tag.brand,
        "product_type": tag.category.title(),
        "tags": [f"color:{tag.color}", f"category:{tag.category}", f"currency:{tag.currency}"],
        "body_html": f"<p>A {escape(tag.title.lower())} by {escape(tag.brand)}.</p>",
        "variants": [
            {"id": number * 10, "title": "Default Title", "price": f"{tag.price:.2f}", "available": True}
        ],
        "images": [{"id": number * 100, "position": 1, "src": str(source), "width": width, "height": height}],
    }


@routes.get(r"/rebag/img/{number:\d{1,9}}_{width:\d{1,4}}x{height:\d{1,4}}.{type:jpg}")
@routes.get(r"/therealreal/img/{number:\d{1,9}}.{type:jpg}")
@routes.get(r"/shopify/cdn/{number:\d{1,9}}.{type:png}")
@routes.get(r"/shopify/cdn/{number:\d{1,9}}_{width:\d{1,4}}x{height:\d{1,4}}.{type:png}")
async def _image(request: web.Request) -> web.Response:
    """A photo at its own size or, with the same proportions, fitted into the requested box or width."""
    found = request.match_info
    number = int(found["number"])
    if not 1 <= number <= request.app[_BAGS]:
        raise web.HTTPNotFound(text="no such bag")
    width, height = frame(number)
    box = [int(found[side]) for side in ("width", "height") if side in found] or [
        _whole(request, "width", width)
    ]
    scale = min(side / full for side, full in zip(box, (width, height), strict=False))
    size = [min(max(round(side * scale), 1), _LARGEST) for side in (width, height)]
    kind, content_type = _IMAGE_TYPES[found["type"]]
    body = await asyncio.to_thread(_encode, number, size[0], size[1], kind)
    return web.Response(body=body, content_type=content_type)


def _encode(number: int, width: int, height: int, kind: str) -> bytes:
    buffer = BytesIO()
    draw(number, width, height).save(buffer, kind, quality=90, compress_level=1)
    return buffer.getvalue()


class _Leash(asyncio.Protocol):
    """Calls `let_go` when the other end of a pipe closes, however its owner ended."""

    def __init__(self, let_go: Callable[[], None]) -> None:
        self._let_go = let_go

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()


async def serve(port: int, bags: int, *, leashed: bool = False) -> None:
    """Write the address to stdout, then serve on 127.0.0.1 until SIGTERM or SIGINT.

    `leashed`: standard input is a pipe, and the shop ends when it closes. Raises OSError if the port is
    taken.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if leashed:
        await loop.connect_read_pipe(lambda: _Leash(ended.set), sys.stdin)
    runner = web.AppRunner(create_shop(bags), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        host, port = runner.addresses[0][:2]
        typer.echo(f"http://{host}:{port}")
        await ended.wait()
    finally:
        await runner.cleanup()


def main(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")] = 0,
    bags: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many bags the shop sells.")] = 600,
    leashed: Annotated[
        bool, typer.Option("--leashed", help="End when standard input, a pipe, closes.")
    ] = False,
) -> None:
    """Sell drawn bags on loopback."""
    try:
        asyncio.run(serve(port, bags, leashed=leashed))
    except OSError as error:
        typer.echo(f"the demo's shop can't listen on 127.0.0.1:{port}: {error.strerror or error}", err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    shop = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    shop.command()(main)
    shop()
