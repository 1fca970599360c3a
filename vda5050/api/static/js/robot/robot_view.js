/* One robot: how it is, what it does, what is wrong, where it is; and what it sends, message by message.
 *
 * A card is built anew when what it is made of differs, so that a text that is being read or marked stays. The map is one
 * for all views: it is brought here while this one is shown. Every message of the robot is asked for, at its full rate.
 */

import { element, icon, setAttribute, setData, setIcon, setShown, setText } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { amend, href, onRoute, route } from "../router.js";
import { STATES } from "../status.js";
import { ageText } from "../words.js";
import { buildAbout, buildLists, heading } from "./cards.js";
import { Charts } from "./charts.js";
import { buildEarlier, Earlier } from "./earlier.js";
import { aboutFacts, headFigures, lists } from "./facts.js";
import { MessagesTab } from "./messages_tab.js";
import { actionsOf, buildActions, buildOrder, orderOf } from "./order_card.js";
import { PastSamples } from "./past_samples.js";
import { Traces } from "./traces.js";
import { buildErrors, buildFindings, errorsOf, findingsOf } from "./troubles.js";

const TABS = ["overview", "messages"];

/** The view below `root`, which is shown while the route is "robot". */
export class RobotView {
  constructor(root, store, { stream, traces, map, onJump }) {
    this._root = root;
    this._store = store;
    this._stream = stream;
    this._traces = traces;
    this._map = map;
    this._onJump = onJump;
    this._key = null;
    this._isShown = false;
    this._cards = [];
    this._charts = new Charts();
    this._messages = new MessagesTab();
    this._pastSamples = new PastSamples();
    this._pastTraces = new Traces(); // of the past that is played
    this._earlier = new Earlier();
    this._build();
    store.subscribe((changes) => {
      this._notePast(changes);
      this._draw(changes);
    });
    store.onMessages((message) => message.robot === this._key && this._messages.take(message));
    onRoute(() => this._open());
    onLanguage(() => this._rebuild());
  }

  /** Show or hide the view. */
  setShown(isShown) {
    if (isShown === this._isShown && (!isShown || route().robot === this._key)) return;
    this._isShown = isShown;
    setShown(this._root, isShown);
    if (isShown) this._open();
    else {
      this._key = null;
      this._stream.follow([]);
    }
  }

  /** Forget what was seen: another time is shown. */
  forget() {
    if (this._key === null) return;
    this._messages.open(this._key);
    this._stream.follow([]);
    this._followLive(); // which begins with the last message of each topic
    this._rebuild();
  }

  _build() {
    const [slash, make, serial] = [element("span", "make", "/"), element("span", "make"), element("span", "serial")];
    this._name = { make, serial };
    this._state = element("span", "state", icon("idle"), element("span"));
    this._seen = element("span", "sub");
    this._back = element("a", "tool", icon("back"));
    this._tabs = element("div", "tabs");
    this._tabs.setAttribute("role", "tablist");
    for (const tab of TABS) {
      const node = element("button", "");
      node.type = "button";
      node.id = `tab-${tab}`;
      node.dataset.text = `robot.${tab}`;
      node.setAttribute("role", "tab");
      node.setAttribute("aria-controls", `panel-${tab}`);
      node.addEventListener("click", () => amend({ tab: tab === "overview" ? null : tab }));
      this._tabs.append(node);
    }
    this._tabs.addEventListener("keydown", (event) => this._pressed(event));
    const head = element("header", "robot-head", this._back, element("h1", "", make, slash, serial), this._state, this._seen, this._tabs);
    this._unknown = element("p", "notice");
    this._panels = { overview: this._buildOverview(), messages: this._messages.node };
    for (const [tab, panel] of Object.entries(this._panels)) {
      panel.id = `panel-${tab}`;
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", `tab-${tab}`);
    }
    this._root.append(head, this._unknown, ...Object.values(this._panels));
  }

  _buildOverview() {
    this._figures = element("dl", "figures");
    this._mapPlace = element("div", "map-place");
    const main = element("div", "column wide");
    const side = element("div", "column", element("section", "card card-map", this._mapPlace));
    const charts = element("section", "card", heading("robot.charts"), this._charts.node);
    this._card(main, "errors", (robot) => errorsOf(robot.view), buildErrors);
    this._card(main, "order", (robot) => orderOf(robot.view), buildOrder);
    this._card(main, "actions", (robot) => actionsOf(robot.view), buildActions);
    main.append(charts);
    this._card(main, "earlier", (robot) => this._earlier.of(robot.key), (list) => buildEarlier(list, this._onJump()));
    this._card(main, "findings", (robot, now) => findingsOf(robot, now), (list) => buildFindings(list, this._onJump()));
    this._card(side, "about", (robot) => aboutFacts(robot.view), buildAbout);
    this._card(side, "lists", (robot) => lists(robot.view), buildLists);
    return element("div", "overview", this._figures, element("div", "columns", main, side));
  }

