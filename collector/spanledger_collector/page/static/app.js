// The page: asks the server for each panel as it comes into view, and says in words when something is missing.

import { resizeAll } from "./charts.js";
import { controls } from "./controls.js";
import { make, prose, styled } from "./dom.js";
import { setZone, time, zoneName } from "./format.js";
import { show } from "./panels.js";
import { address, dashboardName, isRelative, parameters, question, range } from "./state.js";

const REFRESH_MS = 60_000, RETRY_MS = 10_000, NEAR_PIXELS = 300;
const PAGE = "/page";
const SILENT = "The collector does not answer. Is `spanledger up` still running?";
const at = (id) => document.getElementById(id);

class Gone extends Error {}

async function ask(path, priority = "auto") {
  let response;
  try {
    response = await fetch(path, { headers: { Accept: "application/json" }, cache: "no-store", priority });
  } catch {
    throw new Gone(SILENT);
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(body.error || `The server answered ${response.status}.`), { code: body.code });
  return body;
}

const state = { site: null, dashboard: null, panels: [], marks: null, generation: 0, retry: null, drawable: null };

async function start() {
  const generation = ++state.generation;
  try {
    state.site = await ask(`${PAGE}/site`);
  } catch (error) {
    return failed(error);
  }
  if (generation !== state.generation) return undefined;
  setZone(state.site.zone);
  state.dashboard = state.site.dashboards.find((each) => each.name === dashboardName()) || state.site.dashboards[0];
  document.title = `spanledger: ${state.dashboard.title}`;
  at("title").textContent = state.dashboard.title;
  at("about").textContent = state.dashboard.description;
  lay();
  render();
  return undefined;
}

// The charting library takes a moment to start: it comes once the first questions are on their way.
function library() {
  return new Promise((onload, failed) => {
    const onerror = () => { state.drawable = null; failed(new Gone(SILENT)); };
    document.head.append(make("script", { src: `${PAGE}/static/vendor/echarts.common.min.js`, onload, onerror }));
  });
}

function go(next) {
  history.pushState(null, "", address(state.dashboard.name, next));
  render();
}

// Everything that the address says, drawn anew; panels that are not in view wait until they are.
function render() {
  menu();
  controls(at("controls"), { site: state.site, dashboard: state.dashboard, go, values });
  tell();
  load();
}

function menu() {
  const kept = new URLSearchParams([...parameters()].filter(([name]) => ["from", "to", ...state.site.filters].includes(name)));
  at("menu").replaceChildren(...state.site.dashboards.map((each) =>
    make("a", { href: address(each.name, kept), "aria-current": each === state.dashboard ? "page" : null }, each.title)));
  at("menu").scrollLeft = at("menu").querySelector("[aria-current]").offsetLeft - at("menu").offsetLeft - 40; // on a phone they do not all fit
}

