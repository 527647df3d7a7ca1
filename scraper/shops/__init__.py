"""One file a kind of shop. Its name is the `kind` in the config; it holds one `scraper.shop.Shop`."""
