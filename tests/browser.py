"""Pages in headless Chromium, with a script that looks at them."""

import pathlib
import re
import shutil
import subprocess

import pytest

# What scripts can say: where the line is, and events of the pointer, by shares of a pair's width.
TOOLS = """
  const pair = document.querySelector(".pair"), seen = [];
  pair.setPointerCapture = () => {};
  const point = (kind, share, more) => {
    const box = pair.getBoundingClientRect();
    pair.dispatchEvent(new PointerEvent(kind, {
      clientX: box.left + share * box.width, clientY: box.top + 9, buttons: 1, ...more }));
  };
  const shown = () => pair.querySelector(".after:not([hidden])");
  const cut = () => getComputedStyle(shown()).clipPath;
"""


def what_it_says(page: pathlib.Path, script: str) -> tuple[list[str], str]:
    """Open a page, run a script that adds to `seen`, and return that and the page's DOM.

    Args:
        page: a file, which is not changed.
        script: JavaScript; what `TOOLS` defines is there.
    """
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        pytest.skip("no Chromium here")
    told = page.with_name(f"told_{page.name}")
    ending = "document.title = seen.join(' | ');"
    told.write_text(f"{page.read_text()}<script>{TOOLS}{script}{ending}</script>")
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1000,900",
         f"--user-data-dir={page.parent / 'browser'}", "--dump-dom", told.as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    (title,) = re.findall("<title>(.*)</title>", done.stdout)
    return title.split(" | "), done.stdout
