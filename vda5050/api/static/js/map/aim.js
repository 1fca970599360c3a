/* Where the camera looks: at all there is until a person moves it, at a robot that is followed, or where it was left.
 *
 * `point` is called before each drawing. A view is what an address tells: { x, y, zoom }, metres and pixels a metre, all null
 * while the camera looks at all there is.
 */

import { areaOf, holds, union } from "./area.js";
import { Camera } from "./camera.js";

const PADDING_PX = 44;
const NEAR = 12; // pixels a metre: at least so near is a robot that was chosen where it cannot be seen
const MOST_WAYS = 50; // robots whose orders are fitted into the picture, too

export class Aim {
  constructor() {
    this.camera = new Camera();
    this.followed = null; // the key of a robot
    this._isAuto = true;
    this._fitted = null; // the area that is looked at; it only grows, so that the map does not swim
  }

  /** Look at all there is, and go on doing so. */
  fit() {
    this._isAuto = true;
    this.followed = null;
    this._fitted = null;
  }

  /** Another map is shown: nothing is known of its size. */
  forgetArea() {
    this._fitted = null;
  }

  /** Keep a robot in the middle; null: no longer. */
  follow(key) {
    this.followed = key;
    if (key === null) return;
    if (this._isAuto) this.camera.setScale(Math.max(this.camera.scale, NEAR));
    this._isAuto = false;
  }

  pan(right, down) {
    this._isAuto = false;
    this.followed = null;
    this.camera.panBy(right, down);
  }

  /** Zoom at a place of the canvas; a robot that is followed stays in the middle. */
  zoom(left, top, factor) {
    this._isAuto = false;
    if (this.followed === null) this.camera.zoomAt(left, top, factor);
    else this.camera.setScale(this.camera.scale * factor);
  }

  /** Look so that a place can be seen. */
  bringIntoSight(place) {
    if (this._isAuto || holds(this.camera.seen(-PADDING_PX), place)) return;
    this.camera.setScale(Math.max(this.camera.scale, NEAR));
    this.camera.moveTo(place.x, place.y);
  }

  /** `items`: the robots of this map, see scene.js; `ground`: points of its layout and plan. */
  point(items, ground, now) {
    const followed = this.followed === null ? undefined : items.find(({ figure }) => figure.key === this.followed);
    if (followed !== undefined) {
      const { x, y } = followed.track.poseAt(now);
      this.camera.moveTo(x, y);
    } else if (this._isAuto) {
      this._fitted = union(this._fitted, areaOf([...placesOf(items), ...ground]));
      if (this._fitted !== null) this.camera.fit(this._fitted, PADDING_PX);
    }
  }

  get view() {
    const { x, y, scale } = this.camera;
    return this._isAuto ? { x: null, y: null, zoom: null } : { x, y, zoom: scale };
  }

  set view({ x, y, zoom }) {
    if (![x, y, zoom].every(Number.isFinite)) return;
    this._isAuto = false;
    this.camera.setScale(zoom);
    this.camera.moveTo(x, y);
  }
}

function placesOf(items) {
  const places = items.map(({ track }) => track.reported);
  if (items.length > MOST_WAYS) return places;
  return places.concat(items.flatMap(({ figure }) => figure.path?.stops ?? []));
}
