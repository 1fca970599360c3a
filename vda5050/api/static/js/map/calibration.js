/* Where an image lies, worked out from two of its points whose places on the map are known. Pure.
 *
 * A point is { left, top, x, y }: pixels from the image's upper left corner, metres on the map. Gives what the gateway takes:
 * { metres_per_pixel, origin_x, origin_y, rotation } of the lower left corner; null where the two points are one.
 */

export function placementOf([one, other], imageHeight) {
  const [right, up] = [other.left - one.left, one.top - other.top];
  const [east, north] = [other.x - one.x, other.y - one.y];
  const [pixels, metres] = [Math.hypot(right, up), Math.hypot(east, north)];
  if (!(pixels > 0) || !(metres > 0)) return null;
  const scale = metres / pixels;
  const rotation = Math.atan2(north, east) - Math.atan2(up, right);
  const [fromLeft, fromBottom] = [one.left * scale, (imageHeight - one.top) * scale];
  return {
    metres_per_pixel: scale,
    origin_x: one.x - fromLeft * Math.cos(rotation) + fromBottom * Math.sin(rotation),
    origin_y: one.y - fromLeft * Math.sin(rotation) - fromBottom * Math.cos(rotation),
    rotation: Math.atan2(Math.sin(rotation), Math.cos(rotation)),
  };
}
