// Time series, drawn by Apache ECharts: stacked bars for what adds up, lines for the rest.

import { onAxis, plain, time, written } from "./format.js";
import { typed } from "./state.js";

const drawn = new Map();
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const palette = () => Array.from({ length: 9 }, (_, index) => css(`--series-${index + 1}`));

const DAY = 86_400, WEEK = 7 * DAY, MONTH = 30 * DAY;
const dateOf = (seconds) => time(seconds * 1000).slice(0, 10);

// Starts of all intervals of the range, so that a gap is a gap: days, weeks from Monday and months of the ledger's zone, or parts of its days.
function intervals({ start, end, step }) {
  const date = new Date(`${dateOf(start)}T00:00Z`);
  if (step >= MONTH) date.setUTCDate(1);
  else if (step >= WEEK) date.setUTCDate(date.getUTCDate() - (date.getUTCDay() + 6) % 7);
  const found = [];
  for (let at; (at = typed(date.toISOString().slice(0, 10))) <= end;) {
    found.push(at);
    if (step >= MONTH) date.setUTCMonth(date.getUTCMonth() + 1);
    else date.setUTCDate(date.getUTCDate() + (step >= WEEK ? 7 : 1));
  }
  if (step >= DAY) return found;
  const within = (day, index) => Array.from({ length: Math.ceil(((found[index + 1] ?? end + 1) - day) / step) }, (_, nth) => day + nth * step);
  return found.flatMap(within).filter((at) => at > start - step);
}

// How an interval is called: its day, week or month, or the time when it starts.
export function called(at, step) {
  if (step < DAY) return time(at * 1000, false);
  return step >= MONTH ? dateOf(at).slice(0, 7) : step >= WEEK ? `week from ${dateOf(at)}` : dateOf(at);
}

// From rows to one array of values for each series, by interval; a place without a row is 0 where things add up, else a gap.
export function seriesOf(panel, answer) {
  const times = intervals(answer);
  const key = answer.step < DAY ? (at) => at : dateOf; // a day without a midnight begins later
  const places = new Map(times.map((at, index) => [key(at), index]));
  const column = Object.fromEntries(answer.columns.map((name, index) => [name, index]));
  const series = new Map();
  const of = (name) => {
    if (!series.has(name)) series.set(name, Array(places.size).fill(panel.stacked ? 0 : null));
    return series.get(name);
  };
  for (const row of answer.rows) {
    const at = places.get(key(Math.floor(Date.parse(row[column.time]) / 1000)));
    if (at === undefined) continue;
    if (panel.split) of(row[column.series])[at] = row[column[panel.fields[0].name]];
    else for (const field of panel.fields) of(field.title)[at] = row[column[field.name]];
  }
  const value = (item) => (item === null ? null : Number(item));
  const list = [...series].map(([name, values]) => ({ name: name === "" ? "(untagged)" : panel.words[name]?.text || plain(name), values: values.map(value) }));
  const sum = (each) => each.values.reduce((total, item) => total + (item || 0), 0);
  if (panel.split && panel.stacked) list.sort((a, b) => (a.name === "all others") - (b.name === "all others") || sum(b) - sum(a));
  return { times, step: answer.step, list: panel.split ? list : list.filter((each) => each.values.some((item) => item)) };
}

// A tag may have 128 characters.
const shortened = (name) => (name.length > 40 ? `${name.slice(0, 39)}…` : name);

function label(at, step) {
  const [day, clock] = time(at * 1000, false).split(" ");
  return clock === "00:00" || step >= 21_600 ? `${day.slice(5)}\n${clock}` : clock;
}

// A sentence for those who do not see the chart; the table below it has the figures.
export function summary(panel, data) {
  const names = data.list.map((each) => each.name);
  return `${panel.title}: ${panel.stacked ? "stacked bars" : "lines"} over time, ${data.times.length} intervals, ${names.length} series: ${names.join(", ")}.`;
}

