/* The frame around the views: how the gateway and its broker are linked, banner, theme, language, shortcuts, empty states.
 *
 * Takes the store's state; gives nothing back but `onSearch`, `onAlerts` calls for keys that views answer.
 */

import { find, setAttribute, setData, setShown, setText } from "./dom.js";
import { keep, language, onLanguage, setLanguage, t } from "./i18n.js";
import { go, onRoute, route } from "./router.js";
import { ageText, clockText } from "./words.js";

const QUIET_MS = 10_000; // A fleet that says nothing for so long is worth a word.
const LOST_MS = 2_000; // A stream that is back at once is no news.

const SHORTCUTS = [
  [["/"], "help.search"],
  [["f"], "help.fleet"],
  [["m"], "help.map"],
  [["a"], "help.alerts"],
  [["d"], "help.theme"],
  [["↑", "↓", "↵"], "help.rows"],
  [["Esc"], "help.back"],
  [["?"], "help.help"],
];

/** The frame; `actions`: { search() }. */
export class Shell {
  constructor(store, actions) {
    this._store = store;
    this._actions = actions;
    this._lostSince = null;
    this._lastLive = Date.now();
    for (const name of ["theme", "language"]) {
      find(`#${name}`).addEventListener("click", ({ target }) => {
        const value = target.closest("button")?.dataset.value;
        if (value === undefined) return;
        if (name === "theme") setTheme(value);
        else setLanguage(value);
        this._writeChoices();
      });
    }
    find("#open-help").addEventListener("click", () => {
      find("#menu").hidePopover();
      this._openHelp();
    });
    find(".skip").addEventListener("click", (event) => {
      event.preventDefault(); // its address would be taken for a route
      find("#main").focus();
    });
    find(".filters").addEventListener("submit", (event) => event.preventDefault());
    addEventListener("keydown", (event) => this._pressed(event));
    store.subscribe(() => this._draw());
    onRoute(() => this._markView());
    this._learnAccount();
    onLanguage(() => {
      this._writeAccount();
      this._writeChoices();
      this._draw();
    });
    this._writeChoices();
    this._markView();
    this._draw();
  }

  _writeChoices() {
    const chosen = { theme: document.documentElement.dataset.theme, language: language() };
    for (const [name, value] of Object.entries(chosen)) {
      for (const node of find(`#${name}`).children) setAttribute(node, "aria-pressed", String(node.dataset.value === value));
    }
  }

  _markView() {
    for (const link of document.querySelectorAll("nav [data-view]")) {
      setAttribute(link, "aria-current", link.dataset.view === route().view ? "page" : null);
    }
  }

  _draw() {
    const { link, isBrokerUp, isPast } = this._store;
    const state = isPast ? "past" : link.state;
    const place = find("#link");
    setData(place, "state", state);
    const quietMs = Date.now() - (this._store.lastMessageAt ?? Date.now());
    const isQuiet = state === "live" && quietMs > QUIET_MS && this._store.live.robots.size > 0;
    setText(find(".text", place), isQuiet ? t("link.last", { age: ageText(quietMs) }) : t(`link.${state}`));
    const broker = isBrokerUp === null ? "unknown" : isBrokerUp ? "connected" : "disconnected";
    setData(find("#broker"), "state", broker);
    setText(find("#broker .text"), t(`broker.${broker}`));
    const detail = this._store.dependencies?.broker?.detail;
    setAttribute(find("#broker"), "title", `${t(`broker.title.${broker}`)}${detail === undefined ? "" : `\n${detail}`}`);
    this._drawBanner();
    this._drawEmpty();
  }

  _drawBanner() {
    const { state } = this._store.link;
    if (state === "live") {
      this._lostSince = null;
      this._lastLive = Date.now();
    } else this._lostSince ??= Date.now();
    const isLost = this._lostSince !== null && Date.now() - this._lostSince >= LOST_MS;
    const banner = find("#banner");
    let text = "";
    if (state === "refused" || state === "busy") text = t(`banner.${state}`);
    else if (isLost && this._store.live.isReady) text = t("banner.reconnecting", { time: clockText(this._lastLive) });
    else if (state === "live" && this._store.isBrokerUp === false) text = t("banner.broker");
    setText(find("span", banner), text);
    setShown(banner, text !== "");
    setShown(find("a", banner), state === "refused");
    setAttribute(find("a", banner), "href", `login?next=${encodeURIComponent(location.pathname + location.hash)}`);
  }

  _drawEmpty() {
    const { isReady, isPast, robots, dependencies } = this._store;
    const isEmpty = isReady && robots.size === 0 && route().view !== "robot";
    setShown(find("#waiting"), !isReady);
    setShown(find("#empty"), isEmpty && !isPast);
    setShown(find("#nobody"), isEmpty && isPast);
    document.body.classList.toggle("is-empty", isEmpty || !isReady);
    if (!isEmpty) return;
    const detail = dependencies?.broker?.detail ?? "";
    setText(find("#broker-url"), /mqtts?:\/\/[^\s:]+(:\d+)?/.exec(detail)?.[0] ?? t("empty.broker"));
    setText(find("#broker-detail"), detail === "" ? "" : t("empty.gateway", { detail }));
  }

  /** Who one is, where one is logged in: then one can log out. */
  async _learnAccount() {
    const answer = await fetch(new URL("session", document.baseURI)).catch(() => null);
    const account = answer?.ok ? await answer.json() : null;
    this._account = account?.can_log_out === true ? account.name : null;
    this._writeAccount();
  }

  _writeAccount() {
    const isIn = (this._account ?? null) !== null;
    setShown(find("#account"), isIn);
    if (isIn) setText(find("#account button"), t("menu.logout", { name: this._account }));
  }

  _openHelp() {
    const dialog = find("#help");
    const list = find("dl", dialog);
    list.replaceChildren();
    for (const [keys, key] of SHORTCUTS) {
      const term = document.createElement("dt");
      for (const name of keys) {
        const node = document.createElement("kbd");
        node.textContent = name;
        term.append(node);
      }
      const meaning = document.createElement("dd");
      meaning.textContent = t(key);
      list.append(term, meaning);
    }
    dialog.showModal();
  }

  _pressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || find("#help").open) return;
    const isTyping = event.target.closest?.("input, select, textarea") != null;
    if (event.key === "Escape") {
      this._escape(event, isTyping);
      return;
    }
    if (isTyping) return;
    const action = this._keys()[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  }

  _keys() {
    return {
      "/": () => {
        go({ view: "fleet" });
        this._actions.search();
      },
      f: () => go({ view: "fleet" }),
      m: () => go({ view: "map" }),
      a: () => find("#alerts").togglePopover(),
      d: () => {
        setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
        this._writeChoices();
      },
      "?": () => this._openHelp(),
    };
  }

  _escape(event, isTyping) {
    if (document.querySelector(":popover-open") !== null) return; // the browser closes it
    if (isTyping) event.target.blur();
    else if (route().view === "robot") history.length > 1 ? history.back() : go({ view: "fleet" });
  }
}

/** Change the colours and keep the choice on this machine; canvases are told by "themechange" on the document. */
function setTheme(name) {
  document.documentElement.dataset.theme = name;
  keep("theme", name);
  document.dispatchEvent(new Event("themechange"));
}
