// Time range, filters and choices: a form whose state is the address.

import { make } from "./dom.js";
import { time, zoneName } from "./format.js";
import { RANGES, changed, parameters, range } from "./state.js";

const LABELS = { tenant: "Tenant", team: "Team", feature: "Feature", model: "Model", environment: "Environment" };
const SEARCHABLE = 8;

export function controls(form, { site, dashboard, go, values }) {
  const refresh = make("button", { type: "submit" }, "Refresh");
  form.replaceChildren(ranges(dashboard, go), ...dashboard.choices.map((choice) => chooser(choice, go)),
    ...site.filters.map((name) => filter(name, go, values)), clear(site, dashboard, go), refresh);
}

function ranges(dashboard, go) {
  const asked = parameters();
  const from = asked.get("from") || dashboard.since;
  const known = RANGES.some(([value]) => value === from) && (asked.get("to") || "now") === "now";
  const select = make("select", { id: "range", onchange: () => { if (select.value !== "custom") go(changed({ from: select.value, to: "" })); else custom.hidden = false; } },
    RANGES.map(([value, text]) => make("option", { value, selected: known && value === from }, text)), make("option", { value: "custom", selected: !known }, "from … to …"));
  const shown = range(dashboard.since);
  const field = (name, at) => make("input", { type: "text", name, size: 16, value: time(at * 1000, false), "aria-label": `${name === "from" ? "From" : "To"}, ${zoneName()}`, autocomplete: "off" });
  const written = (input) => input.value.trim().replace(" ", "T");
  const start = field("from", shown.from), end = field("to", shown.to);
  const custom = make("span", { class: "custom" }, start, " – ", end, make("button", { type: "button", onclick: () => go(changed({ from: written(start), to: written(end) })) }, "Apply"));
  custom.hidden = known;
  return make("span", { class: "control" }, make("label", { for: "range" }, "Time"), select, custom);
}

function chooser(choice, go) {
  const current = parameters().get(choice.name) || choice.options[0] || "";
  const id = `choice-${choice.name}`;
  if (choice.options.length) {
    const select = make("select", { id, onchange: () => go(changed({ [choice.name]: select.value })) }, choice.options.map((value) => make("option", { value, selected: value === current }, value)));
    return make("span", { class: "control" }, make("label", { for: id }, choice.label), select);
  }
  const input = make("input", { type: "search", id, value: current, size: 14, autocomplete: "off", spellcheck: "false", onchange: () => go(changed({ [choice.name]: input.value.trim() })) });
  return make("span", { class: "control" }, make("label", { for: id }, choice.label), input);
}

// Some of many: a list of boxes that opens; its values are asked for when it does.
function filter(name, go, values) {
  const chosen = parameters().getAll(name);
  const said = chosen.length === 0 ? "all" : chosen.length === 1 ? chosen[0] : `${chosen.length} chosen`;
  const list = make("div", { class: "boxes", role: "group", "aria-label": LABELS[name] });
  const box = make("details", { class: `filter${chosen.length ? " active" : ""}`, name: "filter" }, make("summary", {}, `${LABELS[name]}: `, make("b", {}, said)), list);
  const apply = () => go(changed({ [name]: [...list.querySelectorAll("input[type=checkbox]:checked")].map((input) => input.value) }));
  box.addEventListener("toggle", async () => {
    if (!box.open) return;
    list.replaceChildren(make("p", { class: "quiet" }, "Loading …"));
    const found = await values(name);
    const all = [...new Set([...chosen, ...found])];
    const boxes = all.map((value) => make("label", {}, make("input", { type: "checkbox", value, checked: chosen.includes(value) }), ` ${value}`));
    const search = make("input", { type: "search", placeholder: "Find", "aria-label": `Find a ${name}`, oninput: () => boxes.forEach((label) => { label.hidden = !label.textContent.toLowerCase().includes(search.value.toLowerCase()); }) });
    list.replaceChildren(...(all.length > SEARCHABLE ? [search] : []), make("div", { class: "list" }, boxes.length ? boxes : "Nothing in this time range."),
      make("button", { type: "button", onclick: apply }, "Apply"));
  });
  box.addEventListener("keydown", (event) => { if (event.key === "Escape") { box.open = false; box.querySelector("summary").focus(); } });
  return box;
}

function clear(site, dashboard, go) {
  const names = [...site.filters, ...dashboard.choices.map((choice) => choice.name)];
  const any = names.some((name) => parameters().has(name));
  return make("button", { type: "button", class: "quiet", hidden: !any, onclick: () => go(changed(Object.fromEntries(names.map((name) => [name, ""])))) }, "Clear filters");
}
