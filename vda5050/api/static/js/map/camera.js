/* World metres (y up) <-> canvas pixels (y down), as a camera that pans and zooms. Pure.
 *
 * Holds the point in the canvas's middle and how many CSS pixels a metre has. `version` changes whenever what is seen
 * does, so that a layer knows whether its drawing still fits.
 */

const LEAST_SCALE = 0.02; // pixels a metre: 50 km on a desktop's screen
const MOST_SCALE = 400;
const FARTHEST_M = 1e7; // no hall is larger than the earth; beyond it a canvas gets lost

export class Camera {
  constructor() {
    this.x = 0;
    this.y = 0;
    this.scale = 20;
    this.width = 0;
    this.height = 0;
    this.version = 0;
  }

  /** Metres -> pixels from the left. */
  toX(x) {
    return this.width / 2 + (x - this.x) * this.scale;
  }

  /** Metres -> pixels from the top. */
  toY(y) {
    return this.height / 2 - (y - this.y) * this.scale;
  }

  /** Pixels -> { x, y } in metres. */
  toWorld(left, top) {
    return { x: this.x + (left - this.width / 2) / this.scale, y: this.y - (top - this.height / 2) / this.scale };
  }

  /** What is seen: { left, right, bottom, top } in metres, `margin` pixels more on each side. */
  seen(margin = 0) {
    const halfX = (this.width / 2 + margin) / this.scale;
    const halfY = (this.height / 2 + margin) / this.scale;
    return { left: this.x - halfX, right: this.x + halfX, bottom: this.y - halfY, top: this.y + halfY };
  }

  resize(width, height) {
    this._set({ width, height });
  }

  moveTo(x, y) {
    this._set({ x: within(x, -FARTHEST_M, FARTHEST_M), y: within(y, -FARTHEST_M, FARTHEST_M) });
  }

  setScale(scale) {
    this._set({ scale: within(scale, LEAST_SCALE, MOST_SCALE) });
  }

  /** Move what is seen with a finger or mouse that went so many pixels. */
  panBy(right, down) {
    this.moveTo(this.x - right / this.scale, this.y + down / this.scale);
  }

  /** Zoom while the place under (left, top) stays where it is. */
  zoomAt(left, top, factor) {
    const place = this.toWorld(left, top);
    this.setScale(this.scale * factor);
    this.moveTo(
      place.x - (left - this.width / 2) / this.scale,
      place.y + (top - this.height / 2) / this.scale,
    );
  }

  /** Show an area as large as it fits, with `padding` pixels around. Without a size yet it does nothing. */
  fit(area, padding) {
    const [width, height] = [this.width - 2 * padding, this.height - 2 * padding];
    if (width <= 0 || height <= 0) return;
    this.setScale(Math.min(width / (area.right - area.left), height / (area.top - area.bottom)));
    this.moveTo((area.left + area.right) / 2, (area.bottom + area.top) / 2);
  }

  _set(changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (!Number.isFinite(value) || this[name] === value) continue;
      this[name] = value;
      this.version += 1;
    }
  }
}

function within(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
