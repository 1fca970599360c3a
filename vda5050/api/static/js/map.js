/* The map: a canvas for one `mapId` at a time, with buttons to choose the map where there are several.
 *
 * Takes robots with view and status as they change (`show`, `clear`, `select`); gives `draw(now)`, true while something
 * glides, and calls `onChoose(key)` when a robot on it is clicked. Fits itself to the robots; forgets what it is told to.
 */

import { element, find, setText } from "./dom.js";
import { drawGrid, drawLabels, drawMark, drawTrails } from "./map_drawing.js";
import { readPalette, watchColourScheme } from "./palette.js";
import { Sprites } from "./sprites.js";
import { Track } from "./track.js";
import { areaOf, Viewport } from "./viewport.js";
import { plain, plural } from "./words.js";

const PADDING_PX = 34;
const FRAME_MS = 30; // A map at 30 frames a second glides smoothly and leaves time for the rest.
const MANY = 100; // robots on one map: more are drawn half as often, smaller and with thin trails
const HIT_PX = 18;
const FARTHEST_M = 1e7; // No hall is larger than the earth; beyond it a canvas gets lost.
const ALARM_TONES = { WARNING: "warn", URGENT: "warn", CRITICAL: "bad", FATAL: "bad" };

/** The map panel. */
export class FleetMap {
  constructor(root, { onChoose, requestDraw }) {
    this._canvas = find("canvas", root);
    this._context = this._canvas.getContext("2d");
    this._tabs = find(".map-tabs", root);
    this._nothing = find(".map-nothing", root);
    this._items = new Map(); // key -> { robot, track }
    this._areas = new Map(); // mapId -> area
    this._marks = []; // as drawn last
    this._mapId = undefined; // the one shown
    this._fullestId = undefined;
    this._isChosen = false;
    this._selected = null;
    this._drawnAt = 0;
    this._isDirty = true;
    this._palette = readPalette();
    this._sprites = new Sprites();
    this._requestDraw = requestDraw;
    this._canvas.addEventListener("click", (event) => this._clicked(event, onChoose));
    this._canvas.addEventListener("pointermove", (event) => this._hovered(event));
    new ResizeObserver(() => this._redraw()).observe(this._canvas);
    watchColourScheme(() => {
      this._palette = readPalette();
      this._sprites.clear();
      this._redraw();
    });
  }

  /** How many times wider than high the fullest map is: the page's layout does not change with the map that is shown. */
  get aspect() {
    const area = this._areas.get(this._fullestId);
    return area === undefined ? 1 : (area.right - area.left) / (area.top - area.bottom);
  }

  /** Take in a robot's position and looks. */
  show(robot, now) {
    const { position } = robot.view;
    const item = this._items.get(robot.key);
    if (position === null || Math.abs(position.x) > FARTHEST_M || Math.abs(position.y) > FARTHEST_M) {
      this._items.delete(robot.key);
    } else if (item === undefined) {
      this._items.set(robot.key, { robot, track: new Track(position, now) });
    } else {
      item.robot = robot;
      item.track.moveTo(position, now);
    }
    this._isDirty = true;
  }

  /** Forget every robot; the areas stay, so that the map does not jump when a snapshot follows. */
  clear() {
    this._items.clear();
    this._isDirty = true;
  }

  /** Mark a robot (null: none) and show the map it is on. */
  select(key) {
    this._selected = key;
    const item = this._items.get(key);
    if (item !== undefined) this._choose(item.track.mapId);
    this._redraw();
  }

  /** Draw, where something changed; true: call again next frame. */
  draw(now) {
    if (!this._isDirty) return false;
    if (now - this._drawnAt < (this._items.size > MANY ? 2 * FRAME_MS : FRAME_MS)) return true;
    this._drawnAt = now;
    this._isDirty = false;
    this._chooseMap();
    const items = [...this._items.values()].filter(({ track }) => track.mapId === this._mapId);
    this._nothing.hidden = items.length > 0;
    const size = this._fitCanvas();
    if (size.width === 0 || size.height === 0) return false;
    for (const { track } of items) track.fade(now);
    this._isDirty = items.some(({ track }) => track.isGliding(now));
    this._drawMap(items, size, now);
    return this._isDirty;
  }

  /** Trails fade although nothing comes: call once a second. */
  tick() {
    if ([...this._items.values()].some(({ track }) => track.trail.length > 1)) this._isDirty = true;
  }

