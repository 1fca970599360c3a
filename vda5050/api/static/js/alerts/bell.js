/* The bell: what needs a person, who has seen to it, and whether to ring.
 *
 * Looks at what is now, also while the past is shown. An alert that has ended takes its acknowledgement with it, so that it
 * rings when it comes again; whoever has a page open sees to that.
 */

import { button, element, find, icon, setAttribute, setShown, setText } from "../dom.js";
import { acknowledgementId } from "../feed.js";
import { keep, kept, onLanguage, plural, t } from "../i18n.js";
import { href } from "../router.js";
import { ageText, clockText } from "../words.js";
import { alertsOf } from "./rules.js";

const MOST = 60; // shown at once
const QUIET_AT_START_MS = 4_000; // What stands already when the page is opened does not ring.
const ENDED_MS = 10_000;

/** The bell and its panel. `onJump()` gives a function that shows a moment of the past, or null; `onCount()` hears of another count. */
export class Bell {
  constructor(store, { onJump, onCount }) {
    this._onCount = onCount;
    this._lastCount = 0;
    this._store = store;
    this._onJump = onJump;
    this._alerts = new Map(); // id -> { robot, alert, since }
    this._ended = new Map(); // id of an acknowledged alert that has ended -> when
    this._startedAt = Date.now();
    this._shown = "";
    this._panel = find("#alerts");
    this._button = find("#bell");
    this._list = element("ul", "alert-list");
    this._none = element("p", "sub none");
    this._sound = toggle("sound");
    this._notify = toggle("notify");
    this._notify.input.addEventListener("change", () => this._askLeave());
    this._panel.append(element("h2"), this._list, this._none, element("footer", "", this._sound.node, this._notify.node));
    this._panel.addEventListener("toggle", ({ newState }) => {
      setAttribute(this._button, "aria-expanded", String(newState === "open"));
      this._shown = "";
      this._draw();
    });
    store.subscribe((changes) => this._look(changes));
    onLanguage(() => {
      this._shown = "";
      this._draw();
    });
    this._draw();
  }

  _look({ live, isTick }) {
    const robots = live.isReset || isTick ? this._store.live.robots.values() : live.changed;
    const facts = { now: Date.now() + this._store.aheadMs, isBrokerUp: this._store.isBrokerUp };
    const fresh = [];
    const touched = new Set();
    const found = new Set();
    for (const robot of robots) {
      touched.add(robot.key);
      for (const alert of alertsOf(robot, facts)) {
        const id = acknowledgementId({ robot: robot.key, alert: alert.id });
        const before = this._alerts.get(id);
        found.add(id);
        this._alerts.set(id, { robot, alert, since: before?.since ?? facts.now });
        if (before === undefined) fresh.push({ id, robot, alert });
      }
    }
    for (const [id, { robot }] of this._alerts) {
      const isGone = live.isReset ? !found.has(id) : touched.has(robot.key) && !found.has(id);
      if (isGone) this._alerts.delete(id);
    }
    if (isTick) this._withdrawEnded();
    this._ring(fresh.filter(({ id }) => !this._store.acknowledgements.has(id)));
    if (touched.size > 0 || isTick) this._draw();
  }

  _withdrawEnded() {
    for (const [id, acknowledgement] of this._store.acknowledgements) {
      if (this._alerts.has(id) || !this._store.live.isReady || this._store.isBrokerUp === false) this._ended.delete(id);
      else if (!this._ended.has(id)) this._ended.set(id, Date.now() + Math.random() * ENDED_MS);
      else if (Date.now() - this._ended.get(id) > ENDED_MS) {
        this._ended.delete(id);
        this._send("DELETE", acknowledgement);
      }
    }
  }

  _ring(fresh) {
    if (fresh.length === 0 || Date.now() - this._startedAt < QUIET_AT_START_MS) return;
    if (this._sound.input.checked) beep();
    if (!this._notify.input.checked || globalThis.Notification?.permission !== "granted") return;
    const [{ robot, alert }] = fresh;
    const more = fresh.length > 1 ? ` (+${fresh.length - 1})` : "";
    new Notification(`${robot.key}: ${t(`alert.${alert.kind}`)}${more}`, { body: alert.text, tag: "vda5050" });
  }

  async _askLeave() {
    if (!this._notify.input.checked || globalThis.Notification === undefined) return;
    const isAllowed = (await Notification.requestPermission()) === "granted";
    this._notify.input.checked = isAllowed;
    keep("notify", isAllowed ? "1" : "0");
  }

  /** How many nobody has seen to. */
  get count() {
    let count = 0;
    for (const id of this._alerts.keys()) if (!this._store.acknowledgements.has(id)) count += 1;
    return count;
  }

