"""The page in a browser, which is Chromium where there is one."""

# mypy: disable-error-code=no-untyped-def
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plotly.graph_objects
import pytest

from pnas_tools._report._genealogy import make_genealogy
from pnas_tools._report._page import make_page
from pnas_tools._report._predictions import make_predictions
from pnas_tools._report._search_data import SearchData
from pnas_tools._report._top_curves import make_top_curves
from pnas_tools._report._trade_offs import make_trade_offs
from pnas_tools._run_folder import RunFolder

_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_COLOR = re.compile(r'"--[a-z0-9-]+"')
needs_chromium = pytest.mark.skipif(_CHROMIUM is None, reason="neither chromium nor google-chrome is on the PATH")
# The contrast of a colour with the page's, by WCAG 2.
_CONTRAST = """
(element) => {
  const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const luminance = (text) => {
    const [r, g, b] = rgb(text).map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(element);
  const color = element instanceof SVGElement ? style.fill : style.color;
  const lights = [color, getComputedStyle(document.body).backgroundColor].map(luminance).sort((a, b) => b - a);
  return (lights[0] + 0.05) / (lights[1] + 0.05);
}
"""


@pytest.fixture(scope="module")
def search(run: Path) -> SearchData:
    return SearchData.read(RunFolder(run))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        # Its sandbox does not start as root, and the page is our own.
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Any, search: SearchData, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page as a browser shows it, which has fetched nothing and has complained about nothing."""
    file = tmp_path / "report.html"
    file.write_text(make_page(search), encoding="utf-8")
    scheme = getattr(request, "param", "light")
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    yield page
    assert complaints == []
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    context.close()


def point_at(page: Any, chart: str, index: int) -> tuple[float, float]:
    """The middle of a child's point on the screen, which is scrolled to."""
    page.locator(f"#{chart}").evaluate("(element) => element.scrollIntoView({block: 'center', behavior: 'instant'})")
    points = page.locator(f"#{chart}").evaluate("(element) => element.data.map((trace) => trace.customdata ?? [])")
    trace = next(i for i, indices in enumerate(points) if index in indices)
    return tuple(
        page.locator(f"#{chart}").evaluate(
            """(element, [trace, at]) => {
              const { xaxis, yaxis } = element._fullLayout, box = element.getBoundingClientRect();
              const { x, y } = element.data[trace];
              return [box.left + xaxis._offset + xaxis.d2p(x[at]), box.top + yaxis._offset + yaxis.d2p(y[at])];
            }""",
            [trace, points[trace].index(index)],
        )
    )


@needs_chromium
def test_every_chart_is_drawn_with_a_point_for_every_child(opened: Any, search: SearchData) -> None:
    charts = opened.locator(".chart")
    assert charts.count() == 6
    assert all(charts.nth(i).locator(".points path").count() for i in range(6))
    drawn = opened.locator("#genealogy-chart .scatterlayer .trace").nth(1).locator(".points path").count()
    assert drawn == len(search.children)


@needs_chromium
def test_pointing_at_a_child_shows_its_cell(opened: Any, search: SearchData) -> None:
    assert search.best is not None
    opened.mouse.move(*point_at(opened, "genealogy-chart", search.best.index))
    card = opened.locator("#card")
    card.wait_for(state="visible")
    text = card.inner_text()
    assert str(search.best.cell) in text
    assert f"{search.best.accuracy:.4f}" in text
    assert f"{search.best.n_parameters:,}" in text
    assert card.locator("svg").get_attribute("aria-label") == str(search.best.cell)
    assert card.locator("svg").bounding_box()["height"] > 50


@needs_chromium
def test_clicking_a_child_selects_its_row_wherever_that_is(opened: Any, search: SearchData) -> None:
    worst = min(search.measured, key=lambda child: child.accuracy or 0)
    opened.locator("[name=text]").fill("nothing has this")
    assert opened.locator("#table tr[data-child]").count() == 0
    opened.mouse.click(*point_at(opened, "genealogy-chart", worst.index))
    row = opened.locator("#table tr[aria-current]")
    assert row.get_attribute("data-child") == str(worst.index)
    opened.wait_for_function(
        "() => { const box = document.querySelector('#table [aria-current]').getBoundingClientRect();"
        " return box.top >= 0 && box.bottom <= innerHeight; }"
    )
    assert str(worst.cell) in opened.locator("#table tr.detail").inner_text()


