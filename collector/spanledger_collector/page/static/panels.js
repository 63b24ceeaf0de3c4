// Draws the answers of panels: figures, rankings, tables, time series with their table behind.

import { called, draw, forget, seriesOf, summary } from "./charts.js";
import { make, prose, styled } from "./dom.js";
import { NONE, colorOf, isBound, shown, written } from "./format.js";
import { dashboardName, target } from "./state.js";

const NUMBERS = new Set(["USD", "COUNT", "TOKENS", "CHARACTERS", "SHARE", "MILLISECONDS", "SECONDS", "DAYS", "BYTES", "PER_SECOND"]);
const isNumber = (field) => NUMBERS.has(field.unit);

const objects = (answer) => answer.rows.map((row) => Object.fromEntries(answer.columns.map((name, index) => [name, row[index]])));

export function show(body, panel, answer, marks) {
  const rows = objects(answer);
  const drawers = { stat: figures, bargauge: ranking, table, timeseries: chart };
  for (const old of body.querySelectorAll(".chart")) forget(old);
  const wasOpen = body.querySelector("details.behind")?.open;
  const content = isEmpty(panel, rows) ? [make("p", { class: "empty" }, prose(panel.empty))] : drawers[panel.kind](panel, rows, answer, marks);
  body.replaceChildren(...content);
  const canvas = body.querySelector(".chart");
  if (canvas) canvas.draw();
  if (wasOpen) body.querySelector("details.behind")?.setAttribute("open", "");
}

// A figure that is not there: its panel says why in the place of a dash.
function isEmpty(panel, rows) {
  return !rows.length || (panel.kind === "stat" && [null, undefined].includes(rows[0][panel.fields[0].name]));
}

function figures(panel, rows) {
  const row = rows[0];
  return [make("dl", { class: `figures count-${Math.min(panel.fields.length, 7)}` }, panel.fields.map((field, index) =>
    make("div", { class: `figure${index ? "" : " first"}` },
      make("dt", {}, field.title),
      make("dd", { class: colorOf(field, row[field.name]) }, shown(field, row)))))];
}

function named(field, row) {
  const value = row[field.name];
  const text = written(field, value);
  if (!field.link || text === NONE) return text;
  const shortened = ["trace", "incident"].includes(field.link.variable) ? `${text.slice(0, 8)}…` : text;
  const inHere = field.link.dashboard === dashboardName();
  return make("a", { href: target(field.link, value), title: field.link.variable === "trace" ? `Spans of trace ${text}` : inHere ? `Only ${text}` : `${text} in ${field.link.dashboard}` }, shortened);
}

function ranking(panel, rows) {
  const [name, amount, ...more] = panel.fields;
  const most = Math.max(...rows.map((row) => Number(row[amount.name] || 0)), 0);
  const head = make("tr", {}, make("th", { scope: "col" }, name.title), make("th", { scope: "col", class: "number" }, amount.title),
    more.map((field) => make("th", { scope: "col", class: "number more" }, field.title)));
  const lines = rows.map((row) => make("tr", {},
    make("th", { scope: "row" }, named(name, row)),
    make("td", { class: "number barred" }, bar(most ? Number(row[amount.name] || 0) / most : 0), make("span", {}, shown(amount, row))),
    more.map((field) => make("td", { class: `number more ${colorOf(field, row[field.name])}` }, shown(field, row)))));
  return [scrolling(panel, make("table", { class: "ranking" }, make("thead", {}, head), make("tbody", {}, lines)))];
}

const bar = (part) => styled(make("span", { class: "bar", "aria-hidden": "true" }), "--part", `${Math.max(part * 100, part > 0 ? 1 : 0)}%`);

function table(panel, rows) {
  // The ≥ of lower bounds stands before the amount.
  const fields = panel.fields.filter((field) => field.name !== "bound");
  const most = Object.fromEntries(fields.filter((field) => field.bar).map((field) => [field.name, Math.max(...rows.map((row) => Number(row[field.name] || 0)), 0)]));
  const cell = (field, row, index) => {
    const content = isNumber(field) ? shown(field, row) : named(field, row);
    if (index === 0) return make("th", { scope: "row", class: isNumber(field) ? "number" : "" }, content);
    const classes = [isNumber(field) && "number", field.unit === "TIME" && "time", field.unit === "TEXT" && "text", colorOf(field, row[field.name]), isBound(field, row) && "bounded", field.bar && "barred"];
    const part = field.bar && most[field.name] ? bar(Number(row[field.name] || 0) / most[field.name]) : null;
    return make("td", { class: classes.filter(Boolean).join(" ") }, part, make("span", {}, content));
  };
  const head = fields.map((field) => make("th", { scope: "col", class: isNumber(field) ? "number" : "" }, field.title));
  const lines = rows.map((row) => make("tr", {}, fields.map((field, index) => cell(field, row, index))));
  return [scrolling(panel, make("table", {}, make("thead", {}, make("tr", {}, head)), make("tbody", {}, lines)))];
}

// What may be wider than its place can be reached and moved with the keyboard.
const scrolling = (panel, content) => make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${panel.title}, table` }, content);

function chart(panel, _, answer, marks) {
  const data = seriesOf(panel, answer);
  if (!data.list.length) return [make("p", { class: "empty" }, prose(panel.empty))];
  const canvas = make("div", { class: "chart", role: "img", "aria-label": summary(panel, data) });
  canvas.draw = () => draw(canvas, panel, answer, data, marks);
  const behind = make("details", { class: "behind" }, make("summary", {}, "As a table"));
  behind.addEventListener("toggle", () => { if (behind.open && !behind.querySelector("table")) behind.append(scrolling(panel, figuresOver(panel, data))); });
  return [canvas, behind];
}

// The newest intervals first; those in which nothing happened are left out.
function figuresOver(panel, data) {
  const one = panel.fields[0];
  const fieldOf = (name) => panel.fields.find((field) => field.title === name) || one;
  const head = make("tr", {}, make("th", { scope: "col" }, "From"), data.list.map((each) => make("th", { scope: "col", class: "number" }, each.name)));
  const kept = data.times.map((_, index) => index).filter((index) => data.list.some((each) => each.values[index])).reverse();
  const lines = kept.map((index) => make("tr", {}, make("th", { scope: "row", class: "time" }, called(data.times[index], data.step)),
    data.list.map((each) => make("td", { class: "number" }, written(fieldOf(each.name), each.values[index])))));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, lines));
}
