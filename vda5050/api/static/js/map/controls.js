/* What stands around the canvas: the maps to choose from, the menu of parts, zoom buttons. Builds DOM, knows no drawing.
 *
 * Gives `node` (a bar above the map) and `buttons` (on its lower right). Calls back `onMap(mapId)`, `onPart(name, isShown)`,
 * `onZoom(factor)`, `onFit()`, and `onSite()` where a person may change the map's layout and plan.
 */

import { button, element, setAttribute, setText } from "../dom.js";
import { t } from "../i18n.js";
import { PARTS } from "./layers.js";
import { nameOf } from "./words.js";

const ZOOM = 1.5;
const TABS = 4; // more maps than that are chosen from a list

export class Controls {
  constructor(callbacks, parts) {
    this._callbacks = callbacks;
    this._maps = [];
    this.tabs = element("div", "map-tabs");
    this.tabs.setAttribute("role", "group");
    this._menu = element("details", "map-menu");
    this._summary = element("summary");
    this._choices = PARTS.map((part) => this._newChoice(part, parts.has(part)));
    this._menu.append(this._summary, element("div", "map-choices", ...this._choices.map(({ label }) => label)));
    this._site = button("map-site", "", callbacks.onSite);
    this._site.hidden = true;
    this.node = element("div", "map-bar", this.tabs, this._site, this._menu);
    this.buttons = this._newButtons();
    document.addEventListener("click", (event) => this._menu.contains(event.target) || this._closeMenu());
    this._menu.addEventListener("keydown", (event) => event.key === "Escape" && this._closeMenu());
    this.translate();
  }

  /** Write all words in the language of now. */
  translate() {
    setAttribute(this.tabs, "aria-label", t("map.maps"));
    setText(this._summary, t("map.parts"));
    setText(this._site, t("map.site"));
    for (const { part, text } of this._choices) setText(text, t(`map.part.${part}`));
    for (const [node, key] of this._named) {
      setAttribute(node, "aria-label", t(key));
      setAttribute(node, "title", t(key));
    }
  }

  /** Offer a person who may do so to change the map's layout and floor plan. */
  offerSite(isOffered) {
    this._site.hidden = !isOffered;
  }

  /** `maps`: [{ id, count }] in the order shown. */
  showMaps(maps, shownId) {
    const isSame = maps.length === this._maps.length && maps.every(({ id }, index) => id === this._maps[index].id);
    if (!isSame) this._build(maps);
    this._maps = maps;
    maps.forEach(({ id, count }, index) => this._mark(index, { id, count, isShown: id === shownId }));
    this.tabs.hidden = maps.length === 0;
  }

  _build(maps) {
    if (maps.length <= TABS) {
      this._list = null;
      this.tabs.replaceChildren(...maps.map(({ id }) => this._newTab(id)));
      return;
    }
    this._list = element("select");
    this._list.setAttribute("aria-label", t("map.maps"));
    this._list.append(...maps.map(() => element("option")));
    this._list.addEventListener("change", () => this._callbacks.onMap(this._maps[this._list.selectedIndex].id));
    this.tabs.replaceChildren(this._list);
  }

  _mark(index, { id, count, isShown }) {
    if (this._list !== null) {
      setText(this._list.options[index], `${nameOf(id)} (${count})`);
      if (isShown && this._list.selectedIndex !== index) this._list.selectedIndex = index;
      return;
    }
    const tab = this.tabs.children[index];
    setAttribute(tab, "aria-pressed", String(isShown));
    setText(tab.firstChild, nameOf(id));
    setText(tab.lastChild, String(count));
  }

  _newTab(mapId) {
    const tab = button("map-tab", "", () => this._callbacks.onMap(mapId));
    tab.replaceChildren(element("bdi"), " ", element("span", "map-count"));
    return tab;
  }

  _newChoice(part, isShown) {
    const box = element("input");
    box.type = "checkbox";
    box.checked = isShown;
    box.name = part;
    box.addEventListener("change", () => this._callbacks.onPart(part, box.checked));
    const text = element("span");
    return { part, text, label: element("label", "", box, text) };
  }

  _newButtons() {
    const { onZoom, onFit } = this._callbacks;
    const zoomIn = button("map-button", "+", () => onZoom(ZOOM));
    const zoomOut = button("map-button", "−", () => onZoom(1 / ZOOM));
    const fit = button("map-button map-fit", "", onFit);
    this._named = [[zoomIn, "map.zoom-in"], [zoomOut, "map.zoom-out"], [fit, "map.fit"]];
    return element("div", "map-buttons", zoomIn, zoomOut, fit);
  }

  _closeMenu() {
    this._menu.open = false;
  }
}
