"""Pages that only JavaScript renders, read with a headless Chromium (`render = true`, extra `browser`)."""

import shutil
from urllib.parse import urlsplit


class RenderError(Exception):
    """There is no browser, or it could not show the page. One line."""


class Browser:
    """A headless Chromium, started when the first page is asked for."""

    def __init__(self, agent: str, timeout: float) -> None:
        try:
            from selenium import webdriver
            from selenium.common.exceptions import WebDriverException
        except ImportError as error:
            raise RenderError("render = true needs selenium: pip install 'bag-dreams[browser]'") from error
        options = webdriver.ChromeOptions()
        # Root in a container has no user namespace to build Chromium's sandbox in.
        for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--user-agent={agent}"):
            options.add_argument(word)
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.images": 2})
        if chromium := shutil.which("chromium"):
            options.binary_location = chromium
        driver = shutil.which("chromedriver")
        self.failure = WebDriverException
        try:
            self.driver = webdriver.Chrome(options, webdriver.ChromeService(driver) if driver else None)
            self.driver.set_page_load_timeout(timeout)
        except WebDriverException as error:
            raise RenderError(f"cannot start Chromium: {error.msg}") from error

    def page(self, address: str, cap: int) -> bytes:
        """The page's HTML once it has loaded, scrolled to its end so that lazy parts are there too."""
        try:
            self.driver.get(address)
            landed = urlsplit(self.driver.current_url).hostname
            if landed != urlsplit(address).hostname:
                raise RenderError(f"leads to {landed}, which is not the host of this shop")
            self.driver.execute_script("window.scrollTo(0, document.body.scrollHeight)")
            html: str = self.driver.page_source
        except self.failure as error:
            raise RenderError(f"Chromium: {error.msg}") from error
        body = html.encode()
        if len(body) > cap:
            raise RenderError(f"larger than {cap} bytes")
        return body

    def close(self) -> None:
        """Ends Chromium."""
        self.driver.quit()
