"""The kinds of shop, one file each: its name is the `kind` in the config; it holds one `Shop`."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from scraper.shop import Shop


def kinds() -> Iterator[str]:
    """The kinds of shop: the names of the files in scraper/shops/."""
    yield from (module.name for module in iter_modules(__path__))


def shop_class(kind: str) -> type[Shop]:
    """The Shop subclass in scraper/shops/KIND.py. Raises ValueError, listing the kinds, if there is none."""
    if kind not in (known_kinds := sorted(kinds())):
        raise ValueError(f"kind {kind!r} must be one of {', '.join(known_kinds)}")
    module = import_module(f"scraper.shops.{kind}")
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Shop) and value.__module__ == module.__name__
    )
