/* World metres (y up) <-> canvas pixels (y down), fitted to where the robots are. Pure.
 *
 * Takes points and the canvas's size; gives a `Viewport`. The fit only ever grows, with some room to spare, so that the map
 * does not swim while robots drive. A robot that claims to be far from all others does not make the rest small:
 * it is left out of the fit, and `place` puts it on the edge.
 */

const SMALLEST_SPAN_M = 10;
const MARGIN = 0.06; // of the span, so that a robot at the rim can go on a little
const OUTLIER_FACTOR = 12; // times the typical distance from the middle
const OUTLIER_SLACK_M = 100;
const STEPS = [1, 2, 5];
const GRID_PX = 56;

/** The area to show: { left, right, bottom, top } in metres, at least `before` where that is given. */
export function areaOf(points, before = null) {
  const inliers = withoutOutliers(points);
  if (inliers.length === 0) return before;
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of inliers) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    bottom = Math.min(bottom, y);
    top = Math.max(top, y);
  }
  if (before !== null && left >= before.left && right <= before.right && bottom >= before.bottom && top <= before.top) {
    return before;
  }
  const marginX = Math.max(1, MARGIN * (right - left));
  const marginY = Math.max(1, MARGIN * (top - bottom));
  const area = widen({ left: left - marginX, right: right + marginX, bottom: bottom - marginY, top: top + marginY });
  return before === null ? area : union(area, before);
}

/** The length of a grid step, in metres: 1, 2 or 5 times a power of ten, about GRID_PX wide. */
export function gridStep(scale) {
  const wanted = GRID_PX / scale;
  const power = 10 ** Math.floor(Math.log10(wanted));
  return (STEPS.find((step) => step * power >= wanted) ?? 10) * power;
}

/** A fitted view of an area on a canvas of `width` x `height` pixels with `padding` pixels around. */
export class Viewport {
  constructor(area, { width, height, padding }) {
    this.width = width;
    this.height = height;
    this.padding = padding;
    const spanX = area.right - area.left;
    const spanY = area.top - area.bottom;
    this.scale = Math.max(1e-9, Math.min((width - 2 * padding) / spanX, (height - 2 * padding) / spanY));
    this._middleX = (area.left + area.right) / 2;
    this._middleY = (area.bottom + area.top) / 2;
  }

  /** Metres to pixels. */
  x(metres) {
    return this.width / 2 + (metres - this._middleX) * this.scale;
  }

  /** Metres to pixels; up is up. */
  y(metres) {
    return this.height / 2 - (metres - this._middleY) * this.scale;
  }

  /** A pose's pixels; what lies outside is put on the edge and `isOutside`. */
  place(pose) {
    const x = this.x(pose.x);
    const y = this.y(pose.y);
    const edge = this.padding / 2;
    const atX = Math.min(Math.max(x, edge), this.width - edge);
    const atY = Math.min(Math.max(y, edge), this.height - edge);
    return { x: atX, y: atY, isOutside: atX !== x || atY !== y };
  }

  /** The visible multiples of `step` metres along x and y: { xs, ys }. */
  gridLines(step) {
    const halfX = this.width / 2 / this.scale;
    const halfY = this.height / 2 / this.scale;
    return {
      xs: multiples(step, this._middleX - halfX, this._middleX + halfX),
      ys: multiples(step, this._middleY - halfY, this._middleY + halfY),
    };
  }
}

function withoutOutliers(points) {
  if (points.length < 3) return points;
  const middleX = median(points.map((point) => point.x));
  const middleY = median(points.map((point) => point.y));
  const distances = points.map(({ x, y }) => Math.hypot(x - middleX, y - middleY));
  const limit = OUTLIER_SLACK_M + OUTLIER_FACTOR * median(distances);
  return points.filter((_, index) => distances[index] <= limit);
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
}

function widen(area) {
  const missingX = Math.max(0, SMALLEST_SPAN_M - (area.right - area.left)) / 2;
  const missingY = Math.max(0, SMALLEST_SPAN_M - (area.top - area.bottom)) / 2;
  return {
    left: area.left - missingX,
    right: area.right + missingX,
    bottom: area.bottom - missingY,
    top: area.top + missingY,
  };
}

function union(one, other) {
  return {
    left: Math.min(one.left, other.left),
    right: Math.max(one.right, other.right),
    bottom: Math.min(one.bottom, other.bottom),
    top: Math.max(one.top, other.top),
  };
}

function multiples(step, from, to) {
  const first = Math.ceil(from / step);
  const count = Math.min(200, Math.max(0, Math.floor(to / step) - first + 1)); // 200: far from 0 a step may add nothing
  return Array.from({ length: count }, (_, index) => (first + index) * step);
}
