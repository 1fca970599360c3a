/* The map of the fleet: `createMap(container, store, options)` puts a <fleet-map> into a container and keeps it live.
 *
 *   store -> scene (figures, tracks) -> layers (drawn once an animation frame, where something changed) -> canvas
 *   site (layouts, floor plans) ------^        aim (camera) <- gestures, controls, following, address
 *
 * Takes the page's store (../store.js: robots, subscribe). `options`: `onChoose(key or null)` when a robot is chosen, `onOpen(key)`
 * when more of it is asked for, `onView(view)` when a person moved the map; `view`, `selected`: what to show first.
 * A view is { map, x, y, zoom, follow } for the address: metres, pixels a metre, a robot's key; null where there is none.
 *
 * For tests the element tells where things are: `worldToScreen(x, y)` -> { x, y } in the window, `shows(key)`, `camera`,
 * `mapId`, `frames`.
 */

import { setAttribute, setShown, setText } from "../dom.js";
import { onLanguage, plural, t } from "../i18n.js";
import { Aim } from "./aim.js";
import { build } from "./frame.js";
import { Gestures } from "./gestures.js";
import { markAt } from "./hit.js";
import { Layers, PARTS } from "./layers.js";
import { readPalette } from "./palette.js";
import { Scene } from "./scene.js";
import { Site } from "./site.js";
import { SiteDialog } from "./site_dialog.js";
import { nameOf, tipOf } from "./words.js";
import { ZoneReader } from "./zones.js";

const SHARE = 3; // drawing takes at most a third of the time, so that the rest of the page stays quick
const VIEW_MS = 300;

export class FleetMap extends HTMLElement {
  /** Where a place in metres is in the window, in CSS pixels. */
  worldToScreen(x, y) {
    const { left, top } = this._canvas.getBoundingClientRect();
    return { x: left + this.camera.toX(x), y: top + this.camera.toY(y) };
  }

  /** Whether a robot is drawn on the map that is shown. */
  shows(key) {
    return this._marks.some(({ figure }) => figure.key === key);
  }

  /** Build all parts; called once by createMap. */
  begin(store, options) {
    this._store = store;
    this._options = { onChoose() {}, onOpen() {}, onView() {}, ...options };
    this.mapId = undefined; // the one that is shown
    this.frames = 0; // drawn so far
    this._aim = new Aim();
    this._scene = new Scene();
    this._zones = new ZoneReader();
    this._site = new Site({ onChange: () => this._redraw() });
    this._parts = new Set(PARTS);
    this._version = 0; // of what is shown of the parts
    this._marks = []; // as drawn last
    this._selected = null;
    this._isDirty = true;
    this._frame = 0;
    this._drawnAt = -Infinity;
    this._cost = 0; // milliseconds a drawing
    this._calm = matchMedia("(prefers-reduced-motion: reduce)");
    this._build();
    this._listen();
    this._takeAll();
    if (options.view) this.setView(options.view);
    if (options.selected) this.select(options.selected);
    this._site.start();
  }

  get camera() {
    return this._aim.camera;
  }

  get site() {
    return this._site;
  }

  /** Mark a robot (null: none), show its map, and bring it into sight. */
  select(key) {
    if (key !== this._selected) this._aim.followed = null;
    this._selected = key;
    const item = this._scene.items.get(key);
    if (item !== undefined) {
      this._showMap(item.track.mapId);
      this._aim.bringIntoSight(item.track.reported);
    }
    this._redraw();
  }

  /** Keep the chosen robot in the middle, or no longer. */
  follow(isFollowing) {
    this._aim.follow(isFollowing ? this._selected : null);
    this._moved();
  }

  /** Show all there is on this map, and go on doing so. */
  fit() {
    this._aim.fit();
    this._moved();
  }

  get view() {
    return { map: this.mapId ?? null, ...this._aim.view, follow: this._aim.followed };
  }

  /** Show what an address tells. */
  setView({ map, follow, ...place }) {
    if (map !== null && map !== undefined) this._showMap(map);
    this._aim.view = place;
    if (follow) {
      this.select(follow);
      this._aim.follow(follow);
    }
    this._redraw();
  }

