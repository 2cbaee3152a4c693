"""A headless Chromium, driven through its own pipe; no driver, no package."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip


class Browser:
    """Opens pages from disk and tells what they do; a context manager.

    Attributes
    ----------
    faults : list of str
        Console errors, exceptions and failed loads since the last `open`.
    requests : list of str
        Addresses asked for since the last `open`.
    """

    def __init__(self):
        self.faults, self.requests = [], []
        self._number = itertools.count(1)
        self._buffer = b""
        self._events = []

    def __enter__(self):
        self._home = tempfile.mkdtemp(prefix="chromium-")
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        keep = os.dup(theirs_in), os.dup(theirs_out)  # away from 3 and 4, which the browser expects

        def place():
            # First away from 3 and 4: one of the pipe's ends may stand there.
            low, high = os.dup(keep[0]), os.dup(keep[1])
            os.dup2(low, 3)
            os.dup2(high, 4)

        self._process = subprocess.Popen(
            [CHROMIUM, *_FLAGS, f"--user-data-dir={self._home}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=place,
            pass_fds=(3, 4),
        )
        for end in (theirs_in, theirs_out, *keep):
            os.close(end)
        self._session = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)
        shutil.rmtree(self._home, ignore_errors=True)

    def open(self, path, *, width=1280, height=900, dark=False, scripts=True, media="screen"):
        """Open a page from disk, or at an address, and wait until it is loaded and its charts are drawn."""
        self.faults.clear()
        self.requests.clear()
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self._call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self._call("Page.navigate", url=path if "://" in str(path) else Path(path).resolve().as_uri())
        self._wait_for("Page.loadEventFired")
        if scripts:
            self.run(
                "new Promise(done => { const left = 'figure.chart:not([data-drawn])';"
                " const look = () => document.querySelector(left) ? setTimeout(look, 50) : done(1);"
                " look(); setTimeout(() => done(0), 20000); })"
            )

    def run(self, script):
        """Evaluate a script in the page and return its value."""
        found = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def screenshot(self, path, *, top=0, height=None):
        """Write a picture of the page, or of a part of it."""
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        height = height or size["height"] - top
        clip = {"x": 0, "y": top, "width": size["width"], "height": height, "scale": 1}
        found = self._call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        Path(path).write_bytes(base64.b64decode(found["data"]))

    def pdf(self, path):
        """Print the page on paper of the printer's own size and media, whatever was looked at before."""
        self._call("Emulation.setEmulatedMedia", media="")
        self._call("Emulation.clearDeviceMetricsOverride")
        found = self._call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        Path(path).write_bytes(base64.b64decode(found["data"]))

    def _call(self, method, **params):
        number = next(self._number)
        message = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def _wait_for(self, event):
        while event not in self._events:
            self._read()
        self._events.clear()

    def _read(self):
        while b"\0" not in self._buffer:
            part = os.read(self._in, 1 << 20)
            assert part, "the browser closed its pipe"
            self._buffer += part
        text, self._buffer = self._buffer.split(b"\0", 1)
        message = json.loads(text)
        method, params = message.get("method"), message.get("params", {})
        if method is not None:
            self._events.append(method)
        if method == "Runtime.exceptionThrown":
            self.faults.append(str(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.faults.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.faults.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        return message