  _card(column, id, read, build) {
    const body = element("div", "body-of-card");
    const node = element("section", `card card-${id}`, ...(id === "lists" ? [] : [heading(`robot.${id}`)]), body);
    column.append(node);
    this._cards.push({ node, body, read, build, shown: null });
  }

  _open() {
    if (!this._isShown || route().view !== "robot") return;
    const { robot: key, params } = route();
    const tab = TABS.includes(params.get("tab")) ? params.get("tab") : "overview";
    for (const node of this._tabs.children) {
      const isChosen = node.id === `tab-${tab}`;
      setAttribute(node, "aria-selected", String(isChosen));
      node.tabIndex = isChosen ? 0 : -1;
    }
    if (key !== this._key) this._openRobot(key);
    this._tab = tab;
    this._messages.touch();
    if (tab === "overview") this._map.place(this._mapPlace, { selected: key, follow: key });
    this._draw({ changed: new Set(), isReset: true });
  }

  _openRobot(key) {
    this._key = key;
    const slash = key.indexOf("/");
    setText(this._name.make, key.slice(0, slash));
    setText(this._name.serial, key.slice(slash + 1));
    this._messages.open(key);
    this._followLive();
    this._rebuild();
    this._root.scrollTop = 0;
  }

  /** Ask for every message as it comes; those of the past the time bar asks for. */
  _followLive() {
    this._stream.follow(this._store.isPast ? [] : [this._key]);
  }

  _rebuild() {
    for (const card of this._cards) card.shown = null;
    this._draw({ changed: new Set(), isReset: true, isTick: true });
  }

  _draw({ changed, isReset, isTick }) {
    if (!this._isShown || this._key === null) return;
    const robot = this._store.robots.get(this._key);
    setShown(this._unknown, robot === undefined);
    for (const [tab, panel] of Object.entries(this._panels)) setShown(panel, robot !== undefined && tab === this._tab);
    setAttribute(this._back, "href", href({ view: "fleet" }));
    setAttribute(this._back, "aria-label", t("robot.back"));
    if (robot === undefined) {
      setText(this._unknown, t("robot.unknown"));
      setShown(this._state, false);
      return;
    }
    if (this._tab === "messages") this._messages.draw();
    if (isReset || isTick || changed.has(robot)) this._drawRobot(robot, this._store.now());
  }

  _drawRobot(robot, now) {
    setShown(this._state, true);
    setData(this._state, "state", robot.state);
    setIcon(this._state.firstChild, STATES.includes(robot.reason) || robot.reason === "paused" ? robot.reason : robot.state);
    setText(this._state.lastChild, t(`state.${robot.reason}`));
    setText(this._seen, robot.seenAt === null ? t("robot.neverSeen") : t("robot.seen", { age: ageText(now - robot.seenAt) }));
    if (this._tab !== "overview") return;
    this._drawFigures(robot.view);
    this._earlier.look(robot, now, this._store.isPast);
    const canJump = this._onJump() !== null;
    for (const card of this._cards) {
      const slice = card.read(robot, now);
      const shown = JSON.stringify([slice, canJump]);
      if (shown === card.shown) continue;
      card.shown = shown;
      setShown(card.node, slice !== null && !(card.node.classList.contains("card-lists") && slice.length === 0));
      if (slice !== null) card.body.replaceChildren(...card.build(slice));
    }
    this._drawCharts(now);
  }

  _notePast({ changed, isReset }) {
    if (isReset) this._pastTraces.clear();
    const robot = this._store.isPast ? this._store.robots.get(this._key) : undefined;
    if (changed.has(robot)) this._pastTraces.note(robot, this._store.now());
  }

  /** What the page saw; before that, and in the past, what the history knows. */
  _drawCharts(now) {
    const seen = (this._store.isPast ? this._pastTraces : this._traces).of(this._key);
    const from = seen.length > 0 ? seen[0].at : now;
    if (this._pastSamples.isDue(this._key, now, from)) {
      this._pastSamples.load(this._key, now).then(() => this._drawCharts(this._store.now()));
    }
    const known = this._pastSamples.of(this._key).filter(({ at }) => at < from);
    this._charts.show([...known, ...seen], now);
  }

  _drawFigures(view) {
    const figures = headFigures(view);
    if (this._figures.children.length !== figures.length) {
      this._figures.replaceChildren(...figures.map(() => element("div", "", element("dt"), element("dd"), element("dd", "sub"))));
    }
    figures.forEach(([id, value, note, level], index) => {
      const [label, figure, more] = this._figures.children[index].children;
      setText(label, t(`figure.${id}`));
      setText(figure, value);
      setText(more, note);
      setData(this._figures.children[index], "level", level);
    });
  }

  _pressed(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const nodes = [...this._tabs.children];
    const next = nodes[(nodes.indexOf(event.target) + step + nodes.length) % nodes.length];
    next.click();
    next.focus();
  }
}
