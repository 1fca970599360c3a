/* The area that points take up, for fitting the map to them. Pure.
 *
 * An area is { left, right, bottom, top } in metres. A robot that claims to be far from all others does not make the rest
 * small: it is left out.
 */

const SMALLEST_SPAN_M = 12;
const MARGIN_M = 1.5;
const OUTLIER_FACTOR = 12; // times the typical distance from the middle
const OUTLIER_SLACK_M = 100;

/** The area around points { x, y }, or null without any. */
export function areaOf(points) {
  const near = withoutOutliers(points);
  if (near.length === 0) return null;
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of near) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    bottom = Math.min(bottom, y);
    top = Math.max(top, y);
  }
  const [lackX, lackY] = [lack(right - left), lack(top - bottom)];
  return { left: left - lackX, right: right + lackX, bottom: bottom - lackY, top: top + lackY };
}

/** The smallest area that holds both; either may be null. */
export function union(one, other) {
  if (one === null || other === null) return one ?? other;
  return {
    left: Math.min(one.left, other.left),
    right: Math.max(one.right, other.right),
    bottom: Math.min(one.bottom, other.bottom),
    top: Math.max(one.top, other.top),
  };
}

/** Whether a point lies in an area. */
export function holds(area, { x, y }) {
  return x >= area.left && x <= area.right && y >= area.bottom && y <= area.top;
}

/** Whether two areas have a place in common. */
export function meet(one, other) {
  return one.left <= other.right && one.right >= other.left && one.bottom <= other.top && one.top >= other.bottom;
}

function lack(span) {
  return Math.max(MARGIN_M, (SMALLEST_SPAN_M - span) / 2);
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
