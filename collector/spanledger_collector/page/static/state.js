// What the address says: dashboard, time range, filters. A bookmark shows the same again.

import { time } from "./format.js";

const AGO = /^now-(\d+)([mhd])$/;
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/;
const SECONDS = { m: 60, h: 3600, d: 86_400 };
export const RANGES = [["now-1h", "last hour"], ["now-6h", "last 6 hours"], ["now-24h", "last 24 hours"], ["now-7d", "last 7 days"],
  ["now-30d", "last 30 days"], ["now-90d", "last 90 days"], ["now-365d", "last year"]];

export const parameters = () => new URLSearchParams(location.search);
export const dashboardName = () => location.pathname.replace(/^\//, "");

// Seconds since 1970 of a written time; without a zone of its own it means the ledger's, found by asking what that shows for a guess.
export function typed(text) {
  const [, day, clock, own] = TIME.exec(text.trim()) || [];
  if (!day) return null;
  const guess = Date.parse(`${day}T${clock || "00:00"}${own || "Z"}`);
  if (Number.isNaN(guess)) return null;
  const off = (at) => Date.parse(`${time(at).replace(" ", "T")}Z`) - at;
  const near = guess - off(guess), nearer = guess - off(near);
  // a time that clocks leave out is the one when they go on
  const found = own ? guess : off(nearer) === guess - nearer ? nearer : Math.max(near, nearer);
  return Math.floor(found / 1000);
}

// Seconds since 1970 of the ends of the range; where it cannot be read, the dashboard's own, and `unread` says so.
export function range(since) {
  const asked = parameters();
  const now = Math.floor(Date.now() / 1000);
  const moment = (text, fallback) => {
    const ago = AGO.exec(text || "");
    if (ago) return now - Number(ago[1]) * SECONDS[ago[2]];
    if (text === "now") return now;
    if (/^\d{9,11}$/.test(text || "")) return Number(text);
    if (/^\d{12,14}$/.test(text || "")) return Math.floor(Number(text) / 1000); // as Grafana writes it
    return typed(text || "") ?? fallback;
  };
  const from = moment(asked.get("from") || since, null);
  const to = moment(asked.get("to") || "now", null);
  return from !== null && to !== null && from >= 0 && from < to ? { from, to, unread: false } : { from: moment(since), to: now, unread: true };
}

export const isRelative = () => !/^\d|T/.test(parameters().get("to") || "now");

// Parameters of the address with some replaced; a value that is empty is left out.
export function changed(changes) {
  const next = parameters();
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const each of [value].flat()) if (each !== "" && each !== null) next.append(name, each);
  }
  return next;
}

export const address = (dashboard, next) => `/${dashboard}${[...next].length ? `?${next}` : ""}`;

// Where a link of a field leads: the same time and filters, and the value in its variable.
export function target(link, value) {
  const next = changed({ [link.variable]: value });
  if (link.dashboard !== dashboardName()) for (const name of ["session", "trace", "by", "incident"]) if (name !== link.variable) next.delete(name);
  return `${address(link.dashboard, next)}${link.anchor ? `#${link.anchor}` : ""}`;
}

// What goes with each query.
export function question(filters, choices, since) {
  const asked = parameters();
  const { from, to } = range(since);
  const sent = new URLSearchParams({ from, to });
  for (const name of [...filters, ...choices.map((choice) => choice.name)]) for (const value of asked.getAll(name)) sent.append(name, value);
  for (const choice of choices) if (choice.options.length && !sent.has(choice.name)) sent.append(choice.name, choice.options[0]);
  return sent;
}
