/* What a robot sends, as it sends it: the log on one side, the message with its changed fields marked on the other.
 *
 * The newest message of the chosen topic is shown until one is picked or "hold" is pressed; then it stays, while the log
 * goes on. Each message is compared with the one before it of its topic, or with another one that is picked for that.
 */

import { button, element, escaped, plain, setAttribute, setShown, setText } from "../dom.js";
import { onLanguage, plural, t } from "../i18n.js";
import { amend, encodeKey, route } from "../router.js";
import { clockText, sizeText } from "../words.js";
import { changes, lines } from "./json_diff.js";
import { MessageLog } from "./message_log.js";

const MOST_ROWS = 120; // of the log, shown at once; the search looks at all
const MOST_PATHS = 3;

/** The tab's content is `node`; `take` messages, `draw` once a frame. */
export class MessagesTab {
  constructor() {
    this.log = new MessageLog();
    this._picked = null;
    this._compared = null;
    this._isHeld = false;
    this._isWhole = true;
    this._isDirty = true;
    this._topicsShown = "";
    this._build();
    onLanguage(() => {
      this._writeWords();
      this._isDirty = true;
    });
  }

  /** Show another robot. */
  open(key) {
    this._key = key;
    this.log.clear();
    this._picked = this._compared = null;
    this._setHeld(false);
    this._raw.href = `robots/${encodeKey(key)}`;
    this._isDirty = true;
  }

  /** Take one message of the robot. */
  take(message) {
    if (this.log.add(message) !== null) this._isDirty = true;
  }

  /** Write what changed; called once a frame while the tab is shown. */
  draw() {
    if (!this._isDirty) return;
    this._isDirty = false;
    this._drawTopics();
    this._drawLog();
    this._drawMessage();
  }

  /** Draw anew at the next frame, whatever changed. */
  touch() {
    this._isDirty = true;
  }

  get _topic() {
    return route().params.get("topic");
  }

  _build() {
    this._topics = element("div", "topics");
    this._topics.setAttribute("role", "group");
    this._search = element("input");
    this._search.type = "search";
    this._search.addEventListener("input", () => this._changed());
    this._rows = element("ol", "log");
    this._none = element("p", "sub none");
    this._rows.addEventListener("click", (event) => this._clicked(event));
    this._title = element("h2");
    this._against = element("p", "sub");
    this._whole = button("", "", () => this._setWhole(true));
    this._changes = button("", "", () => this._setWhole(false));
    this._hold = button("action", "", () => {
      this._setHeld(!this._isHeld);
      this._changed();
    });
    this._copy = button("action", "", () => this._copyShown());
    this._raw = element("a", "action");
    this._raw.target = "_blank";
    this._raw.rel = "noopener";
    this._json = element("div", "json");
    this._json.tabIndex = 0;
    this._json.setAttribute("role", "region");
    this._json.dir = "ltr";
    const choice = element("div", "choice", this._whole, this._changes);
    choice.setAttribute("role", "group");
    this._choice = choice;
    this.node = element(
      "div",
      "messages",
      element("section", "card list", element("div", "bar", this._topics, this._search), this._rows, this._none),
      element(
        "section",
        "card message",
        element("div", "bar", element("div", "what", this._title, this._against), choice, this._hold, this._copy, this._raw),
        this._json,
      ),
    );
    this._writeWords();
    this._setWhole(true);
  }

  _writeWords() {
    setAttribute(this._topics, "aria-label", t("messages.topics"));
    setAttribute(this._search, "aria-label", t("messages.search"));
    setAttribute(this._search, "placeholder", t("messages.search"));
    setAttribute(this._rows, "aria-label", t("messages.log"));
    setAttribute(this._json, "aria-label", t("messages.json"));
    setAttribute(this._choice, "aria-label", t("messages.show"));
    setText(this._none, t("messages.none"));
    setText(this._whole, t("messages.whole"));
    setText(this._changes, t("messages.changes"));
    setText(this._hold, t("messages.hold"));
    setAttribute(this._hold, "title", t("messages.hold.title"));
    setText(this._copy, t("messages.copy"));
    setText(this._raw, t("messages.raw"));
    this._topicsShown = "";
  }

  _changed() {
    this._isDirty = true;
    this.draw();
  }

  _setWhole(isWhole) {
    this._isWhole = isWhole;
    setAttribute(this._whole, "aria-pressed", String(isWhole));
    setAttribute(this._changes, "aria-pressed", String(!isWhole));
    this._changed();
  }

  _setHeld(isHeld) {
    this._isHeld = isHeld;
    if (!isHeld) this._picked = this._compared = null;
    else this._picked ??= this._newest();
    setAttribute(this._hold, "aria-pressed", String(isHeld));
  }

  _newest() {
    return this._topic === null ? (this.log.entries.at(-1) ?? null) : (this.log.last.get(this._topic) ?? null);
  }

