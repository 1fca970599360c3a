/* Numbers, times and states in words for people, in the language of the page. NOTHING where nothing is known. */

import { known, language, t } from "./i18n.js";

export const NOTHING = "–";

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
];

/** A span of time as a person says it: "now", "12 s", "3 min", "2 h 5 min". */
export function ageText(ms) {
  if (ms === null) return NOTHING;
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 3) return t("age.now");
  if (seconds < 60) return `${seconds} s`;
  const index = UNITS.findIndex(([, size]) => seconds >= size);
  const [unit, size] = UNITS[index];
  const rest = UNITS[index + 1];
  const more = rest === undefined ? 0 : Math.floor((seconds % size) / rest[1]);
  return `${Math.floor(seconds / size)} ${unit}${more > 0 ? ` ${more} ${rest[0]}` : ""}`;
}

/** A number with so many places, as the language writes it. */
export function number(value, places = 0) {
  if (value === null || value === undefined) return NOTHING;
  if (Math.abs(value) >= 1e7) return value.toExponential(1);
  return value.toLocaleString(language(), { minimumFractionDigits: places, maximumFractionDigits: places });
}

/** A number with its unit, on one line. */
export function measure(value, unit, places = 0) {
  return value === null || value === undefined ? NOTHING : `${number(value, places)}\u00a0${unit}`;
}

/** "87 %" */
export function percent(value) {
  return measure(value, "%");
}

/** An angle in degrees between -180 and 180. */
export function degrees(theta) {
  if (theta === null || theta === undefined) return NOTHING;
  return `${number(Math.round((Math.atan2(Math.sin(theta), Math.cos(theta)) * 180) / Math.PI) + 0)}°`;
}

/** "AUTOMATIC" in the page's language; a word that no version of the standard has, as "Some word". */
export function word(group, value) {
  return value === null || value === undefined ? NOTHING : known(`${group}.${value}`, sentence(value));
}

/** "TEACH_IN" -> "Teach in" */
export function sentence(value) {
  const lower = value.toLowerCase().replaceAll("_", " ");
  return lower.charAt(0).toUpperCase() + lower.slice(1);
}

/** The time of day: "14:03:22" */
export function clockText(ms) {
  return new Date(ms).toLocaleTimeString(language(), { hour12: false });
}

/** Day and time: "23 Nov, 14:03:22" */
export function dateText(ms) {
  const day = new Date(ms).toLocaleDateString(language(), { day: "numeric", month: "short" });
  return `${day}, ${clockText(ms)}`;
}

/** "812 B", "3.4 kB" */
export function sizeText(bytes) {
  return bytes < 1_000 ? `${bytes} B` : `${number(bytes / 1_000, 1)} kB`;
}

/** How far the order is: { done, all } in nodes where that can be told, else what is left. Null without an order. */
export function progressOf(order) {
  if (order == null || !order.order_id) return null;
  if (order.progress != null) return { fraction: order.progress.fraction, left: order.nodes?.length ?? null };
  return { fraction: null, left: order.nodes?.length ?? null };
}
