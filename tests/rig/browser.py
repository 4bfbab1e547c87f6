"""Chromium without a screen: an empty profile of its own, and what its console said."""

import os
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from rig.wait import until

ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars")
# With a folder here, pictures are kept to be looked at.
PICTURES = os.environ.get("SLUICE_SCREENSHOTS")


class Browser:
    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="sluice-chromium-", ignore_cleanup_errors=True)
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for argument in (*ARGUMENTS, f"--user-data-dir={self.profile.name}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.size(1280, 900)

    def close(self):
        self.driver.quit()
        self.profile.cleanup()

    # ---- how it is looked at

    def size(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def scheme(self, name):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": name}]})

    def offline(self, yes):
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": yes, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})

    def picture(self, name):
        if not PICTURES:
            return
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        width, height = self.run("return [innerWidth, innerHeight]")
        self.size(width, self.run("return document.documentElement.scrollHeight"))
        self.driver.save_screenshot(f"{PICTURES}/{name}.png")
        self.size(width, height)

    # ---- what is there

    def go(self, address):
        self.driver.get(address)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """Of the first that fits, read at once: an update between finding and reading does no harm. None: none is there."""
        return self.run("return document.querySelector(arguments[0])?.textContent ?? null", selector)

    def shows(self, selector, *words, seconds=60):
        """Until the element is there and has all words in it."""
        return until(lambda: (text := self.text(selector)) is not None and all(word in text for word in words) and text, seconds,
                     lambda: f"{selector} has not {words}: {self.text(selector)!r}; the page: {self.text('body')[:3000]!r}")

    def click(self, selector, seconds=60):
        until(lambda: self.run("const found = document.querySelector(arguments[0]); found?.scrollIntoView({block: 'center'}); return !!found", selector),
              seconds, lambda: f"there is no {selector}; the page: {self.text('body')[:3000]!r}")
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def fill(self, selector, value):
        field = self.driver.find_element(By.CSS_SELECTOR, selector)
        field.clear()
        field.send_keys(value)

    def console(self):
        """What was said since the last call, warnings and errors."""
        return [f'{entry["level"]}: {entry["message"]}' for entry in self.driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]
