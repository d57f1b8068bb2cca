"""Opens a report in headless Chromium, as a person would.

    pip install playwright==1.65.2            # the browser is the system's: `chromium` on the PATH
    python tests/page.py --kfood target/release/kfood [--axe axe.min.js] [--pictures DIR] [PIPELINE]

Checks at 390 and 1440 pixels, light and dark: no console error, no request to a network, nothing wider than the window, every picture
drawn, and photographs behind a click on a pair of the confusion matrix. With `--axe` (npm's `axe-core`) no serious finding for
people who see or use a page in other ways. `--pictures` leaves screenshots. Exits with 1 if anything is otherwise.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

from playwright.sync_api import sync_playwright

WIDTHS = [390, 1440]
SCHEMES = ["light", "dark"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pipeline", nargs="?", default="pipelines/quickstart.toml")
    parser.add_argument("--kfood", required=True)
    parser.add_argument("--axe", type=pathlib.Path)
    parser.add_argument("--pictures", type=pathlib.Path)
    args = parser.parse_args()
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        sys.exit("there is no `chromium` on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "report.html"
        subprocess.run([args.kfood, "report", args.pipeline, "-o", page], check=True)
        with sync_playwright() as playwright:
            # Root may not use Chromium's sandbox; the page is our own.
            chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            failures = [f for s in SCHEMES for w in WIDTHS for f in looked_at(chromium, page, s, w, args.pictures)]
            failures += framed(chromium, page, pathlib.Path(folder) / "notebook.html")
            if args.axe:
                failures += accessible(chromium, page, args.axe)
            chromium.close()
    for failure in failures:
        print(failure)
    sys.exit(1 if failures else 0)


def looked_at(chromium, file, scheme, width, pictures):
    """What is wrong with the page in one window."""
    wrong = []
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else wrong.append(f"request: {r.url}"))
    page.goto(file.as_uri())
    height = page.evaluate("document.documentElement.scrollHeight")
    for top in range(0, height, 600):
        page.evaluate("top => scrollTo(0, top)", top)
        page.wait_for_timeout(30)
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if over > 0:
        wrong.append(f"{over} pixels wider than the window")
    # What a quick look passed by is looked at once more.
    left = page.locator(".chart .canvas:not(:has(svg, canvas))")
    for _ in range(20):
        if left.count() > 0:
            left.first.scroll_into_view_if_needed()
            page.wait_for_timeout(300)
    undrawn = left.count()
    if undrawn:
        wrong.append(f"{undrawn} charts are not drawn")
    pair = page.locator(".chart.matrix .tools button:has-text('→')").first
    if pair.count() == 0:
        wrong.append("no pair of confused classes can be clicked")
    else:
        pair.click()
        if page.locator(".behind:visible img").count() == 0:
            wrong.append("no photograph stands behind a pair")
    broken = page.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).length")
    if broken:
        wrong.append(f"{broken} pictures are not shown")
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=pictures / f"{scheme}-{width}.png")
    print(f"{scheme}, {width} pixels: {height} pixels high, {page.locator('img').count()} pictures, {len(wrong)} failures")
    context.close()
    return [f"{scheme}, {width} pixels: {what}" for what in wrong]


def framed(chromium, file, notebook):
    """What is wrong with the page as a notebook shows it (`kfood.report`): in a frame, whose links lead to places in itself."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "src" / "python"))
    import kfood

    shown = kfood.Report(file.read_text(encoding="utf-8"))._repr_html_()
    notebook.write_text(f"<!doctype html><meta charset='utf-8'>{shown}", encoding="utf-8")
    page = chromium.new_page()
    wrong = []
    page.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.goto(notebook.as_uri())
    frame = page.frames[1]
    frame.locator("nav a, a[href^='#s']").last.click()
    page.wait_for_timeout(300)
    if not frame.url.startswith("about:srcdoc#") or frame.evaluate("scrollY") == 0:
        wrong.append(f"a link leads to {frame.url}")
    # Charts are drawn when they come near.
    frame.locator(".chart").first.scroll_into_view_if_needed()
    drawn = frame.locator(".chart .canvas canvas, .chart .canvas svg")
    for _ in range(20):
        if drawn.count() == 0:
            page.wait_for_timeout(100)
    if drawn.count() == 0:
        wrong.append("no chart is drawn")
    print(f"in a notebook: {len(wrong)} failures")
    page.close()
    return [f"in a notebook: {what}" for what in wrong]


def accessible(chromium, file, axe):
    """Serious findings of axe-core."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.goto(file.as_uri())
    page.add_script_tag(path=axe)
    found = page.evaluate("axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes[0].html.slice(0, 100)]))")
    print(f"axe-core: {len(found)} findings")
    context.close()
    return [f"axe-core: {impact}: {rule}: {where}" for impact, rule, where in found if impact in ("serious", "critical")]


if __name__ == "__main__":
    main()
