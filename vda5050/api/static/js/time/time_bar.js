/* The time bar: takes the whole page back to what was, plays it, and back to now. Without history it is not there.
 *
 * What is shown of the past is past.js' matter. The moment is part of the address (`t`).
 */

import { button, element, icon, setAttribute, setIcon, setShown, setText } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { amend, go, onRoute, route } from "../router.js";
import { clockText, dateText } from "../words.js";
import { Past } from "./past.js";

const SPANS_MIN = [15, 60, 480, 1_440];
const SPEEDS = [1, 5, 20, 60];
const TICK_MS = 250;
const TICKS_AN_ADDRESS = 4;
const BEHIND_MS = 3_000; // What has just happened is not stored yet.
const NEAR_MS = 1_500; // A replay that ends so close to what is stored leads to now.
const BEFORE_MS = 5_000; // A jump shows the moments before, too.
const LOOK_AGAIN_MS = 20_000;

/** The bar in `root`; `onChange()` is called when another time begins. */
export class TimeBar {
  constructor(root, store, { staleAfterMs, onChange }) {
    this._root = root;
    this._store = store;
    this._onChange = onChange;
    this._past = new Past(store, { staleAfterMs, onLink: (state) => this._linked(state), onEnd: () => this._ended() });
    this._link = "live";
    this._told = null; // the moment that the address names
    this._speed = 1;
    this._spanMs = SPANS_MIN[1] * 60_000;
    this._startMs = null; // of the history; null: there is none
    this._dragged = null; // whether it was played when dragging began; null: nobody drags
    this._ticks = 0;
    this._build();
    onRoute(() => this._follow());
    onLanguage(() => this._write());
    store.subscribe(({ isTick }) => isTick && this._write());
    setInterval(() => this._past.isPlaying && this._tick(), TICK_MS);
    // The gateway plays a limited number of replays: none for a page that nobody sees.
    document.addEventListener("visibilitychange", () => document.hidden && this._past.isPlaying && this._toggle());
    if ("history" in document.documentElement.dataset) this._look();
  }

  get isThere() {
    return this._startMs !== null;
  }

  /** Show a moment and what came before it; of a robot where one is named. */
  jump(at, robot = null) {
    if (robot === null || route().robot === robot) this._show(at - BEFORE_MS);
    else go({ view: "robot", robot, params: { t: new Date(at - BEFORE_MS).toISOString() } }); // and _follow shows it
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
    this._trouble = element("small", "trouble");
    this._trouble.setAttribute("role", "status");
    this._span = select(SPANS_MIN, (value) => {
      this._spanMs = value * 60_000;
      this._write();
    });
    this._span.className = "span";
    this._span.value = String(this._spanMs / 60_000);
    this._speedSelect = select(SPEEDS, (value) => {
      this._speed = value;
      if (this._past.isPlaying) this._playFrom(this._past.at);
    });
    this._live = button("action", "", () => this._goLive());
    this._root.append(
      ...[this._play, this._from, this._slider, this._label, this._trouble, this._speedSelect, this._span, this._live],
    );
  }

  _write() {
    setShown(this._root, this.isThere);
    if (!this.isThere) return;
    const { at, isPlaying } = this._past;
    const [from, to] = this._range();
    setAttribute(this._root, "data-past", at === null ? null : "");
    setText(this._from, clockText(from));
    if (this._dragged === null) this._slider.value = String(at === null ? 1_000 : ((at - from) / (to - from)) * 1_000);
    const text = at === null ? t("time.now") : dateText(at);
    setText(this._label, text);
    setAttribute(this._slider, "aria-valuetext", text);
    for (const [node, key] of [[this._slider, "slider"], [this._speedSelect, "speed"], [this._span, "span"]]) name(node, t(`time.${key}`));
    for (const option of this._speedSelect.options) setText(option, `${option.value}×`);
    for (const option of this._span.options) setText(option, t("time.last", { span: spanText(option.value) }));
    setIcon(this._play.firstChild, isPlaying ? "paused" : "play");
    name(this._play, t(isPlaying ? "time.pause" : "time.play"));
    for (const node of [this._play, this._speedSelect, this._live]) setShown(node, at !== null);
    setText(this._live, t("time.live"));
    const trouble = { live: "", connecting: "", busy: t("time.busy") }[this._link] ?? t("time.lost");
    setText(this._trouble, trouble);
    setShown(this._trouble, trouble !== "");
  }

  _range() {
    const now = Date.now() + this._store.aheadMs - BEHIND_MS;
    const from = Math.min(now - this._spanMs, this._past.at ?? now);
    return [Math.max(from, Math.min(this._startMs, now - 60_000)), now];
  }

  _drag() {
    this._dragged ??= this._past.isPlaying;
    const [from, to] = this._range();
    const value = Number(this._slider.value);
    if (value >= 1_000) this._goLive();
    else this._show(from + (value / 1_000) * (to - from));
  }

  _dropped() {
    const isToGoOn = this._dragged === true && this._past.at !== null;
    this._dragged = null;
    if (isToGoOn) this._playFrom(this._past.at);
    this._write();
  }

  /** The address names a moment that is not shown, or none any more; or another robot. */
  _follow() {
    if (!this.isThere) return;
    const told = Date.parse(route().params.get("t") ?? "");
    if (Number.isNaN(told)) {
      if (this._past.at !== null) this._goLive();
    } else if (told !== this._told) this._show(told);
    else this._past.follow();
  }

  /** Stand still at a moment, or play on from there. */
  _show(at) {
    const isFirst = this._past.at === null;
    if (this._past.isPlaying && this._dragged === null) this._playFrom(at);
    else this._past.show(at);
    if (isFirst) this._onChange();
    this._tell();
    this._write();
  }

  _playFrom(at, more = {}) {
    this._past.play({ at, to: Math.max(at, this._range()[1]), speed: this._speed, ...more });
    this._write();
  }

  _toggle() {
    if (this._past.isPlaying) this._past.show(this._past.at);
    else this._playFrom(this._past.at);
    this._tell();
    this._write();
  }

  /** Near what is stored the past ends; else more of it has come meanwhile. */
  _ended() {
    const { at } = this._past;
    if (this._range()[1] - at < NEAR_MS) this._goLive();
    else this._playFrom(at, { isContinued: true });
  }

  _goLive() {
    this._told = null;
    this._past.leave();
    amend({ t: null });
    this._onChange();
    this._write();
  }

  _tick() {
    this._ticks += 1;
    if (this._ticks % TICKS_AN_ADDRESS === 0) this._tell();
    this._write();
  }

  _tell() {
    const t = new Date(this._past.at).toISOString();
    this._told = Date.parse(t);
    amend({ t });
  }

  _linked(state) {
    this._link = state;
    if (this.isThere) this._write();
  }
}

function name(node, text) {
  setAttribute(node, "aria-label", text);
  setAttribute(node, "title", text);
}

function spanText(minutes) {
  return minutes < 60 ? `${minutes} min` : `${minutes / 60} h`;
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
