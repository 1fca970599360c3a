/* Which robot is meant by a place on the screen: the nearest one within reach of a finger. Pure. */

const REACH_PX = 20;

/** The mark (see robots.js) nearest to (left, top), or undefined. */
export function markAt(marks, left, top) {
  let [nearest, least] = [undefined, REACH_PX];
  for (const mark of marks) {
    const distance = Math.hypot(mark.left - left, mark.top - top);
    if (distance < least) [nearest, least] = [mark, distance];
  }
  return nearest;
}
