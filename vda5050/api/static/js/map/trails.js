/* Where robots came from: a line that fades. Drawn on a 2D context; many are drawn thin, because a line of one pixel costs a
 * tenth of a wider one and wide ones between many robots only clutter. */

/** `trails`: arrays of points in metres, the oldest first, all of one colour. */
export function drawTrails(context, trails, { camera, colour, isThin }) {
  context.strokeStyle = colour;
  context.lineWidth = isThin ? 1 : 2.5;
  context.lineJoin = "round";
  for (const [alpha, part] of isThin ? [[0.45, whole]] : [[0.16, olderHalf], [0.4, newerHalf]]) {
    context.globalAlpha = alpha;
    for (const trail of trails) {
      context.beginPath();
      for (const point of part(trail)) context.lineTo(camera.toX(point.x), camera.toY(point.y));
      context.stroke();
    }
  }
  context.globalAlpha = 1;
}

function whole(trail) {
  return trail;
}

function olderHalf(trail) {
  return trail.slice(0, (trail.length >> 1) + 1);
}

function newerHalf(trail) {
  return trail.slice(trail.length >> 1);
}