  _drawTopics() {
    const topics = [...this.log.last.keys()].sort();
    const known = JSON.stringify([topics, this._topic]);
    if (known === this._topicsShown) return;
    this._topicsShown = known;
    this._topics.replaceChildren(
      ...[null, ...topics].map((topic) => {
        const node = button("chip", topic ?? t("messages.all"), () => {
          this._setHeld(false);
          amend({ topic });
          this._changed();
        });
        node.setAttribute("aria-pressed", String(topic === this._topic));
        return node;
      }),
    );
  }

  _drawLog() {
    const entries = this.log.find(this._topic, this._search.value).slice(0, MOST_ROWS);
    setShown(this._none, entries.length === 0);
    const shown = this._picked ?? this._newest();
    const old = new Map([...this._rows.children].map((node) => [node.dataset.id, node]));
    const nodes = entries.map((entry) => old.get(String(entry.id)) ?? logRow(entry));
    // Only what differs is moved: the newest comes in at the top, the oldest goes.
    nodes.forEach((node, index) => {
      if (this._rows.children[index] !== node) this._rows.insertBefore(node, this._rows.children[index] ?? null);
      const entry = entries[index];
      const mark = entry === shown ? "true" : entry === this._compared ? "page" : null;
      setAttribute(node.firstChild, "aria-current", mark);
    });
    while (this._rows.children.length > nodes.length) this._rows.lastChild.remove();
  }

  _clicked(event) {
    const id = event.target.closest("li")?.dataset.id;
    const entry = this.log.entries.find((one) => String(one.id) === id);
    if (entry === undefined) return;
    if (event.shiftKey && this._picked !== null && entry !== this._picked) this._compared = entry;
    else {
      this._picked = entry;
      this._compared = null;
      this._setHeld(true);
    }
    this._changed();
  }

  _drawMessage() {
    const entry = this._picked ?? this._newest();
    setShown(this._json.parentNode, entry !== null);
    if (entry === null) return;
    const before = this._compared === null ? entry.before : this._compared.payload;
    const differences = before === undefined ? [] : changes(before, entry.payload);
    setText(this._title, `${entry.topic} · ${clockText(entry.at)}`);
    setText(this._against, this._againstText(before, differences));
    if (this._isWhole) this._drawWhole(entry, differences);
    else this._drawChanges(differences);
  }

  _againstText(before, differences) {
    if (before === undefined) return t("messages.first");
    const count = plural("messages.changed", differences.length);
    return this._compared === null ? count : t("messages.against", { count, time: clockText(this._compared.at) });
  }

  _drawWhole(entry, differences) {
    const marked = new Set(differences.filter(({ after }) => after !== undefined).map(({ path }) => path));
    const nodes = lines(entry.payload, marked).map(({ text, isChanged }) => {
      const node = document.createElement(isChanged ? "mark" : "span");
      node.textContent = escaped(text);
      return node;
    });
    const pre = element("pre");
    pre.append(...nodes);
    const gone = differences.filter(({ after }) => after === undefined);
    this._json.replaceChildren(pre);
    if (gone.length > 0) this._json.append(element("p", "sub gone", `${t("messages.gone")} ${gone.map(({ path }) => path).join(", ")}`));
  }

  _drawChanges(differences) {
    const table = element("table", "changes");
    const head = table.createTHead().insertRow();
    for (const key of ["path", "before", "after"]) head.append(element("th", "", t(`messages.${key}`)));
    const body = table.createTBody();
    for (const { path, before, after } of differences) {
      const row = body.insertRow();
      for (const text of [path || "·", shortJson(before), shortJson(after)]) row.insertCell().textContent = plain(text);
    }
    this._json.replaceChildren(differences.length === 0 ? element("p", "sub none", t("messages.same")) : table);
  }

  async _copyShown() {
    const entry = this._picked ?? this._newest();
    if (entry === null) return;
    try {
      await navigator.clipboard.writeText(JSON.stringify(entry.payload, null, 2));
      setText(this._copy, t("messages.copied"));
    } catch {
      setText(this._copy, t("messages.notCopied"));
    }
    setTimeout(() => setText(this._copy, t("messages.copy")), 2_000);
  }
}

function logRow(entry) {
  const what = entry.changes === null ? t("messages.first") : summary(entry.changes);
  const node = button("entry", "");
  node.append(
    element("time", "number", clockText(entry.at)),
    element("span", "topic", entry.topic),
    element("span", "paths", what),
    element("span", "size number", sizeText(entry.size)),
  );
  const row = element("li", "", node);
  row.dataset.id = String(entry.id);
  return row;
}

/** The first paths that changed, apart from what changes in every message. */
function summary(list) {
  const paths = list.map(({ path }) => path).filter((path) => path !== "headerId" && path !== "timestamp");
  if (paths.length === 0) return t("messages.same");
  const rest = paths.length - MOST_PATHS;
  return paths.slice(0, MOST_PATHS).join(", ") + (rest > 0 ? ` +${rest}` : "");
}

function shortJson(value) {
  return value === undefined ? "" : JSON.stringify(value);
}