export function draw(element, panel, answer, data, marks) {
  const chart = drawn.get(element) || window.echarts.init(element, null, { renderer: "canvas" });
  drawn.set(element, chart);
  const unit = panel.fields[0].unit;
  const field = panel.fields[0];
  const text = css("--text"), soft = css("--soft"), line = css("--line");
  const most = Math.max(0, ...data.list.flatMap((each) => each.values.map((item) => item || 0)));
  const isWhole = unit === "SHARE" && most > 0.8 && most <= 1;
  const few = data.times.length <= 40;
  const nearest = (at) => data.times.reduce((best, each) => (each <= at ? each : best), data.times[0]);
  const days = answer.end - answer.start > 172_800;
  const markLine = { silent: false, symbol: "none", animation: false, lineStyle: { color: css("--mark"), type: "dashed", width: 1 }, label: { show: false },
    data: marks.filter((mark) => mark.at >= answer.start && mark.at <= answer.end).map((mark) => ({ xAxis: String(nearest(mark.at)), name: mark.text })) };
  chart.setOption({
    animation: false,
    color: palette(),
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: text },
    grid: { left: 8, right: 12, top: 12, bottom: data.list.length > 1 ? 44 : 10, containLabel: true },
    // a legend of several pages cuts its text at the height of an item
    legend: { show: data.list.length > 1, type: "scroll", bottom: 0, left: 0, itemWidth: 12, itemHeight: 12, icon: "roundRect", formatter: shortened,
      textStyle: { color: text }, pageTextStyle: { color: text }, pageIconColor: text, pageIconInactiveColor: soft },
    tooltip: { trigger: "axis", renderMode: "richText", confine: true, backgroundColor: css("--panel"), borderColor: line,
      textStyle: { color: text, fontSize: 12 }, axisPointer: { type: panel.stacked ? "shadow" : "line" },
      formatter: (items) => tooltip(field, items, marks, data) },
    xAxis: { type: "category", data: data.times.map(String), boundaryGap: panel.stacked, axisTick: { show: false }, axisLine: { lineStyle: { color: line } },
      axisLabel: { color: soft, hideOverlap: true, fontSize: 11, interval: days ? dayMarks(data.times, element.clientWidth) : "auto",
        formatter: (at) => (answer.step >= MONTH ? dateOf(at).slice(0, 7) : days ? time(at * 1000, false).slice(5, 10) : label(Number(at), answer.step)) } },
    yAxis: { type: "value", min: 0, max: isWhole ? 1 : null,
      splitNumber: 4, interval: isWhole ? 0.25 : undefined, minInterval: unit === "COUNT" ? 1 : 0, axisLabel: { color: soft, fontSize: 11, formatter: (value) => onAxis(unit, value) }, splitLine: { lineStyle: { color: line } } },
    series: data.list.map((each, index) => ({
      name: each.name, data: panel.stacked || few ? each.values : pointed(each.values), type: panel.stacked ? "bar" : "line", stack: panel.stacked ? "all" : undefined, barCategoryGap: few ? "30%" : "8%", barMaxWidth: 48,
      showSymbol: !panel.stacked, showAllSymbol: true, symbol: "circle", symbolSize: 5, lineStyle: { width: 2 }, emphasis: { focus: "none" }, markLine: index === 0 && markLine.data.length ? markLine : undefined,
    })),
  }, true);
}

// A value between two gaps has no line: it gets a point.
function pointed(values) {
  return values.map((value, index) => {
    const alone = value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null;
    return { value, symbol: alone ? "circle" : "none" };
  });
}

// Labels at midnights only, and only as many as there is room for.
function dayMarks(times, width) {
  const midnights = times.map((at, index) => (time(at * 1000, false).endsWith("00:00") ? index : -1)).filter((index) => index >= 0);
  const every = Math.max(1, Math.ceil(midnights.length / Math.max(2, Math.floor(width / 64))));
  const kept = new Set(midnights.filter((_, index) => index % every === 0));
  return kept.size ? (index) => kept.has(index) : "auto";
}

function tooltip(field, items, marks, data) {
  const at = data.times[items[0].dataIndex];
  const lines = items.filter((item) => item.value !== null && item.value !== undefined && item.value !== 0)
    .sort((a, b) => b.value - a.value).map((item) => `${item.marker} ${shortened(item.seriesName)}: ${written(field, item.value)}`);
  const next = data.times[items[0].dataIndex + 1] ?? Infinity;
  const here = marks.filter((mark) => mark.at >= at && mark.at < next).map((mark) => `▲ ${mark.text}`);
  return [called(at, data.step), ...lines, ...(lines.length ? [] : ["nothing"]), ...here].join("\n");
}

export const forget = (element) => { drawn.get(element)?.dispose(); drawn.delete(element); };
export const resizeAll = () => drawn.forEach((chart, element) => (element.isConnected ? chart.resize() : forget(element)));
