/* Small drawings made once and copied many times: where a canvas has no graphics card behind it, copying a few pixels is
 * many times cheaper than filling and stroking the same shape again for each of 500 robots.
 *
 * Takes a key, a size in CSS pixels and a function that draws around the middle (0, 0); gives the drawing. Bounded: when
 * MOST are held, all are made anew.
 */

const MOST = 3_000;

/** A cache of drawings for one screen resolution. */
export class Sprites {
  constructor() {
    this._ratio = 0;
    this._drawings = new Map();
  }

  /** Forget all: the colours changed. */
  clear() {
    this._drawings.clear();
  }

  /** Tell how many device pixels a CSS pixel has; call before drawing. */
  setRatio(ratio) {
    if (ratio === this._ratio) return;
    this._ratio = ratio;
    this.clear();
  }

  /** Copy the drawing `key` to (x, y), its middle, on whole device pixels so that it stays sharp. */
  put(context, key, { x, y, width, height, draw }) {
    const ratio = this._ratio;
    let drawing = this._drawings.get(key);
    if (drawing === undefined) {
      if (this._drawings.size >= MOST) this.clear();
      drawing = make(width, height, { ratio, draw });
      this._drawings.set(key, drawing);
    }
    const left = Math.round(x * ratio - drawing.width / 2) / ratio;
    const top = Math.round(y * ratio - drawing.height / 2) / ratio;
    context.drawImage(drawing, left, top, drawing.width / ratio, drawing.height / ratio);
  }
}

function make(width, height, { ratio, draw }) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.ceil(width * ratio));
  canvas.height = Math.max(1, Math.ceil(height * ratio));
  const context = canvas.getContext("2d");
  context.translate(canvas.width / 2, canvas.height / 2);
  context.scale(ratio, ratio);
  draw(context);
  return canvas;
}
