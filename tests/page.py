"""Opens a report in headless Chromium, as a person would.

    pip install playwright==1.65.2            # the browser is the system's: `chromium` on the PATH
    python tests/page.py --kfood target/release/kfood [--axe axe.min.js] [--pictures DIR] [--also PAGE.html ...] [PIPELINE]

Checks at 390 and 1440 pixels, light and dark (and between them that everything fits): no console error, no request to a network, nothing wider than the window or cut off, every
picture drawn, photographs behind a click on a cell and on a pair of the confusion matrix, and the wheel scrolls the page wherever it is turned. Once:
a page has at most 5 MB and few screens on a telephone, matrices of the same classes have one order, one of 150 classes zooms with the control key, a file
is copied whole, every cell is reached by Tab and Enter, a Korean page has no English in texts, charts and what is told of their points, and on paper everything
is drawn and no wider than the sheet. Pages behind `--also`, such as those that the tests leave in the folder of `KFOOD_PAGES`, are looked
at in each window and on paper. Of the pipeline also the page within `report.zip`, and one that is served while a run goes on. With `--axe` (npm's
`axe-core`) no serious finding for people who see or use a page in other ways, in each window. `--pictures` leaves screenshots. Exits with 1 if
anything is otherwise.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from functools import partial

from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import sync_playwright

WIDTHS = [390, 1440]
BETWEEN = [600, 961, 1024, 1217]
SCHEMES = ["light", "dark"]
# Bytes of a page, and screens of one on a telephone before anything is opened.
MOST = 5_000_000
SCREENS = 25


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pipeline", nargs="?", default="pipelines/quickstart.toml")
    parser.add_argument("--kfood", required=True)
    parser.add_argument("--also", nargs="*", default=[], type=pathlib.Path)
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
            launch = lambda: playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            failures = []
            for file in [page, *(also.resolve() for also in args.also)]:
                print(f"{file.stem}, {file.stat().st_size / 1e6:.1f} MB")
                looks = [partial(looked_at, file=file, scheme=s, width=w, pictures=args.pictures) for s in SCHEMES for w in WIDTHS]
                looks += [partial(look, file=file) for look in (ordered_and_copied, by_keyboard, untranslated)]
                looks += [partial(printed, file=file, width=w) for w in WIDTHS]
                if args.axe:
                    looks += [partial(accessible, file=file, axe=args.axe, scheme=s, width=w) for s in SCHEMES for w in WIDTHS]
                if file.stat().st_size > MOST:
                    failures.append(f"{file.stem}: {file.stat().st_size} bytes, more than {MOST}")
                failures += [f"{file.stem}: {what}" for what in seen(launch, looks)]
            looks = [
                partial(many_classes, file=page, many=pathlib.Path(folder) / "many.html"),
                partial(framed, file=page, notebook=pathlib.Path(folder) / "notebook.html"),
                partial(looked_at, file=unzipped(args, pathlib.Path(folder)), scheme=SCHEMES[0], width=WIDTHS[1], pictures=None),
                partial(served, kfood=pathlib.Path(args.kfood).resolve(), project=pathlib.Path(folder) / "served"),
            ]
            failures += seen(launch, looks)
    for failure in failures:
        print(failure)
    sys.exit(1 if failures else 0)


def seen(launch, looks):
    """What the looks find, in one browser. One that stops painting (seen once, in the eighteenth window of a busy machine's browser) tells
    nothing of the page, so that such a look is made once more in a fresh browser: a page that stops that one too is at fault."""
    found = []
    chromium = launch()
    for look in looks:
        try:
            found += look(chromium)
        except PlaywrightTimeout as late:
            print(f"the browser stopped, a fresh one looks again: {first_line(late)}")
            chromium.close()
            chromium = launch()
            try:
                found += look(chromium)
            except PlaywrightTimeout as again:
                found.append(f"it stops the browser: {first_line(again)}")
                chromium.close()
                chromium = launch()
    chromium.close()
    return found


def first_line(error):
    return str(error).splitlines()[0]


def is_report(file):
    """Whether a page is that of a pipeline, and no comparison, which has neither a matrix nor the text of a file."""
    return file.stem != "compare"


def unzipped(args, folder):
    """The page within `report.zip`."""
    subprocess.run([args.kfood, "report", args.pipeline, "-o", folder / "report.zip"], check=True)
    zipfile.ZipFile(folder / "report.zip").extractall(folder / "zip")
    return folder / "zip" / "report" / "index.html"


def opened(page):
    """Opens all chapters, of which a small screen shows the first."""
    page.evaluate("document.querySelectorAll('h2 > button[aria-expanded=false]').forEach(button => button.click())")


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
    if width == WIDTHS[0] and height > SCREENS * 900:
        wrong.append(f"{height} pixels high")
    opened(page)
    for top in range(0, page.evaluate("document.documentElement.scrollHeight"), 600):
        page.evaluate("top => scrollTo(0, top)", top)
        page.wait_for_timeout(30)
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if over > 0:
        wrong.append(f"{over} pixels wider than the window")
    # What a quick look passed by is looked at once more.
    left = "document.querySelectorAll('.chart .canvas:not(:has(svg, canvas))')"
    for _ in range(20):
        if page.evaluate(f"{left}.length"):
            page.evaluate(f"{left}[0]?.scrollIntoView({{ block: 'center' }})")
            page.wait_for_timeout(300)
    undrawn = page.evaluate(f"{left}.length")
    if undrawn:
        wrong.append(f"{undrawn} charts are not drawn")
    pair = page.locator(".chart.matrix .tools button:has-text('→')").first
    if pair.count():
        pair.click()
        if not soon(page, lambda: page.locator(".behind:visible img").count() > 0):
            wrong.append("no photograph stands behind a pair")
    elif is_report(file):
        wrong.append("no pair of confused classes can be clicked")
    wrong += cell_clicked(page)
    # Colours take no wheel.
    if scheme == SCHEMES[0]:
        wrong += caught(page)
    wrong += cut(page)
    if (scheme, width) == (SCHEMES[0], WIDTHS[-1]):
        wrong += between(page)
    broken = page.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).length")
    if broken:
        wrong.append(f"{broken} pictures are not shown")
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=pictures / f"{file.stem}-{scheme}-{width}.png")
    print(f"{scheme}, {width} pixels: {height} pixels high, {page.locator('img').count()} pictures, {len(wrong)} failures")
    context.close()
    return [f"{scheme}, {width} pixels: {what}" for what in wrong]


def cell_clicked(page):
    """What is wrong with a click on a cell itself: its own photographs open, and what it means is told beside the pointer."""
    matrix = page.locator(".chart.matrix").first
    if matrix.count() == 0:
        return []
    matrix.locator(".canvas").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    found = matrix.evaluate(
        """figure => {
          const data = JSON.parse(document.getElementById("charts").textContent)[figure.dataset.chart];
          const canvas = figure.querySelector(".canvas");
          const place = Object.fromEntries(data.order.map((c, i) => [c, i]));
          // Another one than the pair that was clicked, where there is one.
          const wrong = data.cells.filter(([l, p, , , shots]) => l !== p && shots.length).sort((a, b) => a[2] - b[2])[0];
          if (!wrong) return null;
          const [x, y] = echarts.getInstanceByDom(canvas).convertToPixel({ xAxisIndex: 0, yAxisIndex: 0 }, [place[wrong[1]], place[wrong[0]]]);
          return { x, y, names: [data.classes[wrong[0]], data.classes[wrong[1]]], shots: wrong[4].length };
        }"""
    )
    if found is None:
        return ["no cell has a photograph"]
    box = matrix.locator(".canvas").bounding_box()
    at = box["x"] + found["x"], box["y"] + found["y"]
    page.mouse.move(*at)
    wrong = []
    if not soon(page, lambda: all(name in matrix.locator(".canvas > div").last.inner_text() for name in found["names"])):
        wrong.append("nothing is told beside a pointer over a cell")
    page.mouse.click(*at)
    behind = matrix.locator(".behind")
    shows = lambda: behind.is_visible() and behind.locator("img").count() == found["shots"] and all(name in behind.locator("strong").inner_text() for name in found["names"])
    if not soon(page, shows):
        wrong.append(f"a click on the cell of {found['names']} does not show its {found['shots']} photographs")
    return wrong


def soon(page, holds):
    """Whether it comes to be so: what a key or a click brings about takes a moment, more of it on a busy machine."""
    for _ in range(100):
        if holds():
            return True
        page.wait_for_timeout(50)
    return False


def by_keyboard(chromium, file):
    """What Tab and Enter alone do not reach: the content, a pair of the matrix, and any of its cells."""
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.goto(file.as_uri())
    wrong = []
    active = lambda script: page.evaluate(f"(() => {{ const at = document.activeElement; return {script}; }})()")

    def tab_to(selector, most=400):
        for _ in range(most):
            page.keyboard.press("Tab")
            if active(f"at.matches({json.dumps(selector)})"):
                if active("getComputedStyle(at).outlineStyle") == "none":
                    wrong.append(f"it is not seen that {selector} has the keyboard")
                return True
        wrong.append(f"the keyboard does not come to {selector}")
        return False

    if tab_to(".skip", 1):
        page.keyboard.press("Enter")
        if not soon(page, lambda: page.url.endswith("#content")):
            wrong.append("Enter does not skip to the content")
    if page.locator(".chart.matrix").count():
        behind = page.locator(".behind:visible strong")
        if tab_to(".chart.matrix .canvas") and tab_to(".chart.matrix .tools button[data-order]", 3) and tab_to(".chart.matrix .tools:not(:has([data-order])) button", 5):
            page.keyboard.press("Enter")
            if not soon(page, lambda: behind.count() > 0):
                wrong.append("Enter on a pair opens nothing")
        if tab_to(".chart.matrix .rows > summary", 20):
            page.keyboard.press("Enter")
            soon(page, lambda: active("at.parentElement.querySelector('details') !== null"))
            if tab_to(".rows details > summary", 1):
                page.keyboard.press("Enter")
                soon(page, lambda: active("at.parentElement.querySelector('button') !== null"))
                if tab_to(".rows details button", 1):
                    name = active("at.textContent").split(" → ")[0]
                    page.keyboard.press("Enter")
                    if not soon(page, lambda: behind.first.inner_text().startswith(name)):
                        wrong.append("Enter on a cell of a row does not open it")
            rows = page.locator(".chart.matrix").first.evaluate(
                "f => [f.querySelectorAll('.rows details').length, new Set(JSON.parse(document.getElementById('charts').textContent)[f.dataset.chart].cells.map(c => c[0])).size]"
            )
            if rows[0] != rows[1]:
                wrong.append(f"{rows[0]} of {rows[1]} rows can be opened")
    page.close()
    return [f"by keyboard: {what}" for what in wrong]


def png(folder, number, colour):
    """A picture of one colour, with a few pixels of its own."""
    chunk = lambda kind, data: len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    rows = b"".join(b"\0" + bytes((v * (1 + (x * y + number) % 7 // 6)) % 256 for x in range(32) for v in colour) for y in range(32))
    head = (32).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    folder.mkdir(parents=True, exist_ok=True)
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (folder / f"{number}.png").write_bytes(whole)


SERVED = """
[dataset.dishes]
train = "data"
[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }
"""


def served(chromium, kfood, project):
    """What is wrong with a page that is served: it renews itself when a run has done something, and says when the server is gone; and what its
    security policy lets pass."""
    (project / "pipelines").mkdir(parents=True, exist_ok=True)
    (project / "pipelines" / "p.toml").write_text(SERVED)
    for number in range(4):
        png(project / "data" / "a", number, (200, 40, 40))
        png(project / "data" / "b", number, (40, 40, 200))
    server = subprocess.Popen([kfood, "report", "pipelines/p.toml", "--serve"], cwd=project, stderr=subprocess.PIPE, text=True)
    wrong, said = [], []
    page = chromium.new_page()
    try:
        place = next(line.split()[0] for line in server.stderr if line.startswith("http://127.0.0.1:"))
        page.on("console", lambda told: said.append(f"console: {told.text}") if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("request", lambda r: None if r.url.startswith((place, "data:")) else said.append(f"request: {r.url}"))
        page.goto(place)
        before = page.evaluate("document.documentElement.dataset.state")
        subprocess.run([kfood, "run", "pipelines/p.toml"], cwd=project, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        page.wait_for_function("before => document.documentElement.dataset.state !== before", arg=before, timeout=30_000)
        page.wait_for_load_state()
        if "no result" in page.locator("main").inner_text():
            wrong.append("what was run is not on the page that was loaded anew")
        wrong += said
        said.clear()
        page.evaluate("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.foreign = true' }))")
        passed = page.evaluate("fetch('http://127.0.0.1:9/').catch(() => {}).then(() => window.foreign === true)")
        refused = " ".join(said)
        if passed or "script-src" not in refused or "connect-src" not in refused:
            wrong.append(f"the policy does not refuse a foreign script and a foreign address: {refused}")
        server.terminate()
        page.wait_for_selector(".served.warning", timeout=30_000)
    finally:
        server.kill()
        server.wait()
        page.close()
    print(f"served: {len(wrong)} failures")
    return [f"served: {what}" for what in wrong]


def caught(page):
    """Places that take the wheel from the page: it is turned once over the middle of every kind of block that is on it."""
    found = []
    for kind in [".table", ".chart.curve", ".chart.bars", ".chart.matrix .canvas", ".chart.scatter", ".chart.ranges", ".panels", ".flow", "pre", "nav"]:
        places = page.locator(kind)
        for i in range(min(places.count(), 3)):
            # Somewhere where there is more above, so that the wheel can be turned back.
            page.evaluate("([kind, i]) => { const box = document.querySelectorAll(kind)[i].getBoundingClientRect(); scrollBy(0, box.top - 300); }", [kind, i])
            page.wait_for_timeout(50)
            box = places.nth(i).bounding_box()
            before = page.evaluate("scrollY")
            if box is None or not box["height"]:
                continue
            page.mouse.move(box["x"] + box["width"] / 2, max(1, min(box["y"] + box["height"] / 2, 850)))
            for by in (-120, 120) if before > 0 else (120,):
                before = page.evaluate("scrollY")
                page.mouse.wheel(0, by)
                page.wait_for_timeout(120)
                # A busy machine takes its time.
                if page.evaluate("scrollY") == before:
                    page.wait_for_timeout(500)
                end = page.evaluate("scrollY + innerHeight >= document.documentElement.scrollHeight - 1")
                if page.evaluate("scrollY") == before and not (by > 0 and end):
                    found.append(f"{kind} number {i + 1} takes the wheel from the page")
    return sorted(set(found))


def cut(page):
    """Blocks of which a part is to be seen only by scrolling within them: files, drawings, and tables from above to below."""
    wider = page.evaluate(
        "[...document.querySelectorAll('pre, .flow, .gallery, .panels, .table')].filter(b => b.scrollWidth > b.clientWidth + 1)"
        ".map(b => b.className || b.tagName)"
    )
    higher = page.evaluate("[...document.querySelectorAll('pre, .flow, .table, nav ul')].filter(b => b.scrollHeight > b.clientHeight + 2).map(b => b.className || b.tagName)")
    return [f"{name} is wider than its place" for name in wider] + [f"{name} is higher than its place" for name in higher]


def between(page):
    """Blocks that do not fit windows between a telephone's and a desk's."""
    found = []
    for width in BETWEEN:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [f"at {width}: {over} pixels wider than the window"] if over > 0 else []
        found += [f"at {width}: {what}" for what in cut(page)]
    page.set_viewport_size({"width": WIDTHS[-1], "height": 900})
    return found


def ordered_and_copied(chromium, file):
    """What is wrong with the order of classes in matrices, and with what the button of a file copies."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(file.as_uri())
    wrong = []
    charts = page.evaluate("JSON.parse(document.getElementById('charts').textContent)")
    orders = {}
    for chart in charts:
        if chart["kind"] == "matrix":
            orders.setdefault(tuple(chart["classes"]), set()).add(tuple(chart["order"]))
    wrong += [f"{len(found)} orders of the same classes" for found in orders.values() if len(found) > 1]
    copy = page.locator(".copy").last
    if copy.count():
        copy.click()
        whole = page.locator("pre").last.evaluate("box => box.textContent")
        if not soon(page, lambda: page.evaluate("navigator.clipboard.readText()") == whole):
            wrong.append("the button does not copy the file")
    elif is_report(file):
        wrong.append("no file can be copied")
    context.close()
    return wrong


def many_classes(chromium, file, many):
    """What is wrong with a matrix of 150 classes: the wheel scrolls the page over it, and with the control key it zooms."""
    html = file.read_text(encoding="utf-8")
    start = html.index('id="charts">') + len('id="charts">')
    end = html.index("</script>", start)
    charts = json.loads(html[start:end])
    for chart in charts:
        if chart["kind"] == "matrix":
            chart["classes"] = [f"김치찌개 {i}" for i in range(150)]
            chart["order"] = list(range(150))
            chart["cells"] = [[i, j, 1 if i != j else 9 * (i % 7 > 0), 0, []] for i in range(150) for j in {i, (7 * i) % 150}]
    many.write_text(html[:start] + json.dumps(charts).replace("<", "\\u003c") + html[end:], encoding="utf-8")
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    wrong = []
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.goto(many.as_uri())
    matrix = page.locator(".chart.matrix .canvas").first
    matrix.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = matrix.bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    before = page.evaluate("scrollY")
    page.mouse.wheel(0, -120)
    page.wait_for_timeout(200)
    if page.evaluate("scrollY") == before:
        wrong.append("it takes the wheel from the page")
    # What is drawn has no names in it: a zoomed picture is another one.
    picture = matrix.screenshot()
    before = page.evaluate("scrollY")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    page.wait_for_timeout(200)
    if page.evaluate("scrollY") != before or matrix.screenshot() == picture:
        wrong.append("the wheel does not zoom it with the control key")
    # Without a pointer: what is zoomed by the button is moved by the arrow keys.
    page.locator(".chart.matrix").first.get_by_text("Zoom in").or_(page.locator(".chart.matrix").first.get_by_text("확대", exact=True)).first.click()
    matrix.focus()
    picture = matrix.screenshot()
    page.keyboard.press("ArrowRight")
    if not soon(page, lambda: matrix.screenshot() != picture):
        wrong.append("the arrow keys do not move what is zoomed")
    print(f"with 150 classes: {len(wrong)} failures")
    page.close()
    return [f"with 150 classes: {what}" for what in wrong]


def untranslated(chromium, file):
    """English sentences on a Korean page, all of it drawn: words that no name of a setting or a class is, in texts, charts, attributes and what is
    told of points. Code and names of files are told as they are."""
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.goto(file.as_uri())
    found = []
    if page.evaluate("document.documentElement.lang") == "ko":
        for top in range(0, page.evaluate("document.documentElement.scrollHeight"), 600):
            page.evaluate("top => scrollTo(0, top)", top)
            page.wait_for_timeout(30)
        page.wait_for_timeout(300)
        found = page.evaluate(
            """() => {
              const english = /(^|[\\s(])(to|of|the|is|are|and|was|were|on|by|for|with|from|not|no|against|images?|epochs?|runs?|seconds?|minutes?|hours?|right)(?=[\\s),.:;]|$)|\\(chosen\\)/i;
              const found = new Set();
              const texts = () => {
                const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
                for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                  const skipped = node.parentElement.closest("code, pre, script, style, template");
                  if (!skipped && english.test(node.data)) found.add(node.data.trim());
                }
              };
              for (const name of ["aria-label", "title", "alt", "data-label", "data-away"]) {
                document.querySelectorAll(`[${name}]`).forEach((e) => { if (english.test(e.getAttribute(name))) found.add(name + ": " + e.getAttribute(name)); });
              }
              texts();
              // What is told of the first point of each chart stands in the page while it is told.
              document.querySelectorAll("[_echarts_instance_]").forEach((place) => {
                const chart = echarts.getInstanceByDom(place);
                // ECharts cannot be asked for what it tells of parallel coordinates.
                if (chart.getOption().parallel?.length) return;
                chart.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: 0 });
                texts();
                chart.dispatchAction({ type: "hideTip" });
              });
              return [...found];
            }"""
        )
    page.close()
    return [f"in English: {text[:120]!r}" for text in found]


def printed(chromium, file, width):
    """What is wrong with the page on paper, from a dark window, in which much may be closed."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme="dark")
    page = context.new_page()
    page.goto(file.as_uri())
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_timeout(300)
    wrong = []
    undrawn = page.locator(".chart:not(:has(svg, canvas))").count()
    if undrawn:
        wrong.append(f"on paper {undrawn} charts are not drawn")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    if paper != "rgb(255, 255, 255)":
        wrong.append(f"paper is {paper}")
    wide = page.evaluate("[...document.querySelectorAll('.chart svg, .chart canvas, .flow svg, pre')].filter(b => b.getBoundingClientRect().right > 720).length")
    if wide:
        wrong.append(f"{wide} blocks are wider than a sheet")
    hidden = page.evaluate("[...document.querySelectorAll('tbody tr, figure, main p, main li')].filter(e => !e.closest('.behind, .rows, noscript, .served') && !e.checkVisibility()).length")
    if hidden:
        wrong.append(f"{hidden} rows of tables, figures and paragraphs are left out on paper")
    context.close()
    return [f"printed from {width} pixels: {what}" for what in wrong]


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
    if not soon(page, lambda: frame.url.startswith("about:srcdoc#") and frame.evaluate("scrollY") > 0):
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


def accessible(chromium, file, axe, scheme, width):
    """Serious findings of axe-core in one window."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(file.as_uri())
    opened(page)
    page.add_script_tag(path=axe)
    found = page.evaluate("axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes[0].html.slice(0, 100)]))")
    print(f"axe-core, {scheme}, {width} pixels: {len(found)} findings")
    context.close()
    return [f"axe-core, {scheme}, {width} pixels: {impact}: {rule}: {where}" for impact, rule, where in found if impact in ("serious", "critical")]


if __name__ == "__main__":
    main()
