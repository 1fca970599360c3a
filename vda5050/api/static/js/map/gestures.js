/* Mouse, wheel, fingers and keys -> what the map should do.
 *
 * Takes the canvas; calls back with `onPan(right, down)` in pixels, `onZoom(left, top, factor)`, `onTap(left, top)`,
 * `onHover(left, top)` (null, null when the pointer leaves), `onKey(name)` for keys that are not about the camera. Two
 * fingers pan and zoom at once. A press that hardly moved is a tap.
 */

const TAP_PX = 6;
const KEY_PAN_PX = 60;
const KEY_ZOOM = 1.4;
const WHEEL_ZOOM = 1.0015; // a pixel of wheel; a notch has 100 to 120
const LINE_PX = 30; // a line of wheel, where the browser counts in lines
const MOST_WHEEL_PX = 300; // a wheel that spins freely must not fly off
const NUDGES = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Gestures {
  constructor(canvas, callbacks) {
    this._canvas = canvas;
    this._callbacks = callbacks;
    this._pointers = new Map(); // id -> { left, top } as seen last
    this._isTap = false;
    this._start = null;
    canvas.addEventListener("pointerdown", (event) => this._down(event));
    canvas.addEventListener("pointermove", (event) => this._move(event));
    canvas.addEventListener("pointerup", (event) => this._up(event));
    canvas.addEventListener("pointercancel", (event) => this._forget(event));
    canvas.addEventListener("pointerleave", () => callbacks.onHover(null, null));
    canvas.addEventListener("wheel", (event) => this._wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this._key(event));
  }

  _down(event) {
    if (event.button !== 0) return;
    this._canvas.setPointerCapture(event.pointerId);
    this._pointers.set(event.pointerId, placeOf(event));
    this._isTap = this._pointers.size === 1;
    this._start = placeOf(event);
  }

  _move(event) {
    const before = this._pointers.get(event.pointerId);
    const here = placeOf(event);
    if (before === undefined) {
      if (event.pointerType === "mouse") this._callbacks.onHover(here.left, here.top);
      return;
    }
    if (this._isTap && distance(this._start, here) < TAP_PX) return;
    const from = this._isTap ? this._start : before;
    this._isTap = false;
    const other = [...this._pointers].find(([id]) => id !== event.pointerId)?.[1];
    this._pointers.set(event.pointerId, here);
    if (other === undefined) {
      this._callbacks.onPan(here.left - from.left, here.top - from.top);
    } else {
      const [middle, middleBefore] = [middleOf(here, other), middleOf(from, other)];
      this._callbacks.onPan(middle.left - middleBefore.left, middle.top - middleBefore.top);
      const factor = distance(here, other) / Math.max(1, distance(from, other));
      if (factor > 0) this._callbacks.onZoom(middle.left, middle.top, factor);
    }
  }

  _up(event) {
    const isTap = this._isTap && this._pointers.size === 1 && this._pointers.has(event.pointerId);
    this._forget(event);
    if (isTap) this._callbacks.onTap(event.offsetX, event.offsetY);
  }

  _forget(event) {
    this._pointers.delete(event.pointerId);
    this._isTap = false;
  }

  _wheel(event) {
    event.preventDefault();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * LINE_PX : event.deltaY;
    const bounded = Math.min(Math.max(pixels, -MOST_WHEEL_PX), MOST_WHEEL_PX);
    this._callbacks.onZoom(event.offsetX, event.offsetY, WHEEL_ZOOM ** -bounded);
  }

  _key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const [middleX, middleY] = [this._canvas.clientWidth / 2, this._canvas.clientHeight / 2];
    const nudge = NUDGES[event.key];
    if (nudge !== undefined) this._callbacks.onPan(nudge[0] * KEY_PAN_PX, nudge[1] * KEY_PAN_PX);
    else if (event.key === "+" || event.key === "=") this._callbacks.onZoom(middleX, middleY, KEY_ZOOM);
    else if (event.key === "-") this._callbacks.onZoom(middleX, middleY, 1 / KEY_ZOOM);
    else if (!this._callbacks.onKey(event.key)) return;
    event.preventDefault();
    event.stopPropagation(); // the page has keys of its own
  }
}

function placeOf(event) {
  return { left: event.offsetX, top: event.offsetY };
}

function distance(one, other) {
  return Math.hypot(one.left - other.left, one.top - other.top);
}

function middleOf(one, other) {
  return { left: (one.left + other.left) / 2, top: (one.top + other.top) / 2 };
}
