/* The canvas and its layers, from the ground up: backdrop (grid, floor plan, layout, zones), ways (orders, trails), robots.
 *
 * The first two are drawn on canvases of their own and copied, the backdrop again only when what it shows or the camera
 * changed, the ways at most every WAYS_MS while it does not. Robots are drawn anew each time. `draw` takes what there is and gives the
 * robots' marks as they stand on the screen, the most important one first.
 */

import { FloorPlan } from "./floor_plan.js";
import { drawGrid, drawRuler, drawScaleBar } from "./grid.js";
import { drawLabels } from "./labels.js";
import { drawLayout } from "./layout.js";
import { drawThinWays, drawWay } from "./orders.js";
import { drawPaths } from "./paths.js";
import { drawRobots, outlineOf } from "./robots.js";
import { Sprites } from "./sprites.js";
import { drawTrails } from "./trails.js";
import { drawZones } from "./zones.js";

const WAYS_MS = 200;
const WAYS_SHARE = 8; // the ways take at most an eighth of the time
const MANY = 100; // robots on one map: more are drawn smaller, with thin trails
const MARGIN_PX = 60;

/** What can be switched off, in the order of the menu. */
export const PARTS = ["labels", "orders", "trails", "paths", "zones", "layout", "plan", "grid"];

export class Layers {
  constructor(canvas) {
    this._canvas = canvas;
    this._context = canvas.getContext("2d");
    this._backdrop = new Layer();
    this._ways = new Layer();
    this._waysAt = -Infinity;
    this._waysCost = 0; // milliseconds
    this._sprites = new Sprites();
  }

  /** Forget every drawing: the colours changed. */
  clear() {
    this._sprites.clear();
    this._backdrop.key = this._ways.key = null;
  }

  /** Give the canvas as many pixels as the screen has there, and the camera its size in CSS pixels. */
  fit(camera) {
    const { clientWidth: width, clientHeight: height } = this._canvas;
    this._ratio = devicePixelRatio;
    this._sprites.setRatio(this._ratio);
    camera.resize(width, height);
    for (const canvas of [this._canvas, this._backdrop.canvas, this._ways.canvas]) resize(canvas, camera, this._ratio);
  }

  /** `scene`: { items, mapId, ground: { plan, layout, version }, zones, selectedKey, parts: Set, version, now }. */
  draw(scene, { camera, palette }) {
    const tools = { camera, palette, sprites: this._sprites, mapId: scene.mapId };
    const marks = this._marksOf(scene, camera);
    this._drawBackdrop(scene, tools);
    this._drawWays(scene, tools, marks);
    const context = this._context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this._backdrop.canvas, 0, 0);
    context.drawImage(this._ways.canvas, 0, 0);
    context.setTransform(this._ratio, 0, 0, this._ratio, 0, 0);
    const selected = marks.find((mark) => mark.isSelected);
    if (selected !== undefined) this._drawSelected(context, selected, { scene, tools });
    drawRobots(context, marks.toReversed(), tools);
    if (scene.parts.has("labels")) drawLabels(context, marks, tools);
    return marks;
  }

  _marksOf({ items, selectedKey, now }, camera) {
    const scale = items.length > MANY && camera.scale < 8 ? 0.8 : 1;
    const [right, bottom] = [camera.width + MARGIN_PX, camera.height + MARGIN_PX];
    const marks = [];
    for (const { figure, track } of items) {
      const pose = track.poseAt(now);
      const [left, top] = [camera.toX(pose.x), camera.toY(pose.y)];
      if (left < -MARGIN_PX || left > right || top < -MARGIN_PX || top > bottom) continue;
      const outline = outlineOf(figure, camera.scale);
      marks.push({ left, top, pose, figure, track, outline, scale, isSelected: figure.key === selectedKey });
    }
    return marks.sort((one, other) => rank(other) - rank(one));
  }

  _drawBackdrop({ ground, zones, parts, mapId, version }, { camera, palette }) {
    const key = `${camera.version} ${ground.version} ${zones.version} ${version} ${mapId}`;
    const context = this._backdrop.start(key, this._ratio);
    if (context === null) return;
    context.fillStyle = palette.surface;
    context.fillRect(0, 0, camera.width, camera.height);
    if (ground.plan instanceof FloorPlan && parts.has("plan")) ground.plan.draw(context, camera, palette);
    if (parts.has("grid")) drawGrid(context, camera, palette);
    if (parts.has("zones")) drawZones(context, zones.list, { camera, palette });
    if (ground.layout !== null && parts.has("layout")) drawLayout(context, ground.layout, { camera, palette });
    if (parts.has("grid")) drawRuler(context, camera, palette);
    drawScaleBar(context, camera, palette);
  }

  _drawWays({ items, parts, version, mapId, selectedKey, now }, { camera, palette }, marks) {
    const isDue = now - this._waysAt >= Math.max(WAYS_MS, WAYS_SHARE * this._waysCost);
    const key = `${camera.version} ${version} ${mapId} ${selectedKey} ${isDue ? now : this._waysAt}`;
    const context = this._ways.start(key, this._ratio);
    if (context === null) return;
    if (isDue) this._waysAt = now;
    context.clearRect(0, 0, camera.width, camera.height);
    const isThin = items.length > MANY;
    if (parts.has("trails")) {
      for (const [tone, trails] of trailsByTone(marks, now)) {
        drawTrails(context, trails, { camera, colour: palette[tone] ?? palette.idle, isThin });
      }
    }
    if (parts.has("orders")) {
      const ways = items
        .filter(({ figure }) => figure.path !== null && figure.key !== selectedKey)
        .map(({ figure, track }) => ({ path: figure.path, pose: track.reported }));
      drawThinWays(context, ways, { camera, palette, mapId });
    }
    this._waysCost = performance.now() - now;
  }

  _drawSelected(context, { figure, pose }, { scene, tools }) {
    if (scene.parts.has("paths")) drawPaths(context, figure.paths, tools);
    if (figure.path !== null) drawWay(context, { path: figure.path, pose }, tools);
  }
}

/** An offscreen canvas that is drawn again only under another key. */
class Layer {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.key = null;
    this._context = this.canvas.getContext("2d");
  }

  /** The context to draw on in CSS pixels, or null where the drawing still fits. */
  start(key, ratio) {
    const whole = `${key} ${this.canvas.width} ${this.canvas.height}`;
    if (whole === this.key) return null;
    this.key = whole;
    this._context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return this._context;
  }
}

function resize(canvas, { width, height }, ratio) {
  const [pixelsX, pixelsY] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== pixelsX) canvas.width = pixelsX;
  if (canvas.height !== pixelsY) canvas.height = pixelsY;
}

function trailsByTone(marks, now) {
  const byTone = new Map();
  for (const { figure, track, pose } of marks) {
    const past = track.pastTo(now);
    if (past.length === 0) continue;
    if (!byTone.has(figure.tone)) byTone.set(figure.tone, []);
    byTone.get(figure.tone).push([...past, pose]);
  }
  return byTone;
}

/** What needs a person goes before all else; what is lost comes last. */
function rank({ isSelected, figure }) {
  return (isSelected ? 8 : 0) + (figure.alarm === "bad" ? 4 : 0) + (figure.alarm === "warn" ? 2 : 0) + (figure.tone === "lost" ? 0 : 1);
}
