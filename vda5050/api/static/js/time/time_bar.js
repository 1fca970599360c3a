/* The time bar: takes the whole page back to what was, plays it, and back to now. Without history it is not there.
 *
 * A moment is the gateway's answer to /robots?at=, which holds every robot's view as it was; while playing, it is asked for
 * the next moment as soon as the last one is shown, at most every STEP_MS. On a robot's page only that robot is asked for, and
 * its messages of each moment are told to those who look at each. The moment is part of the address (`t`).
 */

import { button, element, icon, setAttribute, setIcon, setShown, setText } from "../dom.js";
import { Fleet } from "../fleet_data.js";
import { onLanguage, t } from "../i18n.js";
import { amend, go, onRoute, route } from "../router.js";
import { clockText, dateText } from "../words.js";

const SPANS_MIN = [15, 60, 480, 1_440];
const SPEEDS = [1, 5, 20, 60];
const STEP_MS = 400;
const BEHIND_MS = 3_000; // What has just happened is not stored yet.
const BEFORE_MS = 5_000; // A jump shows the moments before, too.
const LOOK_AGAIN_MS = 20_000;

/** The bar in `root`; `onChange()` is called when another time begins. */
export class TimeBar {
  constructor(root, store, { staleAfterMs, onChange }) {
    this._root = root;
    this._store = store;
    this._staleAfterMs = staleAfterMs;
    this._onChange = onChange;
    this._at = null; // the moment that is shown, null: now
    this._isPlaying = false;
    this._speed = 1;
    this._spanMs = SPANS_MIN[1] * 60_000;
    this._startMs = null; // of the history; null: there is none
    this._asked = 0;
    this._build();
    onRoute(() => this._follow());
    onLanguage(() => this._write());
    store.subscribe(({ isTick }) => isTick && this._write());
    if ("history" in document.documentElement.dataset) this._look();
  }

  get isThere() {
    return this._startMs !== null;
  }

  /** Show a moment and what came before it; of a robot where one is named. */
  jump(at, robot = null) {
    if (robot !== null && route().robot !== robot) go({ view: "robot", robot });
    this._show(at - BEFORE_MS);
  }

  async _look() {
    const answer = await fetch(new URL("history?limit=1&order=asc", document.baseURI)).catch(() => null);
    const oldest = answer?.ok ? (await answer.json()).messages[0] : undefined;
    if (oldest !== undefined) {
      this._startMs = Date.parse(oldest.received_at);
      this._write();
      this._follow();
    } else if (answer === null || answer.ok || answer.status === 503) setTimeout(() => this._look(), LOOK_AGAIN_MS);
  }

  _build() {
    this._play = button("tool", "", () => this._toggle());
    this._play.append(icon("play"));
    this._slider = element("input");
    this._slider.type = "range";
    this._slider.min = 0;
    this._slider.max = 1_000;
    this._slider.addEventListener("input", () => this._drag());
    this._slider.addEventListener("change", () => this._dropped());
    this._from = element("small", "number");
    this._label = element("output", "number");
    this._span = select(SPANS_MIN, (value) => (this._spanMs = value * 60_000));
    this._span.value = String(this._spanMs / 60_000);
    this._speedSelect = select(SPEEDS, (value) => (this._speed = value));
    this._live = button("action", "", () => this._goLive());
    this._root.append(this._play, this._from, this._slider, this._label, this._speedSelect, this._span, this._live);
  }

  _write() {
    setShown(this._root, this.isThere);
    if (!this.isThere) return;
    const isPast = this._at !== null;
    const [from, to] = this._range();
    setAttribute(this._root, "data-past", isPast ? "" : null);
    setText(this._from, clockText(from));
    if (document.activeElement !== this._slider || !this._isDragging) this._slider.value = String(isPast ? ((this._at - from) / (to - from)) * 1_000 : 1_000);
    const text = isPast ? dateText(this._at) : t("time.now");
    setText(this._label, text);
    setAttribute(this._slider, "aria-valuetext", text);
    setAttribute(this._slider, "aria-label", t("time.slider"));
    setAttribute(this._speedSelect, "aria-label", t("time.speed"));
    setAttribute(this._span, "aria-label", t("time.span"));
    for (const option of this._speedSelect.options) setText(option, `${option.value}×`);
    for (const option of this._span.options) setText(option, option.value < 60 ? `${option.value} min` : `${option.value / 60} h`);
    setIcon(this._play.firstChild, this._isPlaying ? "pause" : "play");
    setAttribute(this._play, "aria-label", t(this._isPlaying ? "time.pause" : "time.play"));
    for (const node of [this._play, this._speedSelect, this._live]) setShown(node, isPast);
    setText(this._live, t("time.live"));
  }