  _drawMap(items, size, now) {
    const area = areaOf(items.map(({ robot }) => robot.view.position), this._areas.get(this._mapId));
    const context = this._context;
    context.clearRect(0, 0, size.width, size.height);
    this._marks = [];
    if (area == null) return;
    this._areas.set(this._mapId, area);
    const viewport = new Viewport(area, { ...size, padding: PADDING_PX });
    drawGrid(context, viewport, this._palette);
    const isMany = items.length > MANY;
    for (const [tone, trails] of trailsByTone(items, now)) {
      drawTrails(context, viewport, trails, { colour: this._palette[tone], isThin: isMany });
    }
    this._marks = items.map((item) => ({ ...this._markOf(item, viewport, now), scale: isMany ? 0.75 : 1 }));
    const style = { palette: this._palette, sprites: this._sprites };
    this._marks.sort((one, other) => rank(one) - rank(other));
    for (const mark of this._marks) drawMark(context, mark, style);
    drawLabels(context, this._marks.toReversed(), style);
    this._canvas.setAttribute("aria-label", `Map ${mapName(this._mapId)} with ${plural(items.length, "robot")}`);
  }

  _markOf({ robot, track }, viewport, now) {
    const pose = track.poseAt(now);
    const hasAlarm = robot.status.level !== null && !robot.status.isLost;
    return {
      ...viewport.place(pose),
      theta: pose.theta,
      key: robot.key,
      tone: toneOf(robot),
      alarm: hasAlarm ? (ALARM_TONES[robot.status.level] ?? "bad") : null,
      label: robot.serialNumber,
      isSelected: robot.key === this._selected,
    };
  }

  /** Keep to the chosen map while it has robots, else take the fullest one; write the buttons. */
  _chooseMap() {
    const counts = new Map();
    for (const { track } of this._items.values()) counts.set(track.mapId, (counts.get(track.mapId) ?? 0) + 1);
    const most = Math.max(...counts.values());
    if (counts.size > 0 && counts.get(this._fullestId) !== most) {
      this._fullestId = [...counts].find(([, count]) => count === most)[0];
    }
    if (!counts.has(this._mapId)) this._isChosen = false;
    if (!this._isChosen) this._mapId = this._fullestId;
    this._showTabs([...counts].sort(([one], [other]) => mapName(one).localeCompare(mapName(other))));
  }

  _showTabs(counts) {
    const isSame =
      counts.length === this._tabs.childElementCount &&
      counts.every(([mapId], index) => this._tabs.children[index].mapId === mapId);
    if (!isSame) this._tabs.replaceChildren(...counts.map(([mapId]) => this._newTab(mapId)));
    counts.forEach(([mapId, count], index) => {
      const tab = this._tabs.children[index];
      tab.setAttribute("aria-pressed", String(mapId === this._mapId));
      setText(tab.lastChild, String(count));
    });
  }

  _newTab(mapId) {
    const tab = element("button", "tab");
    tab.type = "button";
    tab.mapId = mapId;
    tab.append(element("bdi", "", mapName(mapId)), element("span", "count"));
    tab.addEventListener("click", () => {
      this._choose(mapId);
      this._redraw();
    });
    return tab;
  }

  _choose(mapId) {
    this._mapId = mapId;
    this._isChosen = true;
  }

  _redraw() {
    this._isDirty = true;
    this._requestDraw();
  }

  /** Give the canvas as many pixels as the screen has there; returns its size in CSS pixels. */
  _fitCanvas() {
    const { clientWidth: width, clientHeight: height } = this._canvas;
    const ratio = devicePixelRatio;
    this._sprites.setRatio(ratio);
    if (this._canvas.width !== Math.round(width * ratio) || this._canvas.height !== Math.round(height * ratio)) {
      this._canvas.width = Math.round(width * ratio);
      this._canvas.height = Math.round(height * ratio);
    }
    this._context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return { width, height };
  }

  _markAt(event) {
    const near = (mark) => Math.hypot(mark.x - event.offsetX, mark.y - event.offsetY);
    return this._marks.filter((mark) => near(mark) <= HIT_PX).sort((one, other) => near(one) - near(other))[0];
  }

  _clicked(event, onChoose) {
    const mark = this._markAt(event);
    if (mark !== undefined) onChoose(mark.key);
  }

  _hovered(event) {
    const mark = this._markAt(event);
    this._canvas.style.cursor = mark === undefined ? "" : "pointer";
    this._canvas.title = mark === undefined ? "" : plain(mark.key);
  }
}

function toneOf({ status }) {
  if (status.isLost) return "lost";
  if (status.activity === "stopped") return "bad";
  return status.activity ?? "idle";
}

function trailsByTone(items, now) {
  const byTone = new Map();
  for (const { robot, track } of items) {
    const trail = track.trailTo(now);
    if (trail.length < 2) continue;
    const tone = toneOf(robot);
    if (!byTone.has(tone)) byTone.set(tone, []);
    byTone.get(tone).push(trail);
  }
  return byTone;
}

/** Drawn later, that is on top: what needs a person. */
function rank(mark) {
  return (mark.isSelected ? 4 : 0) + (mark.alarm !== null ? 2 : 0) + (mark.tone === "lost" ? 0 : 1);
}

function mapName(mapId) {
  return mapId ?? "no map";
}
