/* The fleet: counts by state, filters, search, the table; with a small fleet the map below it.
 *
 * Filters are part of the address (router.js), so a link shows the same. The order is made anew at most every RESORT_MS, so
 * that rows do not jump under the hand; a new filter or another column counts at once.
 */

import { element, find, icon, setAttribute, setShown, setText } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { amend, go, onRoute, route } from "../router.js";
import { isBatteryLow, STATES } from "../status.js";
import { NOTHING, number, word } from "../words.js";
import { COLUMNS, searchText } from "./columns.js";
import { Table } from "./table.js";

const RESORT_MS = 2_000;
const SMALL_FLEET = 8; // robots; below them there is room for the map
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Filters that are a choice among what the fleet has. `of` gives a robot's value, null for none. */
const CHOICES = [
  { id: "make", of: (robot) => robot.manufacturer, show: (value) => value },
  { id: "map", of: (robot) => robot.view.position?.map_id ?? null, show: (value) => value },
  { id: "mode", of: (robot) => robot.view.operating_mode, show: (value) => word("mode", value) },
  { id: "version", of: (robot) => robot.view.version, show: (value) => value },
];
const HAS = {
  errors: (robot) => robot.level !== null,
  findings: (robot) => robot.findings.error + robot.findings.warning > 0,
  order: (robot) => Boolean(robot.view.order?.order_id),
  low: (robot) => isBatteryLow(robot.view),
};

/** The view below `root`, which is shown while the route is "fleet". */
export class FleetView {
  constructor(root, store, { map }) {
    this._root = root;
    this._map = map;
    this._store = store;
    this._tiles = new Map();
    this._selects = new Map();
    this._sortedAt = 0;
    this._isShown = false;
    this._buildTiles(find(".tiles", root));
    this._buildFilters(find(".filters", root));
    this._buildHead(find(".head", root));
    this._table = new Table(find(".rows", root), { onOpen: (key) => go({ view: "robot", robot: key }) });
    store.subscribe((changes) => this._draw(changes));
    onRoute(() => this._arrange());
    onLanguage(() => {
      this._sortedAt = 0;
      this._writeFilters();
      this._table.rewrite(store.now());
      store.touch();
    });
    this._writeFilters();
  }

  /** Show or hide the view. */
  setShown(isShown) {
    this._isShown = isShown;
    setShown(this._root, isShown);
    if (!isShown) return;
    this._arrange();
    this._table.rewrite(this._store.now());
  }

  /** Put the keyboard into the search field, or at the rows. */
  focusSearch() {
    this._search.focus();
    this._search.select();
  }

  focusRows() {
    this._table.focus();
  }

  _buildTiles(place) {
    for (const state of ["all", ...STATES]) {
      const count = element("strong", "", "0");
      const name = element("span", "name");
      const tile = element("button", "tile", ...(state === "all" ? [] : [icon(state)]), count, name);
      tile.type = "button";
      name.dataset.text = `count.${state}`;
      tile.dataset.state = state;
      tile.addEventListener("click", () => this._choose(state));
      this._tiles.set(state, { tile, count });
      place.append(tile);
    }
  }

  _buildFilters(place) {
    this._search = find("input[type=search]", place);
    this._search.addEventListener("input", () => amend({ q: this._search.value }));
    for (const { id } of CHOICES) {
      const select = element("select");
      select.dataset.label = `filter.${id}`;
      select.addEventListener("change", () => amend({ [id]: select.value }));
      this._selects.set(id, { select, known: "" });
      find(".choices", place).append(select);
    }
    for (const box of place.querySelectorAll("input[type=checkbox]")) {
      box.addEventListener("change", () => amend({ [box.name]: box.checked ? "1" : null }));
    }
    find(".clear", place).addEventListener("click", () => {
      amend(Object.fromEntries(["state", "q", ...CHOICES.map(({ id }) => id), ...Object.keys(HAS)].map((name) => [name, null])));
    });
  }

  _buildHead(place) {
    for (const { id } of COLUMNS) {
      const cell = element("div", `cell c-${id}`);
      const sort = element("button", "sort");
      sort.type = "button";
      sort.dataset.text = `column.${id}`;
      sort.addEventListener("click", () => this._sortBy(id));
      cell.setAttribute("role", "columnheader");
      cell.dataset.column = id;
      cell.append(sort);
      place.append(cell);
    }
  }

  _choose(state) {
    const chosen = route().params.get("state");
    amend({ state: state === "all" || state === chosen ? null : state });
  }

  _sortBy(id) {
    const { params } = route();
    const isSame = (params.get("sort") ?? "state") === id;
    const isDown = isSame && params.get("down") !== "1";
    amend({ sort: id === "state" ? null : id, down: isDown ? "1" : null });
  }

  /** The address changed: show its filters, sort and filter anew. */
  _arrange() {
    if (!this._isShown) return;
    this._writeFilters();
    this._sort();
  }