@needs_chromium
def test_choosing_a_row_rings_its_points_and_escape_ends_it(opened: Any, search: SearchData) -> None:
    row = opened.locator("#table tr[data-child]").first
    row.focus()
    opened.keyboard.press("Enter")
    index = int(opened.locator("#table tr[aria-current]").get_attribute("data-child"))
    ring = "(element) => element.data.at(-1).y"
    assert opened.locator("#genealogy-chart").evaluate(ring) == [search.children[index].accuracy]
    opened.keyboard.press("Escape")
    assert opened.locator("#table tr[aria-current]").count() == 0
    assert opened.locator("#genealogy-chart").evaluate(ring) == []


@needs_chromium
def test_keys_go_from_point_to_point(opened: Any, search: SearchData) -> None:
    assert search.best is not None
    opened.locator("#genealogy-chart").focus()
    opened.keyboard.press("ArrowRight")
    assert opened.locator("#card").get_attribute("data-child") == str(search.best.index)
    opened.keyboard.press("ArrowLeft")
    other = opened.locator("#card").get_attribute("data-child")
    assert other != str(search.best.index)
    opened.keyboard.press("Enter")
    assert opened.locator("#table tr[aria-current]").get_attribute("data-child") == other


@needs_chromium
def test_the_table_is_sorted_and_filtered(opened: Any, search: SearchData) -> None:
    opened.locator("#table thead button", has_text="parameters").click()
    largest = max(search.children, key=lambda child: child.n_parameters or 0)
    assert f"{largest.n_parameters:,}" in opened.locator("#table tr[data-child]").first.inner_text()
    opened.locator("[name=level]").select_option("1 block")
    assert opened.locator("#shown").inner_text() == f"21 of {len(search.children)}"


@needs_chromium
@pytest.mark.parametrize("opened", ["light", "dark"], indirect=True)
def test_all_texts_stand_out_from_the_page(opened: Any) -> None:
    texts = "h1, h2, p, dt, dd, td, th, figcaption, code, label, .xtick text, .ytick text, .annotation-text"
    contrasts = opened.locator(texts).evaluate_all(f"(elements) => elements.map({_CONTRAST})")
    assert len(contrasts) > 100
    assert min(contrasts) >= 4.5


@needs_chromium
def test_charts_follow_the_colour_scheme(opened: Any) -> None:
    color = "(element) => element.data[1].marker.color"
    light = opened.locator("#genealogy-chart").evaluate(color)
    opened.emulate_media(color_scheme="dark")
    opened.wait_for_function(
        "(light) => document.getElementById('genealogy-chart').data[1].marker.color !== light", arg=light
    )


def test_charts_are_such_as_plotly_knows(search: SearchData) -> None:
    for make in (make_genealogy, make_predictions, make_top_curves, make_trade_offs):
        for chart in make(search).charts:
            told = {"data": chart.traces, "layout": chart.layout}
            named = plotly.io.json.to_json_plotly(told)
            assert _COLOR.search(named)
            figure = plotly.io.from_json(_COLOR.sub('"#000000"', named))
            assert isinstance(figure, plotly.graph_objects.Figure)


def test_what_a_child_says_cannot_become_markup(make_child, make_search) -> None:
    evil = "</script><script>alert(1)</script>"
    page = make_page(make_search(make_child(0, status="crashed", accuracy=None, message=evil), make_child(1)))
    assert evil not in page


def test_the_same_search_gives_the_same_page(search: SearchData) -> None:
    assert make_page(search) == make_page(search)


def test_a_search_without_any_accuracy_has_a_page(make_child, make_search) -> None:
    lost = make_child(0, status="crashed", accuracy=None, message="exit code 9", n_parameters=None, multiply_adds=None)
    page = make_page(make_search(lost, best=None, is_finished=False))
    assert "No child has an accuracy yet." in page
    assert "exit code 9" in page
