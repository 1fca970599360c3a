/* Trajectories: non-uniform rational B-splines as VDA 5050 and LIF write them (2.1.0, section 6.6.4). Pure.
 *
 * A trajectory is { degree, knots, points: [{ x, y, weight }] }: degree and weights default to 1, there are points + degree + 1
 * knots that never fall. Where a robot sends knots that cannot be, the curve is drawn through its control polygon, which
 * is near it; where it sends none (3.0 allows that), they are clamped and uniform.
 */

const MOST_POINTS = 2_000; // of one trajectory; what is beyond is cut off
const MOST_STEPS = 400;
const STEPS_A_SPAN = 12;

/** The curve as points { x, y }, close enough for drawing. */
export function curveOf({ degree, knots, points }) {
  const control = points.slice(0, MOST_POINTS);
  const order = degree ?? 1;
  if (control.length < 3 || order <= 1) return control.map(({ x, y }) => ({ x, y }));
  const vector = knots === null || knots === undefined ? clampedKnots(control.length, order) : knots;
  if (!isUsable(vector, control.length, order)) return control.map(({ x, y }) => ({ x, y }));
  const [from, to] = [vector[order], vector[control.length]];
  const steps = Math.min(MOST_STEPS, STEPS_A_SPAN * (control.length - order));
  return Array.from({ length: steps + 1 }, (_, step) =>
    pointAt({ degree: order, knots: vector, points: control }, from + ((to - from) * step) / steps),
  );
}

/** The point of the curve at parameter `u` (de Boor's algorithm on weighted points). The knots must be usable. */
export function pointAt({ degree, knots, points }, u) {
  const span = spanOf(knots, { u, degree, count: points.length });
  const work = [];
  for (let index = 0; index <= degree; index += 1) {
    const { x, y, weight } = points[span - degree + index];
    const w = weight ?? 1;
    work.push([x * w, y * w, w]);
  }
  for (let round = 1; round <= degree; round += 1) {
    for (let index = degree; index >= round; index -= 1) {
      const left = knots[span - degree + index];
      const width = knots[span + 1 + index - round] - left;
      const part = width === 0 ? 0 : (u - left) / width;
      for (let axis = 0; axis < 3; axis += 1) {
        work[index][axis] = work[index - 1][axis] * (1 - part) + work[index][axis] * part;
      }
    }
  }
  const [x, y, w] = work[degree];
  return { x: x / w, y: y / w };
}

/** Knots that make the curve begin and end on its first and last control point. */
export function clampedKnots(count, degree) {
  const inner = count - degree;
  return Array.from({ length: count + degree + 1 }, (_, index) => Math.min(Math.max(index - degree, 0), inner) / inner);
}

function isUsable(knots, count, degree) {
  if (!Number.isInteger(degree) || count <= degree || knots.length !== count + degree + 1) return false;
  const rises = knots.every((knot, index) => Number.isFinite(knot) && (index === 0 || knot >= knots[index - 1]));
  return rises && knots[count] > knots[degree];
}

/** The index of the last knot at or below `u` that begins a piece of the curve. */
function spanOf(knots, { u, degree, count }) {
  let span = degree;
  while (span < count - 1 && knots[span + 1] <= u) span += 1;
  while (span > degree && knots[span] === knots[span + 1]) span -= 1;
  return span;
}
