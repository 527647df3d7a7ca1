"""Renders pages that need JavaScript, in a headless Chromium (`render = true`, extra `browser`)."""

import os
import shutil
from urllib.parse import urlsplit

_NEEDED = {"HOME", "PATH", "TMPDIR", "TZ", "DISPLAY", "LD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "USERPROFILE"}


class RenderError(Exception):
    """There is no browser, or it can't render the page. The message is one line."""


def environment() -> dict[str, str]:
    """What a browser needs of the environment: it runs strangers' scripts, so no secret goes along."""
    kinds = ("LC_", "LANG", "XDG_", "FONTCONFIG_")
    return {
        name: value for name, value in os.environ.items() if name.upper() in _NEEDED or name.startswith(kinds)
    }


class Browser:
    """A headless Chromium; `timeout` is in seconds for each page. Raises RenderError if it doesn't start.

    All that its pages request goes through the `Proxy` that listens on loopback at the port `proxy`.
    """

    def __init__(self, agent: str, timeout: float, proxy: int) -> None:
        try:
            from selenium import webdriver
            from selenium.common.exceptions import WebDriverException
        except ImportError as error:
            raise RenderError("render = true needs selenium: pip install 'bag-dreams[browser]'") from error
        options = webdriver.ChromeOptions()
        for word in ("--headless=new", "--disable-dev-shm-usage", f"--user-agent={agent}"):
            options.add_argument(word)
        options.add_argument(f"--proxy-server=http://127.0.0.1:{proxy}")
        options.add_argument("--proxy-bypass-list=<-loopback>")  # not even for this machine itself
        if os.name == "posix" and os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # Chromium has no sandbox for root, and would not start
        preferences = {
            "profile.managed_default_content_settings.images": 2,
            "webrtc.ip_handling_policy": "disable_non_proxied_udp",
        }
        options.add_experimental_option("prefs", preferences)
        if chromium := shutil.which("chromium"):
            options.binary_location = chromium
        driver = shutil.which("chromedriver")
        self.failure = WebDriverException
        try:
            self.driver = webdriver.Chrome(options, webdriver.ChromeService(driver, env=environment()))
            self.driver.set_page_load_timeout(timeout)
        except WebDriverException as error:
            raise RenderError(f"cannot start Chromium: {error.msg}") from error

    def page(self, address: str, cap: int) -> bytes:
        """The HTML of a loaded page, at most `cap` bytes, scrolled to the end for its lazy parts.

        Raises RenderError.
        """
        try:
            self.driver.get(address)
            landed = urlsplit(self.driver.current_url).hostname
            if landed != urlsplit(address).hostname:
                raise RenderError(f"leads to {landed}, which is not this shop's host")
            self.driver.execute_script("window.scrollTo(0, document.body.scrollHeight)")
            html: str = self.driver.page_source
        except self.failure as error:
            raise RenderError(f"Chromium: {error.msg}") from error
        body = html.encode()
        if len(body) > cap:
            raise RenderError(f"larger than {cap} bytes")
        return body

    def close(self) -> None:
        """Quits Chromium."""
        self.driver.quit()
