/* What the gateway has for each map: a layout (LIF) and a floor plan, loaded when the map is first looked at.
 *
 * Reads `GET /maps` and what it names; gives `groundOf(mapId)` -> { plan, layout, version } at once, both null until they are
 * there, and calls `onChange` when one came, changed or went. Looks again every REFRESH_MS: others may have uploaded.
 */

import { FloorPlan } from "./floor_plan.js";
import { readLayout } from "./layout.js";

const REFRESH_MS = 60_000;
const NOTHING = { plan: null, layout: null, version: 0 };

export class Site {
  constructor({ onChange }) {
    this.maps = {}; // as GET /maps tells them
    this.canEdit = false; // whether who looks at the page may change them
    this._grounds = new Map(); // map id -> { plan, layout, version, planDigest, layoutDigest }
    this._onChange = onChange;
    this._wanted = new Set();
  }

  /** Look at what there is, now and from time to time. */
  start() {
    this.refresh();
    setInterval(() => document.hidden || this.refresh(), REFRESH_MS);
  }

  /** Look again; never fails: without an answer all stays as it is. */
  async refresh() {
    const answer = await ask("maps");
    if (answer === null) return;
    const { maps, may_change: mayChange } = await answer.json();
    this.maps = maps;
    this.canEdit = mayChange;
    await Promise.all([...this._wanted].map((mapId) => this._load(mapId)));
    this._onChange();
  }

  groundOf(mapId) {
    if (mapId === null || mapId === undefined) return NOTHING;
    if (!this._wanted.has(mapId)) {
      this._wanted.add(mapId);
      this._load(mapId).then(this._onChange);
    }
    return this._grounds.get(mapId) ?? NOTHING;
  }

  /** The points in metres that a map's ground takes up. */
  pointsOf(mapId) {
    const { plan, layout } = this.groundOf(mapId);
    return [...(plan?.points ?? []), ...(layout?.points ?? [])];
  }

  async _load(mapId) {
    const told = Object.hasOwn(this.maps, mapId) ? this.maps[mapId] : { layout: null, floor_plan: null };
    const ground = this._grounds.get(mapId) ?? { ...NOTHING, planDigest: null, layoutDigest: null };
    this._grounds.set(mapId, ground);
    const [layoutDigest, planDigest] = [told.layout?.digest ?? null, JSON.stringify(told.floor_plan)];
    if (layoutDigest !== ground.layoutDigest) {
      ground.layoutDigest = layoutDigest;
      ground.layout = told.layout === null ? null : await loadLayout(mapId);
      ground.version += 1;
    }
    if (planDigest !== ground.planDigest) {
      ground.planDigest = planDigest;
      ground.plan = told.floor_plan === null ? null : await loadPlan(mapId, told.floor_plan);
      ground.version += 1;
    }
  }
}

/** The address of a map's layout or floor plan. */
export function addressOf(mapId, what) {
  return new URL(`maps/${encodeURIComponent(mapId)}/${what}`, document.baseURI);
}

async function loadLayout(mapId) {
  const answer = await ask(addressOf(mapId, "layout"));
  return answer === null ? null : readLayout(await answer.json());
}

async function loadPlan(mapId, facts) {
  const address = addressOf(mapId, "floor-plan");
  address.searchParams.set("digest", facts.digest); // so that a newer plan is not taken from the cache
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
  } catch {
    return null;
  }
  return new FloorPlan(image, facts);
}

async function ask(address) {
  try {
    const answer = await fetch(new URL(address, document.baseURI));
    return answer.ok ? answer : null;
  } catch {
    return null;
  }
}