  _writeFilters() {
    const { params } = route();
    if (this._search.value !== (params.get("q") ?? "")) this._search.value = params.get("q") ?? "";
    for (const [state, { tile }] of this._tiles) {
      setAttribute(tile, "aria-pressed", String((params.get("state") ?? "all") === state));
    }
    for (const { id, show } of CHOICES) this._writeChoice(id, show, params.get(id));
    for (const box of this._root.querySelectorAll(".filters input[type=checkbox]")) box.checked = params.get(box.name) === "1";
    const column = params.get("sort") ?? "state";
    for (const cell of this._root.querySelectorAll(".head [data-column]")) {
      const isSorted = cell.dataset.column === column;
      setAttribute(cell, "aria-sort", isSorted ? (params.get("down") === "1" ? "descending" : "ascending") : "none");
    }
  }

  /** Offer what the fleet has; a value of the address that no robot has any more stays in the list. */
  _writeChoice(id, show, chosen) {
    const { of } = CHOICES.find((choice) => choice.id === id);
    const entry = this._selects.get(id);
    const values = new Set([...this._store.robots.values()].map(of).filter((value) => value !== null));
    if (chosen !== null) values.add(chosen);
    const sorted = [...values].sort(collator.compare);
    const known = JSON.stringify([document.documentElement.lang, sorted]);
    if (entry.known !== known) {
      entry.known = known;
      entry.select.replaceChildren(option("", t(`filter.any.${id}`)), ...sorted.map((value) => option(value, show(value))));
    }
    entry.select.value = chosen ?? "";
    setShown(entry.select, sorted.length > 1 || chosen !== null);
    setAttribute(entry.select, "data-chosen", chosen === null ? null : "");
  }

  _draw({ changed, isReset, isTick }) {
    if (!this._isShown) return;
    const now = this._store.now();
    const { counts } = this._store;
    for (const [state, { tile, count }] of this._tiles) {
      setText(count, number(counts[state]));
      setAttribute(tile, "data-none", counts[state] === 0 ? "" : null);
    }
    const isDue = performance.now() - this._sortedAt > RESORT_MS;
    if (isReset || (isDue && changed.size > 0) || this._known !== counts.all) {
      this._known = counts.all;
      this._writeFilters();
      this._sort();
    }
    if (isTick) this._table.rewrite(now);
    else this._table.changed(changed, now);
  }

  _sort() {
    this._sortedAt = performance.now();
    const { params } = route();
    const robots = this._filtered(params);
    const column = COLUMNS.find(({ id }) => id === (params.get("sort") ?? "state")) ?? COLUMNS[0];
    const direction = params.get("down") === "1" ? -1 : 1;
    const values = new Map(robots.map((robot) => [robot, column.sort(robot)]));
    robots.sort((one, other) => compare(values.get(one), values.get(other), direction) || collator.compare(one.key, other.key));
    this._table.setRobots(robots, this._store.now());
    setAttribute(find("[role=grid]", this._root), "aria-rowcount", String(robots.length + 1));
    this._writeSize(robots.length);
  }

  _filtered(params) {
    const words = (params.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const tests = [];
    if (params.has("state")) tests.push((robot) => params.get("state").split(",").includes(robot.state));
    for (const { id, of } of CHOICES) if (params.has(id)) tests.push((robot) => of(robot) === params.get(id));
    for (const [id, has] of Object.entries(HAS)) if (params.get(id) === "1") tests.push(has);
    if (words.length > 0) {
      tests.push((robot) => {
        const text = searchText(robot);
        return words.every((part) => text.includes(part));
      });
    }
    this._isFiltered = tests.length > 0;
    return [...this._store.robots.values()].filter((robot) => robot.state !== null && tests.every((test) => test(robot)));
  }

  _writeSize(shown) {
    const all = this._store.robots.size;
    setText(find(".shown", this._root), this._isFiltered ? t("filter.shown", { shown: number(shown), all: number(all) }) : "");
    setShown(find(".clear", this._root), this._isFiltered);
    setShown(find(".nobody", this._root), this._isFiltered && shown === 0 && all > 0);
    setShown(find("[role=grid]", this._root), all > 0 && !(this._isFiltered && shown === 0));
    setShown(find(".filters", this._root), all > 0);
    const hasMap = all > 0 && all <= SMALL_FLEET && innerHeight >= 700 && innerWidth > 700;
    const place = find(".fleet-map", this._root);
    setShown(place, hasMap);
    this._root.classList.toggle("is-small", hasMap);
    if (hasMap) this._map.place(place, {});
  }
}

function option(value, text) {
  const node = element("option", "", text === "" ? NOTHING : text);
  node.value = value;
  return node;
}

/** Compare two values of a column; what is not known comes last, whatever the direction. */
function compare(one, other, direction) {
  if (one === other) return 0;
  if (one === null) return 1;
  if (other === null) return -1;
  return direction * (typeof one === "string" ? collator.compare(one, other) : one - other);
}
