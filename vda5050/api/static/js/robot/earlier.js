/* Errors of the last half hour, those that are over, too: the history's timeline of a robot. Each leads to its moment.
 *
 * A timeline is read out of every state of that time: it is not asked for more often than it can be read.
 */

import { element } from "../dom.js";
import { encodeKey } from "../router.js";
import { t } from "../i18n.js";
import { clockText, word } from "../words.js";

const SPAN_MS = 30 * 60_000;
const AGAIN_MS = 60_000; // of the time that is shown
const LEAST_MS = 10_000; // of a watch's: a minute that is shown may be a second
const STORED_MS = 3_000; // until what came is in the history
const MOST = 12;

/** The episodes of one robot at a time. */
export class Earlier {
  constructor() {
    this._key = null;
    this._upTo = -Infinity;
    this._askedAt = -Infinity;
    this._present = "";
    this._changedAt = 0;
    this._episodes = null;
    this._isOff = !("history" in document.documentElement.dataset);
  }

  /** The newest first; null where there were none. */
  of(key) {
    return key === this._key ? this._episodes : null;
  }

  /** Ask for what led to `now`, where that is not known. What is now is asked for by the gateway's own clock. */
  async look({ key, view }, now, isPast) {
    const at = performance.now();
    const present = JSON.stringify((view.errors ?? []).map(({ type, level }) => [type, level]));
    if (key !== this._key) [this._key, this._episodes, this._askedAt] = [key, null, -Infinity];
    if (present !== this._present) [this._present, this._upTo, this._changedAt] = [present, -Infinity, at];
    const isKnown = Math.abs(now - this._upTo) < AGAIN_MS || at - this._askedAt < LEAST_MS || at - this._changedAt < STORED_MS;
    if (this._isOff || (isKnown && this._askedAt !== -Infinity)) return;
    this._upTo = now;
    this._askedAt = at;
    const url = new URL(`robots/${encodeKey(key)}/timeline`, document.baseURI);
    const [from, to] = isPast ? [now - SPAN_MS, now].map((time) => new Date(time).toISOString()) : [`-${SPAN_MS / 1_000}s`, "now"];
    url.search = new URLSearchParams({ from, to });
    const answer = await fetch(url).catch(() => null);
    if (answer?.status > 428) this._upTo = -Infinity; // too many read one: soon again
    const { errors = [] } = answer?.ok ? await answer.json() : {};
    if (key === this._key && at === this._askedAt) this._episodes = errors.length === 0 ? null : errors.slice(-MOST).reverse();
  }
}

/** Build the card; `onJump(time)` shows a moment. */
export function buildEarlier(episodes, onJump) {
  const list = element("ul", "plain-list");
  for (const { type, level, started_at: startedAt, ended_at: endedAt } of episodes) {
    const [from, to] = [startedAt, endedAt].map((at) => (at === null ? "" : clockText(Date.parse(at))));
    const what = element("span", "", `${word("level", level ?? "WARNING")} · ${type ?? ""}`);
    const row = element("li", "", what, element("small", "number", `${from} – ${to}`));
    if (onJump !== null && startedAt !== null) {
      const jump = element("button", "plain", t("findings.jump"));
      jump.type = "button";
      jump.addEventListener("click", () => onJump(Date.parse(startedAt)));
      row.append(jump);
    }
    list.append(row);
  }
  return [list];
}
