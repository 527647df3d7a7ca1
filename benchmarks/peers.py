"""The programs of the scrapers that ours is measured against; `scrape` runs each in a process of its own."""

SQUARES_ONLY = """
import asyncio, io, sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from PIL import Image
from scraper.fetch import Fetcher
from scraper.markup import Page
from scraper.settings import Settings
from scraper.shops.rebag import Rebag
from scraper.square import DETAIL

def square(data):
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (64 * DETAIL, 64 * DETAIL))
    return np.asarray(image.convert("RGB").resize((64, 64), Image.Resampling.LANCZOS))

async def main(start):
    shop = Rebag(name="bench", kind="rebag", url=start)
    settings = Settings(delay=0, connections=32)
    pool, loop, found, squares = ThreadPoolExecutor(), asyncio.get_running_loop(), asyncio.Queue(), []
    async with Fetcher(settings, "Bench") as fetcher, asyncio.TaskGroup() as group:
        async def work():
            while item := await found.get():
                answer = await fetcher.get(item.image, shop, settings.picture_bytes)
                squares.append(await loop.run_in_executor(pool, square, answer.body))
        for _ in range(64):
            group.create_task(work())
        pages = shop.start()
        while pages:
            answer = await fetcher.get(pages.pop(), shop, settings.page_bytes)
            listing = shop.read(Page(answer.url, answer.body, answer.charset))
            pages += listing.more
            for item in listing.items:
                found.put_nowait(item)
        for _ in range(64):
            found.put_nowait(None)
    np.save("images.npy", np.stack(squares))

asyncio.run(main(sys.argv[1] + "/collections/all-bags"))
"""

SCRAPY = """
import io, logging, sys
import scrapy
from PIL import Image
from scrapy.crawler import CrawlerProcess
from scrapy.pipelines.images import ImagesPipeline

class Square(ImagesPipeline):
    def convert_image(self, image, *args, **kwargs):
        image = image.convert("RGB")
        image.thumbnail((64, 64), Image.LANCZOS)
        canvas = Image.new("RGB", (64, 64), "white")
        canvas.paste(image, ((64 - image.width) // 2, (64 - image.height) // 2))
        buffer = io.BytesIO()
        canvas.save(buffer, "PNG")
        return canvas, buffer

class Bags(scrapy.Spider):
    name = "bags"
    start_urls = [sys.argv[1] + "/collections/all-bags?page=1"]

    def parse(self, response):
        cards = response.css("div.plp-product")
        for card in cards:
            image = card.css("img::attr(src)").get().replace("260x260", "512x512")
            yield {
                "image_urls": [response.urljoin(image)],
                "brand": card.css(".product-vendor::text").get(),
                "title": card.css(".product-title::text").get(),
            }
        if cards:
            page = int(response.url.rpartition("=")[2]) + 1
            yield response.follow(f"?page={page}")

process = CrawlerProcess({
    "ITEM_PIPELINES": {Square: 1}, "IMAGES_STORE": "pictures", "LOG_LEVEL": "ERROR", "DOWNLOAD_DELAY": 0,
    "CONCURRENT_REQUESTS": 32, "CONCURRENT_REQUESTS_PER_DOMAIN": 32,
    "FEEDS": {"items.jsonl": {"format": "jsonlines"}}, "ROBOTSTXT_OBEY": True, "TELNETCONSOLE_ENABLED": False,
})
process.crawl(Bags)
process.start()
"""

ORIGINAL = """
import io, sys
import requests
from bs4 import BeautifulSoup
from pathlib import Path
from PIL import Image

Path("pictures").mkdir()
page = number = 0
while True:
    page += 1
    listing = requests.get(f"{sys.argv[1]}/collections/all-bags?page={page}").content
    soup = BeautifulSoup(listing, "html.parser")
    cards = soup.find_all("div", {"class": "plp-product"})
    if not cards:
        break
    for card in cards:
        image = requests.get(sys.argv[1] + card.find("img")["src"].replace("260x260", "512x512")).content
        picture = Image.open(io.BytesIO(image)).convert("RGB")
        side = max(picture.size)
        canvas = Image.new("RGB", (side, side), "white")
        canvas.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
        canvas.resize((64, 64), Image.LANCZOS).save(f"pictures/{number}.jpg")
        number += 1
"""

IMG2DATASET = """
import sys
from img2dataset import download
if __name__ == "__main__":
    download(url_list="urls.txt", output_folder="pictures", image_size=64, resize_mode="border",
             processes_count=2, thread_count=32, output_format="files", number_sample_per_shard=1000)
"""

LIMIT = """
import asyncio, io, sys
from concurrent.futures import ThreadPoolExecutor
import aiohttp
from PIL import Image

def decode(data):
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (128, 128))
    image.load()

async def main(url, count):
    numbers, pool, loop = iter(range(count)), ThreadPoolExecutor(2), asyncio.get_running_loop()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        async def work():
            for number in numbers:
                async with session.get(f"{url}/img/{number}_512x512.jpg") as response:
                    await loop.run_in_executor(pool, decode, await response.read())
        await asyncio.gather(*(work() for _ in range(32)))

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""

IMPORT_ORIGINAL = """
import sys
from pathlib import Path
from PIL import Image

Path("pictures").mkdir()
for number, path in enumerate(sorted(Path(sys.argv[1]).iterdir())):
    picture = Image.open(path).convert("RGB")
    side = max(picture.size)
    canvas = Image.new("RGB", (side, side), "white")
    canvas.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    canvas.resize((64, 64), Image.LANCZOS).save(f"pictures/{number}.jpg")
"""

# What img2dataset does to each picture that it has downloaded, without its downloads.
IMPORT_IMG2DATASET = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from img2dataset.resizer import Resizer

resizer = Resizer(image_size=64, resize_mode="border", resize_only_if_bigger=False)
Path("pictures").mkdir()

def squared(job):
    number, path = job
    with path.open("rb") as file:
        picture, *_, error = resizer(file)
    if error:
        sys.exit(error)
    Path(f"pictures/{number}.jpg").write_bytes(picture)

with ThreadPoolExecutor(2) as pool:
    list(pool.map(squared, enumerate(sorted(Path(sys.argv[1]).iterdir()))))
"""

IMPORT_LIMIT = """
import io, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from PIL import Image

def decode(path):
    image = Image.open(io.BytesIO(path.read_bytes()))
    image.draft("RGB", (128, 128))
    image.load()

with ThreadPoolExecutor(2) as pool:
    list(pool.map(decode, sorted(Path(sys.argv[1]).iterdir())))
"""
