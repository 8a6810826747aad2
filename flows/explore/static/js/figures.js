/** Writing figures: the same everywhere, and what is not known is never a number. */

import { WORDS } from "./words.js";

const MOST_PLACES = 9;
const MINUS = "\u2212";

/** Write a number with so many decimals. */
export function plain(value, places) {
  const text = Math.abs(value).toLocaleString("en-GB", { minimumFractionDigits: places, maximumFractionDigits: places });
  return value < 0 && Number(Math.abs(value).toFixed(places)) ? MINUS + text : text;
}

/** Write a number with three digits that count. */
export function figure(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return WORDS.page.notKnown;
  if (typeof value === "boolean") return value ? WORDS.page.yes : WORDS.page.no;
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return plain(value, 0);
  return plain(value, placesOf(value));
}

/** Write a number and the limits of its interval with the same decimals. */
export function withInterval(value, limits, unit) {
  if (typeof value !== "number" || !limits) return [withUnit(value, unit), null];
  const whole = [value, ...limits].every((one) => one === null || Number.isInteger(one));
  const places = whole ? 0 : Math.max(placesOf(value), value === 0 ? placesOf(limits[1]) : 0);
  const written = plain(value, places);
  const [low, high] = limits.map((limit) => (limit === null ? null : plain(limit, places)));
  const range = low === null ? WORDS.page.upTo(high) : high === null ? WORDS.page.from(low) : WORDS.page.range(low, high);
  return [unit ? `${written} ${unit}` : written, range];
}

/** Give the decimals of three digits that count. */
function placesOf(value) {
  if (!value || !Number.isFinite(value)) return 0;
  return Math.max(0, Math.min(MOST_PLACES, 2 - Math.floor(Math.log10(Math.abs(value)))));
}

/** Write a number with its unit. */
export function withUnit(value, unit) {
  const text = figure(value);
  return unit && typeof value === "number" ? `${text} ${unit}` : text;
}

/** Give the decimals that keep the ends of classes apart, none for whole numbers. */
export function placesFor(ends) {
  if (ends.every(Number.isInteger)) return 0;
  for (let places = 0; places < MOST_PLACES; places += 1) {
    const written = new Set([0, ...ends].map((end) => end.toFixed(places)));
    if (written.size > new Set([0, ...ends]).size - 1) return places + 1;
  }
  return MOST_PLACES;
}
