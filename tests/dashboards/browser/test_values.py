"""What the page makes of values: amounts and their bounds, names, times, the steps of a chart."""

import pytest

from tests.dashboards.browser.conftest import Tab


def test_a_lower_bound_is_never_rounded_up_nor_an_upper_one_down(tab: Tab) -> None:
    tab.open("/overview")
    shown = """async ([name, values, unknown_calls]) => {
      const { shown } = await import("/page/static/format.js");
      const field = { name, unit: "USD", words: {}, zero: "", signed: false };
      return values.map((value) => shown(field, { [name]: value, unknown_calls }));
    }"""
    values = ["2.287447175", "1.9992151", "0.16797595", "123456.9", "0.29", "4.35", "0.000068429", "1.005"]

    def said(name: str, unknown: int) -> list[str]:
        texts: list[str] = tab.page.evaluate(shown, [name, values, unknown])
        return texts

    down = ["$2.28", "$1.99", "$0.1679", "$123,456", "$0.29", "$4.35", "$0.0000684", "$1.00"]
    assert said("known_usd", 1) == [f"≥ {text}" for text in down]
    assert said("low_usd", 0) == down
    assert said("known_usd", 0)[:4] == ["$2.29", "$2.00", "$0.168", "$123,457"]
    assert said("high_usd", 0) == ["$2.29", "$2.00", "$0.168", "$123,457", "$0.29", "$4.35", "$0.0000685", "$1.01"]


def test_a_name_shows_what_would_turn_it_around_or_hide_in_it(tab: Tab) -> None:
    tab.open("/overview")
    written = """async (name) => {
      const { written } = await import("/page/static/format.js");
      return written({ name: "team", unit: "TEXT", words: {}, zero: "" }, name);
    }"""

    assert tab.page.evaluate(written, "\u202eevil\n\u200b") == "\\u202eevil\\u000a\\u200b"
    assert tab.page.evaluate(written, "Müller & söhne 東京 👩‍💻") == "Müller & söhne 東京 👩‍💻"


def test_a_time_of_the_address_means_the_zone_of_the_ledger_not_of_the_browser(tab: Tab) -> None:
    tab.open("/overview")
    asked = """async ([zone, text]) => {
      const { setZone } = await import("/page/static/format.js");
      const { range } = await import("/page/static/state.js");
      setZone(zone);
      history.replaceState(null, "", `?from=${encodeURIComponent(text)}`);
      return new Date(range("now-30d").from * 1000).toISOString();
    }"""
    for zone, text, moment in [
        ("UTC", "2026-11-20T00:00", "2026-11-20T00:00:00.000Z"),
        ("America/New_York", "2026-11-20", "2026-11-20T05:00:00.000Z"),
        ("America/New_York", "2026-11-01 12:00", "2026-11-01T17:00:00.000Z"),
        ("Europe/Berlin", "2026-03-29T03:30", "2026-03-29T01:30:00.000Z"),
        ("Europe/Berlin", "2026-11-20T00:00+05:30", "2026-11-19T18:30:00.000Z"),
    ]:
        assert tab.page.evaluate(asked, [zone, text]) == moment


def test_the_one_hour_of_a_new_ledger_is_a_point_on_a_line_chart(tab: Tab) -> None:
    """A line needs two hours; a point alone was dropped where not each of many hours has room for one."""
    tab.open("/overview")
    points = tab.page.evaluate("""async () => {
      const { draw } = await import("/page/static/charts.js");
      const element = document.body.appendChild(document.createElement("div"));
      element.style.cssText = "width: 600px; height: 200px";
      const times = Array.from({ length: 169 }, (_, hour) => hour * 3600);
      const values = times.map((_, hour) => (hour === 166 ? 0.9 : null));
      const field = { name: "known_share", title: "Known", unit: "SHARE", words: {}, steps: [] };
      const answer = { start: 0, end: times.at(-1), step: 3600 };
      draw(element, { stacked: false, fields: [field] }, answer, { times, list: [{ name: "Known", values }] }, []);
      const shapes = echarts.getInstanceByDom(element).getZr().storage.getDisplayList(true);
      return shapes.filter((shape) => shape.shape?.symbolType === "circle" && !shape.ignore).length;
    }""")

    assert points == 1


