/* Zones of 3.0 robots: an area with rules of its own, hatched or tinted by what it means, with its kind in words. */

import { write } from "./labels.js";
import { traceLine } from "./orders.js";

const TONES = { BLOCKED: "bad", SPEED_LIMIT: "warn", PENALTY: "warn", RELEASE: "paused", COORDINATED_REPLANNING: "paused" };
const NAMES_FROM_PX = 70;
const READ_MS = 1_000;

/** `zones`: { id, type, vertices: [{ x, y }] }, each once. */
export function drawZones(context, zones, { camera, palette }) {
  for (const zone of zones) {
    const colour = palette[TONES[zone.type] ?? "accent"];
    context.beginPath();
    traceLine(context, zone.vertices, camera);
    context.closePath();
    context.globalAlpha = 0.13;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
    context.setLineDash(zone.type === "BLOCKED" ? [] : [6, 4]);
    context.lineWidth = 2;
    context.strokeStyle = colour;
    context.stroke();
    context.setLineDash([]);
    name(context, zone, { camera, palette, colour });
  }
}

/** Reads the zones of a map from time to time: many robots tell the same ones, and they rarely change. */
export class ZoneReader {
  constructor() {
    this._known = { list: [], version: 0 };
    this._readAt = -Infinity;
    this._mapId = undefined;
  }

  /** Give { list, version }; the version changes with the list. */
  read(items, mapId, now) {
    if (mapId === this._mapId && now - this._readAt < READ_MS) return this._known;
    this._readAt = now;
    this._mapId = mapId;
    const list = zonesOn(items.map(({ figure }) => figure), mapId);
    if (JSON.stringify(list) !== JSON.stringify(this._known.list)) {
      this._known = { list, version: this._known.version + 1 };
    }
    return this._known;
  }
}

/** The zones of all robots that lie on a map, each once: robots of a fleet share them. */
function zonesOn(figures, mapId) {
  const zones = new Map();
  for (const figure of figures) {
    for (const set of figure.zoneSets ?? []) {
      if (set.map_id !== null && set.map_id !== mapId) continue;
      for (const zone of set.zones ?? []) {
        const vertices = (zone.vertices ?? []).filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
        const key = `${set.zone_set_id}\n${zone.zone_id}`;
        if (vertices.length > 2 && !zones.has(key)) zones.set(key, { id: zone.zone_id, type: zone.type, vertices });
      }
    }
  }
  return [...zones.values()];
}

function name(context, zone, { camera, palette, colour }) {
  const lefts = zone.vertices.map(({ x }) => camera.toX(x));
  const tops = zone.vertices.map(({ y }) => camera.toY(y));
  const [left, right] = [Math.min(...lefts), Math.max(...lefts)];
  if (right - left < NAMES_FROM_PX) return;
  context.save();
  context.translate((left + right) / 2, Math.min(...tops) + 11);
  write(context, (zone.type ?? "ZONE").replaceAll("_", " ").toLowerCase(), { colour, halo: palette.surface });
  context.restore();
}
