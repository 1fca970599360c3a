/* One robot opened: its errors in words and the raw JSON of each topic, live, to be read and copied.
 *
 * Takes the opened robot (`open`, `draw` when it changed); calls `onClose()`. The JSON is written at most every WRITE_MS,
 * and not while it is held or text in it is selected, so that a person can read and copy what moves.
 */

import { element, fieldsOf, setData, setText } from "./dom.js";
import * as words from "./words.js";

const WRITE_MS = 200;
const COPIED_MS = 1_500;
const MAX_CHARS = 400_000; // More is no message to read; "Open as JSON" shows all.

/** The panel beside the list. */
export class Detail {
  constructor(root, { lastSeen, onClose }) {
    this._root = root;
    this._fields = fieldsOf(root);
    this._lastSeen = lastSeen;
    this._robot = null;
    this._topic = null; // the one a person chose
    this._isHeld = false;
    this._isBehind = false;
    this._writtenAt = 0;
    this._fields.close.addEventListener("click", onClose);
    this._fields.hold.addEventListener("click", () => this._hold(!this._isHeld));
    this._fields.copy.addEventListener("click", () => this._copy());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this._robot !== null) onClose();
    });
  }

  /** Show a robot; `isFocused`: put the keyboard's focus into the panel. */
  open(robot, { isFocused }) {
    this._robot = robot;
    this._topic = null;
    this._isBehind = true;
    this._writtenAt = 0;
    this._fields.raw.scrollTop = 0;
    this._hold(false);
    this._root.hidden = false;
    if (isFocused) this._fields.close.focus();
  }

  /** Hide the panel. */
  close() {
    this._robot = null;
    this._root.hidden = true;
    this._fields.raw.textContent = "";
  }

  /** Note that the robot said something. */
  note(robot) {
    this._robot = robot;
    this._isBehind = true;
  }

  /** Write what is due; true: call again, something waits. */
  draw(now) {
    if (this._robot === null || !this._isBehind) return false;
    if (now - this._writtenAt < WRITE_MS) return true;
    this._writtenAt = now;
    this._isBehind = false;
    this._showHead(this._robot);
    this._showErrors(this._robot.view.errors);
    this._showTopics(this._robot);
    if (!this._isHeld && !this._isSelecting()) this._showRaw(this._robot);
    this.tick(now);
    return false;
  }

  /** Write how old what is shown is. */
  tick(now) {
    if (this._robot === null) return;
    const seen = this._lastSeen(this._robot);
    setText(this._fields.seen, seen === null ? "not heard yet" : `last seen ${agoText(now - seen)}`);
    const at = this._robot.receivedAt.get(this._shownTopic(this._robot));
    const held = this._isHeld ? "held · " : this._isSelecting() ? "held while text is selected · " : "";
    setText(this._fields.age, held + (at === undefined ? "from the snapshot" : `received ${agoText(now - at)}`));
  }

  _showHead({ key, manufacturer, serialNumber, view, status }) {
    const { name, connection, version, link } = this._fields;
    setText(name, words.plain(key));
    setText(connection, words.connectionWord(status.connection));
    setData(connection, "connection", status.connection);
    setText(version, view.version === null ? "version unknown" : `VDA 5050 ${view.version}`);
    link.href = `robots/${encodeURIComponent(manufacturer)}/${encodeURIComponent(serialNumber)}`;
  }

  _showErrors(errors) {
    const text = JSON.stringify(errors);
    if (text === this._errorsText) return;
    this._errorsText = text;
    this._fields.errors.replaceChildren(...errors.map(errorItem));
    this._fields.errors.hidden = errors.length === 0;
  }

  _showTopics(robot) {
    const topics = [...robot.messages.keys()].sort();
    if (!robot.messages.has(this._topic)) this._topic = null;
    const shown = this._shownTopic(robot);
    const { topics: bar } = this._fields;
    if (topics.join() !== [...bar.children].map((tab) => tab.textContent).join()) {
      bar.replaceChildren(...topics.map((topic) => this._newTab(topic)));
    }
    for (const tab of bar.children) tab.setAttribute("aria-pressed", String(tab.textContent === shown));
  }

  /** The topic that was chosen; until one is, the state, as soon as there is one. */
  _shownTopic({ messages }) {
    return this._topic ?? (messages.has("state") ? "state" : messages.keys().next().value);
  }

  _newTab(topic) {
    const tab = element("button", "tab", topic);
    tab.type = "button";
    tab.addEventListener("click", () => {
      this._topic = topic;
      this._hold(false);
      this._fields.raw.scrollTop = 0;
      getSelection().removeAllRanges();
      this._isBehind = true;
      this._writtenAt = 0;
      this.draw(Date.now());
    });
    return tab;
  }

  _showRaw(robot) {
    const text = words.jsonText(robot.messages.get(this._shownTopic(robot)));
    setText(this._fields.raw, text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}\n… (${text.length} characters)` : text);
    setText(this._fields.size, words.sizeText(text.length));
  }

  _isSelecting() {
    const selection = getSelection();
    return !selection.isCollapsed && this._fields.raw.contains(selection.anchorNode);
  }

  _hold(isHeld) {
    this._isHeld = isHeld;
    this._fields.hold.setAttribute("aria-pressed", String(isHeld));
    if (!isHeld) this._isBehind = true;
  }

  /** Copy what is shown. The clipboard API is there on https and localhost only; a hall's http has the old way. */
  async _copy() {
    const { raw, copy } = this._fields;
    let isCopied = true;
    try {
      await navigator.clipboard.writeText(raw.textContent);
    } catch {
      getSelection().selectAllChildren(raw);
      isCopied = document.execCommand("copy");
      getSelection().removeAllRanges();
    }
    setText(copy, isCopied ? "Copied" : "Not allowed");
    setTimeout(() => setText(copy, "Copy"), COPIED_MS);
  }
}

function errorItem({ level, type, description, hint }) {
  const item = element("li", "");
  const badge = element("span", "badge", words.sentence(level ?? "error"));
  setData(badge, "level", level === "WARNING" || level === "URGENT" || level === null ? "warn" : "bad");
  item.append(badge, element("bdi", "error-type", type ?? "without a type"));
  for (const text of [description, hint]) {
    if (text !== null) item.append(element("p", "", text));
  }
  return item;
}

function agoText(ms) {
  const age = words.ageText(ms);
  return age === "now" ? age : `${age} ago`;
}
