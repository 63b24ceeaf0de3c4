// Writes values with their units, for people.

const LOCALE = "en-US";
let zone = "UTC";
let clock = null;

export const setZone = (name) => { zone = name; clock = null; };
export const zoneName = () => zone;

const number = (value, least = 0, most = least) =>
  value.toLocaleString(LOCALE, { minimumFractionDigits: least, maximumFractionDigits: most });

// Rounded down or up at a place; fourteen digits of a product are true, so that 0.29 stays 0.29.
const rounded = (size, places, round) => round(Number((size * 10 ** places).toPrecision(14))) / 10 ** places;

// Cents when it is some dollars; four digits that count when it is less. `round` for bounds: a lower one down, an upper one up.
function usd(value, round = null) {
  const size = Math.abs(value);
  if (size === 0) return "$0";
  const sign = value < 0 ? "−" : "";
  const places = size >= 100_000 ? 0 : size >= 1 ? 2 : Math.min(12, Math.max(4, 2 - Math.floor(Math.log10(size))));
  const amount = round ? rounded(size, places, round) : size;
  if (size >= 1) return `${sign}$${number(amount, places)}`;
  return `${sign}$${amount.toFixed(places).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

function short(value) {
  const size = Math.abs(value);
  for (const [unit, scale] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
    if (size >= scale) return `${number(value / scale, 0, size / scale < 100 ? 1 : 0)}${unit}`;
  }
  return number(value, 0, size < 10 ? 1 : 0);
}

function bytes(value) {
  for (const [unit, scale] of [["TB", 1e12], ["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (value >= scale) return `${number(value / scale, 0, 1)} ${unit}`;
  }
  return `${number(value)} B`;
}

function seconds(value) {
  const size = Math.abs(value);
  for (const [unit, scale] of [["d", 86_400], ["h", 3_600], ["min", 60]]) {
    if (size >= scale * (unit === "min" ? 1 : 2)) return `${number(value / scale, 0, size / scale < 10 ? 1 : 0)} ${unit}`;
  }
  return `${number(value, 0, size < 10 ? 1 : 0)} s`;
}

const milliseconds = (value) => (Math.abs(value) >= 1000 ? seconds(value / 1000) : `${number(value, 0, Math.abs(value) < 10 ? 1 : 0)} ms`);

function share(value) {
  const percent = value * 100;
  if (percent !== 0 && Math.abs(percent) < 0.1) return percent > 0 ? "<0.1 %" : ">−0.1 %";
  if (percent < 100 && percent > 99.9) return ">99.9 %";
  return `${number(percent, 0, Math.abs(percent) < 1000 ? 1 : 0)} %`;
}

export function time(value, withSeconds = true) {
  // kept: a formatter takes far longer to make than to use
  clock ??= new Intl.DateTimeFormat("en-GB", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const parts = Object.fromEntries(clock.formatToParts(new Date(value)).map((p) => [p.type, p.value]));
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}${withSeconds ? `:${parts.second}` : ""}`;
}

// A name as it is, but for what no eye sees or what would turn it around: that is written as its code.
export const plain = (value) => String(value).replace(/[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
  (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);

const WRITERS = {
  USD: usd, COUNT: (value) => number(value, 0, Number.isInteger(value) ? 0 : 1), TOKENS: short, CHARACTERS: short, SHARE: share,
  MILLISECONDS: milliseconds, SECONDS: seconds, BYTES: bytes, TEXT: plain, TIME: (value) => time(value),
  DAYS: (value) => `${number(value)} ${value === 1 ? "day" : "days"}`, PER_SECOND: (value) => `${value > 0 && value < 1 ? Number(value.toPrecision(2)) : number(value, 0, value < 10 ? 1 : 0)}/s`,
};

export const NONE = "–";

// A value of a field as text; what is not there is a dash, never a 0.
export function written(field, value, round = null) {
  if (value === null || value === undefined || value === "") return NONE;
  if (field.zero && Number(value) === 0) return field.zero;
  if (field.words[value]) return field.words[value].text;
  const text = WRITERS[field.unit](["TEXT", "TIME"].includes(field.unit) ? value : Number(value), round);
  return field.signed && Number(value) > 0 ? `+${text}` : text;
}

// On an axis: as short as can be.
export function onAxis(unit, value) {
  if (unit === "USD") return Math.abs(value) >= 1000 ? `$${short(value)}` : usd(value).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  if (unit === "COUNT") return short(value);
  return WRITERS[unit](value);
}

// The colour of a value by its field's steps: base, then from each limit on.
export function colorOf(field, value) {
  if (value === null || value === undefined) return "";
  if (field.unit === "TEXT") return field.words[value]?.color || "";
  let color = "";
  for (const [limit, name] of field.steps) if (limit === "base" || Number(value) >= limit) color = name;
  return color;
}

// Sums that are lower bounds while calls of unknown cost are counted beside them; all amounts of such a row are rounded alike.
const BOUNDED = new Set(["known_usd", "forecast_usd", "top_usd", "now_usd", "usd_per_ended_task"]);
const ROUNDED = { low_usd: Math.floor, high_usd: Math.ceil };
export const isBound = (field, row) => BOUNDED.has(field.name) && Number(row.unknown_calls || 0) > 0;

// A value as it is shown in a row: with a ≥ where it is a lower bound, and never as 0 where nothing of it is known.
export function shown(field, row) {
  const bounded = isBound(field, row);
  const text = written(field, row[field.name], ROUNDED[field.name] || (Number(row.unknown_calls || 0) > 0 ? Math.floor : null));
  if (!bounded || text === NONE) return text;
  return Number(row[field.name]) === 0 ? "unknown" : `≥ ${text}`;
}
