"""A real shop on loopback, in the markup of three kinds, and the command line that crawls it."""

import asyncio
import io
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from scraper.__main__ import app

PAGE = 4
"""Bags per page of the loopback shop."""


def bag(number: int, kind: str = "JPEG", size: tuple[int, int] = (120, 90)) -> bytes:
    """A drawn bag, different for each number."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    color = (37 * number % 200, 91 * number % 180, 53 * number % 220)
    width, height = size
    pen.rounded_rectangle((width * 0.2, height * 0.4, width * 0.8, height * 0.9), 8, fill=color)
    pen.arc(
        (width * 0.3, height * 0.1, width * (0.6 + number % 7 / 40), height * 0.7),
        180,
        360,
        fill=color,
        width=4,
    )
    pen.text((width * 0.4, height * 0.6), str(number), fill="white")
    return encode(image, kind)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a picture file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@dataclass
class Site:
    """The loopback shop: `bags` are the numbers on sale; `answers` overrides the answer to a path."""

    bags: list[int] = field(default_factory=lambda: list(range(1, 11)))
    answers: dict[str, Callable[[web.Request], object]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    headers: dict[str, str] = field(default_factory=dict)
    port: int = 0
    reached: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    def pictures(self) -> list[str]:
        """The paths of the requested pictures."""
        return [path for path in self.asked if "/img/" in path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers a request, and remembers its path and headers."""
        self.asked[request.path] += 1
        self.headers.update(request.headers)
        if answer := self.answers.get(request.path):
            result = answer(request)
            return await result if asyncio.iscoroutine(result) else result  # type: ignore[return-value]
        number = int(request.query.get("page", "1"))
        bags = self.bags[(number - 1) * PAGE : number * PAGE]
        kind, _, rest = request.path.strip("/").partition("/")
        if rest.startswith("img/"):
            return web.Response(
                body=bag(int(rest.split("/")[1].split("_")[0].split(".")[0])), content_type="image/jpeg"
            )
        if kind == "rebag":
            return page("".join(map(rebag_card, bags)))
        if kind == "therealreal":
            return page("".join(map(therealreal_card, bags)))
        if kind == "shopify":
            return web.json_response({"products": [shopify_product(n) for n in bags]})
        raise web.HTTPNotFound


def page(body: str) -> web.Response:
    """An HTML page with more on it than cards."""
    junk = "<nav class='menu'><a href='/x'>Menu</a></nav>"
    return web.Response(
        text=f"<html><head><title>Shop</title></head><body>{junk}{body}</body></html>",
        content_type="text/html",
    )


def rebag_card(n: int) -> str:
    """A card of Rebag's listing, with a relative image URL."""
    return (
        f'<div class="col-3 plp-product"><a href="/products/{n}"><img src="/rebag/img/{n}_260x260.jpg"></a>'
        '<div class="inner-focus"><div class="product-caption"><div class="product-vendor">Hermès</div>'
        f'<div class="product-title">Birkin {n} Togo</div></div></div></div>'
    )


def therealreal_card(n: int) -> str:
    """A card of TheRealReal's listing, with a lazy image."""
    return (
        '<div class="product-card-aligner js-card"><div class="product-card__brand">Chanel</div>'
        f'<div class="product-card__description">Flap Bag {n}</div>'
        f'<img src="data:image/gif;base64,R0" data-src="/therealreal/img/{n + 100}.jpg?width=9&x=1"></div>'
    )


def shopify_product(n: int) -> dict[str, object]:
    """A product of products.json."""
    return {
        "id": n, "title": f"Tote {n}", "handle": f"tote-{n}", "vendor": "Telfar", "product_type": "Totes",
        "variants": [{"price": "1250.00", "available": True}],
        "images": [
            {"src": f"/shopify/img/{n + 999}.jpg?v=7", "position": 2},
            {"src": f"/shopify/img/{n + 200}.jpg?v=7", "position": 1},
        ],
    }  # fmt: skip


@pytest.fixture
def site() -> Iterator[Site]:
    """The shop, served from another thread."""
    shop = Site()
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    done = asyncio.Event()

    async def serve() -> None:
        application = web.Application()
        application.router.add_route("GET", "/{path:.*}", shop.handle)
        runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        server = web.TCPSite(runner, "127.0.0.1", 0)
        await server.start()
        shop.port = runner.addresses[0][1]
        ready.set()
        await done.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    yield shop
    loop.call_soon_threadsafe(done.set)
    thread.join()
    loop.close()


@dataclass
class Result:
    """The exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, object]]:
        """The JSON lines of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    def event(self, name: str) -> dict[str, object]:
        """The only event of this name."""
        (event,) = (event for event in self.events if event["event"] == name)
        return event


@dataclass
class Project:
    """A folder with a config, to run the scraper in."""

    path: Path

    def configure(self, text: str) -> None:
        """Writes the config, with its folders set and without delays toward ourselves."""
        self.path.joinpath("config.toml").write_text(
            f'[scraper]\nfolder = "{self.path}/shop"\ndataset = "{self.path}/dataset"\n'
            f"delay = 0\nbackoff = 0\nattempts = 2\n{text}"
        )

    def shops(self, site: Site, *kinds: str, more: str = "") -> None:
        """Configures the loopback shop as these kinds."""
        paths = {
            "rebag": "rebag/collections/all-bags",
            "therealreal": "therealreal/sales/1",
            "shopify": "shopify/collections/bags",
        }
        tables = [
            f'[scraper.shops.{kind}]\nkind = "{kind}"\nurl = "{site.url}/{paths[kind]}"\n' for kind in kinds
        ]
        self.configure(more + "\n" + "".join(tables))

    def run(self, *words: str | Path) -> Result:
        """Runs `python -m scraper …`, in this process."""
        result = CliRunner().invoke(app, ["--config", str(self.path / "config.toml"), *map(str, words)])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Result(result.exit_code, result.stdout, result.stderr)

    def images(self) -> np.ndarray:
        """images.npy."""
        return np.load(self.path / "dataset" / "images.npy", mmap_mode="r")

    def items(self) -> list[dict[str, object]]:
        """items.jsonl."""
        return [
            json.loads(line)
            for line in (self.path / "dataset" / "items.jsonl").read_text("utf-8").splitlines()
        ]

    def manifest(self) -> dict[str, object]:
        """manifest.json."""
        return json.loads((self.path / "dataset" / "manifest.json").read_text())


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Sleeping takes no time: the clock of all event loops jumps ahead. Lists the seconds of each sleep."""
    slept: list[float] = []
    clock, yield_control = asyncio.BaseEventLoop.time, asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await yield_control(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(asyncio.BaseEventLoop, "time", lambda loop: clock(loop) + sum(slept))
    return slept


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A folder whose config has no shops."""
    project = Project(tmp_path)
    project.configure("")
    return project


@pytest.fixture(name="draw")
def draw_fixture() -> Callable[..., bytes]:
    """`draw(number, kind="JPEG", size=(120, 90))`: the bytes of a drawn bag."""
    return bag


class Neighbor:
    """Another server of this machine, which no shop names; it counts who connects."""

    def __init__(self, server: socket.socket) -> None:
        self.server = server
        self.port: int = server.getsockname()[1]

    def connections(self) -> int:
        """How many have connected since the last call."""
        try:
            self.server.accept()
        except BlockingIOError:
            return 0
        return 1 + self.connections()


@pytest.fixture
def neighbor() -> Iterator[Neighbor]:
    """See Neighbor."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield Neighbor(server)