function tell() {
  const { site } = state;
  const banner = at("banner");
  banner.className = "";
  const { unread } = range(state.dashboard.since);
  banner.hidden = site.any_calls && !site.tenant && !unread;
  if (unread) {
    banner.replaceChildren(`The time range in the address cannot be read (from ${parameters().get("from") || "…"} to ${parameters().get("to") || "now"}): shown is the range above the panels.`);
  } else if (!site.any_calls) {
    banner.replaceChildren(make("strong", {}, "No LLM call has arrived yet. "), "Point a program here: ", make("code", {}, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318"),
      " (or what `spanledger up` printed), or see it with invented calls: ", make("code", {}, "spanledger demo --keep"), ".");
  } else if (site.tenant) {
    banner.replaceChildren(`You see the calls of tenant ${site.tenant} only.`);
  }
}

function lay() {
  const seen = (found, place, visible) => { Object.assign(found, { visible, priority: place.top < innerHeight ? "high" : "low" }); };
  const watcher = new IntersectionObserver((entries) => entries.forEach((entry) => {
    const found = state.panels.find((each) => each.element === entry.target);
    seen(found, entry.boundingClientRect, entry.isIntersecting);
    if (found.visible) fetchPanel(found);
  }), { rootMargin: `${NEAR_PIXELS}px` });
  state.panels = [];
  const sections = [];
  for (const row of state.dashboard.rows) {
    const grid = make("div", { class: "row" }, row.panels.map((panel) => frame(panel, row)));
    if (row.title) sections.push(make("section", { "aria-label": row.title }, make("h2", {}, row.title), grid));
    else sections.at(-1).append(grid);
  }
  at("panels").replaceChildren(...sections);
  if (location.hash) at(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  for (const each of state.panels) {
    const place = each.element.getBoundingClientRect(); // at once: the watcher's first word comes a frame later
    seen(each, place, place.bottom > -NEAR_PIXELS && place.top < innerHeight + NEAR_PIXELS);
    watcher.observe(each.element);
  }
}

function frame(panel, row) {
  const body = make("div", { class: "body", "aria-busy": "true" }, make("p", { class: "quiet loading" }, "Loading …"));
  const about = make("details", { class: "info" }, make("summary", { "aria-label": `About ${panel.title}`, title: panel.description.replaceAll("`", "") }, "i"), make("p", {}, prose(panel.description)));
  const fixed = panel.fixed && !panel.title.toLowerCase().includes(panel.fixed) ? make("span", { class: "fixed" }, panel.fixed) : null;
  const element = make("article", { class: `panel ${panel.kind}`, id: panel.id, "aria-labelledby": `${panel.id}-title` },
    make("div", { class: "title" }, make("h3", { id: `${panel.id}-title` }, panel.title), fixed, about), body);
  styled(element, "--width", panel.width);
  styled(element, "--height", `${row.height * 30 + 30}px`);
  state.panels.push({ panel, element, body, visible: false, asked: "" });
  return element;
}

// What the server had the browser ask already, while it read these scripts (first_questions in routes.py): for the address as it came.
function first() {
  const link = document.querySelector(`link[href^="${PAGE}/query/"]`);
  return link && !state.question && !location.search && performance.now() < RETRY_MS ? new URL(link.href).searchParams.toString() : "";
}

function load(again = false) {
  const { filters } = state.site;
  state.question = first() || question(filters, state.dashboard.choices, state.dashboard.since).toString();
  state.marks = null;
  for (const each of state.panels) {
    if (again) each.asked = "";
    if (each.visible) fetchPanel(each);
  }
}

// What happened, as marks on the time axes: asked for after the first figures, and without them the charts still stand.
async function marks() {
  const found = await Promise.all(state.site.annotations.map((query) => ask(`${PAGE}/query/${query}?${state.question}`).catch(() => ({ rows: [], columns: [] }))));
  return found.flatMap(({ rows, columns }) => rows.map((row) => ({ at: Date.parse(row[columns.indexOf("time")]) / 1000, text: row[columns.indexOf("text")] })));
}

async function fetchPanel(each) {
  const { panel, body } = each;
  const asked = state.question;
  if (!asked || each.asked === asked) return;
  each.asked = asked;
  body.setAttribute("aria-busy", "true");
  try {
    const drawable = panel.kind === "timeseries" ? (state.drawable ??= library()) : null;
    const [answer] = await Promise.all([ask(`${PAGE}/query/${panel.query}?${asked}`, each.priority), drawable]);
    if (each.asked !== asked) return; // the address changed meanwhile
    const known = each.answer?.found ?? [];
    show(body, panel, answer, known);
    each.answer = { answer, found: known, address: location.href };
    at("foot").textContent = `As of ${time(Date.now())}, times in ${zoneName()}. Costs in USD; ≥ marks a lower bound, because the cost of some calls is unknown.`;
    arrived();
    if (panel.kind !== "timeseries") return;
    const found = await (state.marks ??= marks());
    if (each.asked !== asked || !(found.length || known.length)) return;
    each.answer.found = found;
    show(body, panel, answer, found);
  } catch (error) {
    if (each.asked !== asked) return;
    each.asked = "";
    if (error instanceof Gone) {
      failed(error);
      if (each.answer?.address === location.href) return; // figures that answer this question stay: the foot says of when they are
    }
    body.replaceChildren(make("div", { class: "failure" }, make("p", {}, reason(error)), make("button", { type: "button", onclick: () => fetchPanel(each) }, "Try again")));
  } finally {
    body.setAttribute("aria-busy", "false");
  }
}

function reason(error) {
  if (error instanceof Gone) return "The collector does not answer.";
  if (error.code === 497) return "This panel is about the whole ledger; your login sees one tenant.";
  if (error.code === 159 || error.code === 307) return "This took too long. Choose a shorter time range.";
  return `This panel could not be filled: ${error.message}`;
}

function failed(error) {
  const banner = at("banner");
  banner.className = "bad";
  banner.hidden = false;
  banner.replaceChildren(make("strong", {}, error instanceof Gone ? error.message : `The page could not be filled: ${error.message}`), " Trying again every 10 seconds.");
  clearTimeout(state.retry);
  state.retry = setTimeout(() => (state.site ? load(true) : start()), RETRY_MS);
}

function arrived() {
  if (!at("banner").classList.contains("bad")) return;
  clearTimeout(state.retry);
  tell();
  load(true);
}

async function values(name) {
  const sent = new URLSearchParams(state.question);
  const answer = await ask(`${PAGE}/query/variables/of-${name}?from=${sent.get("from")}&to=${sent.get("to")}`).catch(() => ({ rows: [] }));
  return answer.rows.map(([value]) => value);
}

function theme() {
  const names = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
  const button = at("theme");
  const redraw = () => state.panels.forEach(({ panel, body, answer }) => { if (answer && panel.kind === "timeseries") show(body, panel, answer.answer, answer.found); });
  button.textContent = names[window.spanledgerTheme.chosen()];
  button.addEventListener("click", () => { button.textContent = names[window.spanledgerTheme.next()]; redraw(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

at("controls").addEventListener("submit", (event) => { event.preventDefault(); if (state.site) load(true); });
document.addEventListener("click", (event) => document.querySelectorAll("details.filter[open], details.info[open]").forEach((open) => { if (!open.contains(event.target)) open.open = false; }));
addEventListener("popstate", () => { if (state.site) render(); });
addEventListener("resize", resizeAll);
// Not under the hands of somebody who chooses: with a list open, or in a field.
const isChoosing = () => at("controls").querySelector("details[open], input:focus, select:focus");
setInterval(() => { if (!document.hidden && state.site && isRelative() && !isChoosing()) load(true); }, REFRESH_MS);
theme();
start();