  _range() {
    const now = Date.now() + this._store.aheadMs - BEHIND_MS;
    const from = Math.min(now - this._spanMs, this._at ?? now);
    return [Math.max(from, Math.min(this._startMs, now - 60_000)), now];
  }

  _drag() {
    this._isDragging = true;
    const [from, to] = this._range();
    const at = from + (Number(this._slider.value) / 1_000) * (to - from);
    if (Number(this._slider.value) >= 1_000) this._goLive();
    else this._show(at);
  }

  _dropped() {
    this._isDragging = false;
    this._write();
  }

  /** The address names a moment that is not shown, or none any more. */
  _follow() {
    if (!this.isThere) return;
    const told = Date.parse(route().params.get("t") ?? "");
    if (Number.isNaN(told)) {
      if (this._at !== null) this._goLive();
    } else if (this._at === null || Math.abs(told - this._at) > 1_500) this._show(told);
    else if (route().robot !== this._askedFor) this._ask(); // another robot, at the same moment
  }

  _show(at) {
    const isFirst = this._at === null;
    this._at = at;
    if (isFirst) {
      this._past = new Fleet(this._staleAfterMs);
      this._store.showPast(this._past, () => this._at ?? Date.now());
      this._onChange();
    }
    amend({ t: new Date(at).toISOString() });
    this._write();
    this._ask();
  }

  _goLive() {
    this._at = null;
    this._isPlaying = false;
    this._asked += 1;
    amend({ t: null });
    this._store.showLive();
    this._onChange();
    this._write();
  }

  _toggle() {
    this._isPlaying = !this._isPlaying;
    this._write();
    if (this._isPlaying) this._step();
  }

  async _step() {
    const startedAt = performance.now();
    const before = this._at;
    await this._ask();
    await new Promise((done) => setTimeout(done, Math.max(0, STEP_MS - (performance.now() - startedAt))));
    if (!this._isPlaying || this._at === null) return;
    const next = this._at + (performance.now() - startedAt) * this._speed;
    if (next >= this._range()[1]) this._goLive();
    else {
      if (before === this._at) this._at = next;
      amend({ t: new Date(this._at).toISOString() });
      this._write();
      this._step();
    }
  }

  /** Ask for the moment that is to be shown; an answer that comes after a newer question is not shown. */
  async _ask() {
    const [asked, at, { robot }] = [(this._asked += 1), this._at, route()];
    this._askedFor = robot;
    const url = new URL("robots", document.baseURI);
    url.searchParams.set("at", new Date(at).toISOString());
    if (robot !== null) url.searchParams.set("robot", robot);
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok !== true) return;
    const robots = await answer.json();
    if (asked !== this._asked || this._at === null) return;
    this._past.reset();
    this._past.put(Object.entries(robots).map(([key, { view }]) => [key, view]));
    this._past.complete();
    this._tellMessages(robots, at);
    this._store.touch();
  }

  /** The last message of each topic, as of then. */
  _tellMessages(robots, at) {
    const { robot } = route();
    for (const [topic, payload] of Object.entries(robots[robot]?.messages ?? {})) {
      this._store.tell({ robot, topic, payload, at, isLast: false, isMoment: true });
    }
  }
}

function select(values, onChange) {
  const node = element("select");
  for (const value of values) {
    const option = element("option");
    option.value = String(value);
    node.append(option);
  }
  node.addEventListener("change", () => onChange(Number(node.value)));
  return node;
}
