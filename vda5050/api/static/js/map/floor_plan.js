/* A floor plan: an image laid on the map by metres per pixel, the place of its lower left corner and a rotation about it.
 *
 * In a dark page a plan drawn on white is turned into light lines on black, once, and kept. Drawn on a 2D context.
 */

const DARK_FILTER = "invert(1) hue-rotate(180deg)";

export class FloorPlan {
  /** `facts`: { metres_per_pixel, origin_x, origin_y, rotation } as the gateway tells them; `image` is loaded. */
  constructor(image, facts) {
    this._image = image;
    this._dark = null;
    this.facts = facts;
  }

  /** The corners in metres, for fitting the map to them. */
  get points() {
    const { metres_per_pixel: scale, origin_x: left, origin_y: bottom, rotation } = this.facts;
    const [width, height] = [this._image.naturalWidth * scale, this._image.naturalHeight * scale];
    const [cos, sin] = [Math.cos(rotation), Math.sin(rotation)];
    return [[0, 0], [width, 0], [width, height], [0, height]].map(([x, y]) => ({
      x: left + x * cos - y * sin,
      y: bottom + x * sin + y * cos,
    }));
  }

  draw(context, camera, { isDark }) {
    const { metres_per_pixel: scale, origin_x: left, origin_y: bottom, rotation } = this.facts;
    const [width, height] = [this._image.naturalWidth, this._image.naturalHeight];
    context.save();
    context.translate(camera.toX(left), camera.toY(bottom));
    context.rotate(-rotation);
    context.scale(scale * camera.scale, scale * camera.scale);
    context.globalAlpha = isDark ? 0.75 : 0.85;
    context.drawImage(isDark ? this._inDark() : this._image, 0, -height, width, height);
    context.restore();
  }

  _inDark() {
    if (this._dark === null) {
      this._dark = document.createElement("canvas");
      this._dark.width = this._image.naturalWidth;
      this._dark.height = this._image.naturalHeight;
      const context = this._dark.getContext("2d");
      context.filter = DARK_FILTER;
      context.drawImage(this._image, 0, 0);
    }
    return this._dark;
  }
}