@pytest.mark.parametrize(
    ("zone", "start", "end", "step", "called"),
    [
        # clocks change on 2026-03-29 and 2026-11-01: days of 23 and of 25 hours
        ("Europe/Berlin", "2026-03-28T12:00Z", "2026-03-30T12:00Z", 86_400, {
            "2026-03-27T23:00Z": "2026-03-28", "2026-03-28T23:00Z": "2026-03-29", "2026-03-29T22:00Z": "2026-03-30"}),
        ("America/New_York", "2026-11-01T03:00Z", "2026-11-02T04:00Z", 86_400, {
            "2026-10-31T04:00Z": "2026-10-31", "2026-11-01T04:00Z": "2026-11-01"}),
        ("Asia/Kolkata", "2026-11-11T12:00Z", "2026-11-16T20:00Z", 604_800, {
            "2026-11-08T18:30Z": "week from 2026-11-09", "2026-11-15T18:30Z": "week from 2026-11-16"}),
        ("America/New_York", "2026-12-31T12:00Z", "2027-02-01T05:00Z", 2_592_000, {
            "2026-12-01T05:00Z": "2026-12", "2027-01-01T05:00Z": "2027-01", "2027-02-01T05:00Z": "2027-02"}),
        # has no midnight on this day
        ("America/Santiago", "2026-09-05T12:00Z", "2026-09-06T12:00Z", 86_400, {
            "2026-09-05T04:00Z": "2026-09-05", "2026-09-06T04:00Z": "2026-09-06"}),
        ("America/New_York", "2026-11-20T03:00Z", "2026-11-20T08:00Z", 7200, {
            "2026-11-20T03:00Z": "2026-11-19 22:00", "2026-11-20T05:00Z": "2026-11-20 00:00", "2026-11-20T07:00Z": "2026-11-20 02:00"}),
        ("Asia/Kolkata", "2026-11-20T17:45Z", "2026-11-20T18:45Z", 3600, {
            "2026-11-20T17:30Z": "2026-11-20 23:00", "2026-11-20T18:30Z": "2026-11-21 00:00"}),
        ("Europe/Berlin", "2026-03-28T21:30Z", "2026-03-29T01:30Z", 3600, {
            "2026-03-28T21:00Z": "2026-03-28 22:00", "2026-03-28T22:00Z": "2026-03-28 23:00", "2026-03-28T23:00Z": "2026-03-29 00:00",
            "2026-03-29T00:00Z": "2026-03-29 01:00", "2026-03-29T01:00Z": "2026-03-29 03:00"}),
    ],
)  # fmt: skip
def test_days_weeks_and_months_of_a_chart_are_those_of_the_ledgers_zone(
    tab: Tab, zone: str, start: str, end: str, step: int, called: dict[str, str]
) -> None:
    tab.open("/overview")
    found = tab.page.evaluate(
        """async ([zone, start, end, step, rows]) => {
      const { setZone } = await import("/page/static/format.js");
      const { called, seriesOf } = await import("/page/static/charts.js");
      setZone(zone);
      const panel = { split: false, stacked: true, words: {}, fields: [{ name: "calls", title: "Calls" }] };
      const answer = { start: Date.parse(start) / 1000, end: Date.parse(end) / 1000, step, columns: ["time", "calls"], rows };
      const data = seriesOf(panel, answer);
      return [data.times.map((at) => called(at, data.step)), data.list[0].values];
    }""",
        [zone, start, end, step, [[at, number] for number, at in enumerate(called, 1)]],
    )

    assert found == [list(called.values()), list(range(1, len(called) + 1))]