  _draw() {
    const count = this.count;
    if (count !== this._lastCount) this._onCount();
    this._lastCount = count;
    const badge = find(".count", this._button);
    setShown(badge, count > 0);
    setText(badge, count > 99 ? "99+" : String(count));
    setAttribute(this._button, "aria-label", count === 0 ? t("alerts.title") : plural("alerts.count", count));
    if (this._panel.matches(":popover-open")) this._drawList();
  }

  _drawList() {
    const now = Date.now() + this._store.aheadMs;
    const entries = [...this._alerts].map(([id, entry]) => ({ id, ...entry, seen: this._store.acknowledgements.get(id) }));
    entries.sort((one, other) => rank(one) - rank(other) || other.since - one.since);
    const shown = JSON.stringify(entries.slice(0, MOST).map(({ id, alert, since, seen }) => [id, alert.text, ageText(now - since), seen]));
    if (shown === this._shown) return;
    this._shown = shown;
    setText(find("h2", this._panel), t("alerts.title"));
    setText(this._none, t("alerts.none"));
    setShown(this._none, entries.length === 0);
    this._sound.write();
    this._notify.write();
    const focused = document.activeElement?.closest?.(".alert-list li")?.dataset.id;
    this._list.replaceChildren(...entries.slice(0, MOST).map((entry) => this._row(entry, now)));
    if (entries.length > MOST) this._list.append(element("li", "sub", t("troubles.more", { n: entries.length - MOST })));
    if (focused !== undefined) [...this._list.children].find((row) => row.dataset.id === focused)?.querySelector("button, a").focus();
  }

  _row({ id, robot, alert, since, seen }, now) {
    const link = element("a", "", robot.key);
    link.href = href({ view: "robot", robot: robot.key });
    link.addEventListener("click", () => this._panel.hidePopover());
    const what = element("p", "what", icon(alert.level === "bad" ? "error" : "warning"), element("strong", "", t(`alert.${alert.kind}`)));
    what.dataset.level = alert.level;
    const row = element("li", seen === undefined ? "" : "is-seen", element("div", "line", what, element("small", "", ageText(now - since))), link);
    if (alert.text !== "") row.append(element("p", "sub", alert.text));
    const acts = element("div", "line");
    const jump = this._onJump();
    if (jump !== null) {
      const show = () => {
        this._panel.hidePopover();
        jump(since, robot.key);
      };
      acts.append(button("plain", t("findings.jump"), show));
    }
    if (seen === undefined) acts.append(button("action", t("alerts.acknowledge"), () => this._send("POST", { robot: robot.key, alert: alert.id })));
    else {
      acts.append(element("small", "", t("alerts.seen", { name: seen.by, time: clockText(Date.parse(seen.at)) })));
      acts.append(button("plain", t("alerts.undo"), () => this._send("DELETE", seen)));
    }
    row.append(acts);
    row.dataset.id = id;
    return row;
  }

  /** Tell the gateway; its event comes to all pages, this one too. Who may only read is told that it is not allowed. */
  async _send(method, { robot, alert }) {
    const url = new URL("alerts/acknowledgements", document.baseURI);
    const options = { method };
    if (method === "POST") {
      options.headers = { "Content-Type": "application/json" };
      options.body = JSON.stringify({ robot, alert });
    } else url.search = new URLSearchParams({ robot, alert });
    const answer = await fetch(url, options).catch(() => null);
    if (answer?.status === 403 && method === "POST") setText(this._none, t("alerts.forbidden"));
    setShown(this._none, this._alerts.size === 0 || (answer?.status === 403 && method === "POST"));
  }
}

function rank({ seen, alert }) {
  return (seen === undefined ? 0 : 2) + (alert.level === "bad" ? 0 : 1);
}

/** A switch whose state is kept on this machine. */
function toggle(name) {
  const input = element("input");
  const text = element("span");
  input.type = "checkbox";
  input.checked = kept(name) === "1";
  input.addEventListener("change", () => keep(name, input.checked ? "1" : "0"));
  return { input, node: element("label", "toggle", input, text), write: () => setText(text, t(`alerts.${name}`)) };
}

/** Two short tones; a browser that was never clicked into may keep silent. */
function beep() {
  const context = new AudioContext();
  for (const [start, pitch] of [[0, 880], [0.18, 660]]) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.12, context.currentTime + start);
    volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + start + 0.16);
    tone.connect(volume).connect(context.destination);
    tone.start(context.currentTime + start);
    tone.stop(context.currentTime + start + 0.17);
  }
  setTimeout(() => context.close(), 1_000);
}