  _build() {
    const parts = build(this, this._parts, {
      onMap: (mapId) => this._chooseMap(mapId),
      onPart: (part, isShown) => this._showPart(part, isShown),
      onZoom: (factor) => this._zoom(this.camera.width / 2, this.camera.height / 2, factor),
      onFit: () => this.fit(),
      onSite: () => this._openSite(null),
      onFollow: (isFollowing) => this.follow(isFollowing),
      onOpen: () => this._options.onOpen(this._selected),
      onClose: () => this._choose(null),
    });
    this._canvas = parts.canvas;
    this._controls = parts.controls;
    this._card = parts.card;
    this._legend = parts.legend;
    this._nothing = parts.nothing;
    this._tip = parts.tip;
    this._layers = new Layers(this._canvas);
    this._dialog = new SiteDialog(this._site);
    this.append(this._dialog.node);
    this._dress();
  }

  _listen() {
    new Gestures(this._canvas, {
      onPan: (right, down) => this._pan(right, down),
      onZoom: (left, top, factor) => this._zoom(left, top, factor),
      onTap: (left, top) => this._choose(markAt(this._marks, left, top)?.figure.key ?? null),
      onHover: (left, top) => this._hover(left, top),
      onKey: (key) => this._key(key),
    });
    this.addEventListener("dragover", (event) => this._site.canEdit && event.preventDefault());
    this.addEventListener("drop", (event) => this._drop(event));
    new ResizeObserver(() => this._redraw()).observe(this._canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this._dress());
    new MutationObserver(() => this._dress()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    onLanguage(() => this._dress());
    this._store.subscribe((changes) => this._take(changes));
  }

  /** Take on the colours and words of now. */
  _dress() {
    this._palette = readPalette(this);
    this._layers.clear();
    this._legend.draw(this._palette);
    this._controls.translate();
    setText(this._nothing, t("map.nothing"));
    this._redraw();
  }

  _take({ changed, removed, isReset, isTick }) {
    if (isReset) {
      this._takeAll();
      return;
    }
    const now = performance.now();
    for (const key of removed) this._scene.forget(key);
    for (const robot of changed) this._scene.show(robot, now, { isSmooth: !this._calm.matches });
    if (isTick) this._scene.fade(now);
    if (changed.size > 0 || removed.size > 0 || isTick) this._redraw(); // on a tick for trails and zones, see zones.js
  }

  _takeAll() {
    const now = performance.now();
    this._scene.clear();
    for (const robot of this._store.robots.values()) this._scene.show(robot, now, { isSmooth: false });
    this._redraw();
  }

  _redraw() {
    this._isDirty = true;
    if (this._frame === 0) this._frame = requestAnimationFrame(() => this._draw());
  }

  _draw() {
    this._frame = 0;
    const now = performance.now();
    if (now - this._drawnAt < SHARE * this._cost) {
      this._redraw();
      return;
    }
    this._layers.fit(this.camera);
    if (this.camera.width === 0 || this.camera.height === 0) return; // nobody looks; a resize draws again
    this._isDirty = false;
    this._pickMap();
    const items = this._scene.on(this.mapId);
    const zones = this._zones.read(items, this.mapId, now);
    const ground = [...this._site.pointsOf(this.mapId), ...zones.list.flatMap(({ vertices }) => vertices)];
    this._aim.point(items, ground, now);
    this._marks = this._layers.draw(this._sceneOf(items, zones, now), { camera: this.camera, palette: this._palette });
    setShown(this._nothing, items.length === 0 && ground.length === 0);
    this._describe(items);
    this.frames += 1;
    this._drawnAt = now;
    this._cost = 0.8 * this._cost + 0.2 * (performance.now() - now);
    if (items.some(({ track }) => track.isGliding(now))) this._redraw();
  }

  _sceneOf(items, zones, now) {
    return {
      items,
      now,
      mapId: this.mapId,
      ground: this._site.groundOf(this.mapId),
      zones,
      selectedKey: this._selected,
      parts: this._parts,
      version: this._version,
    };
  }

  /** Keep to the map that was chosen while it has something to show, else take the fullest one; write the choice. */
  _pickMap() {
    const followed = this._scene.items.get(this._aim.followed);
    if (followed !== undefined) this._showMap(followed.track.mapId);
    const counts = this._scene.counts();
    for (const id of Object.keys(this._site.maps)) if (!counts.has(id)) counts.set(id, 0);
    if (!counts.has(this.mapId) && counts.size > 0) {
      this._showMap([...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0]);
    }
    const maps = [...counts].map(([id, count]) => ({ id, count }));
    maps.sort((one, other) => nameOf(one.id).localeCompare(nameOf(other.id), undefined, { numeric: true }));
    this._controls.showMaps(maps, this.mapId);
    this._controls.offerSite(this._site.canEdit && this.mapId !== null);
  }

  /** A file dropped onto the map is its layout or floor plan. */
  _drop(event) {
    if (!this._site.canEdit) return;
    event.preventDefault();
    if (event.dataTransfer.files.length > 0) this._openSite(event.dataTransfer.files[0]);
  }

  _openSite(file) {
    if (this.mapId !== null && this.mapId !== undefined) this._dialog.open(this.mapId, file);
  }

  _showMap(mapId) {
    if (mapId === this.mapId) return;
    this.mapId = mapId;
    this._aim.forgetArea();
    this._redraw();
  }

  _chooseMap(mapId) {
    this._showMap(mapId);
    this.fit();
  }

  _showPart(part, isShown) {
    if (isShown) this._parts.add(part);
    else this._parts.delete(part);
    this._version += 1;
    this._redraw();
  }

  _choose(key) {
    if (key === this._selected) return;
    this.select(key);
    this._options.onChoose(key);
  }

  _pan(right, down) {
    this._aim.pan(right, down);
    this._moved();
  }

  _zoom(left, top, factor) {
    this._aim.zoom(left, top, factor);
    this._moved();
  }

  /** A person moved the map: draw, and tell the address when they are done. */
  _moved() {
    this._hover(null, null);
    this._redraw();
    clearTimeout(this._viewTimer);
    this._viewTimer = setTimeout(() => this._options.onView(this.view), VIEW_MS);
  }

  _key(key) {
    if (key === "0" || key === "Home") this.fit();
    else if (key === "f" || key === "F") this.follow(this._aim.followed === null);
    else if (key === "n" || key === "N") this._chooseNext(1);
    else if (key === "p" || key === "P") this._chooseNext(-1);
    else if (key === "Enter" && this._selected !== null) this._options.onOpen(this._selected);
    else if (key === "Escape" && this._selected !== null) this._choose(null);
    else return false;
    return true;
  }

  /** Choose the next robot of this map by name: the keyboard's way through the fleet. */
  _chooseNext(step) {
    const keys = this._scene.on(this.mapId).map(({ figure }) => figure.key).sort();
    const at = keys.indexOf(this._selected);
    if (keys.length > 0) this._choose(keys.at(at < 0 && step < 0 ? -1 : (at + step) % keys.length));
  }

  _hover(left, top) {
    const mark = left === null ? undefined : markAt(this._marks, left, top);
    const robot = mark === undefined ? undefined : this._store.robots.get(mark.figure.key);
    this._canvas.classList.toggle("is-on-robot", robot !== undefined);
    setShown(this._tip, robot !== undefined);
    if (robot === undefined) return;
    setText(this._tip, tipOf(robot));
    this._tip.style.translate = `${mark.left}px ${mark.top}px`;
  }

  _describe(items) {
    const robots = plural("map.robots", items.length);
    setAttribute(this._canvas, "aria-label", t("map.label", { map: nameOf(this.mapId), robots }));
    this._card.show(this._store.robots.get(this._selected), { isFollowing: this._aim.followed !== null });
  }
}

customElements.define("fleet-map", FleetMap);

/** Put a map into a container. Gives the element: see FleetMap. */
export function createMap(container, store, options = {}) {
  const map = document.createElement("fleet-map");
  container.append(map);
  map.begin(store, options);
  return map;
}
