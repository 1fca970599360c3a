/* The grid: a line every 1, 2 or 5 metres (or tens of them), the axes, numbers along the rim, and a bar that says how
 * long a step is. Drawn on a 2D context in CSS pixels. */

const FONT = "10px system-ui, sans-serif";
const STEPS = [1, 2, 5];
const LEAST_PX = 56;
const MOST_LINES = 300;
const BAR_LEFT = 14;

export function drawGrid(context, camera, palette) {
  const step = gridStep(camera.scale);
  const seen = camera.seen();
  const xs = multiples(step, seen.left, seen.right);
  const ys = multiples(step, seen.bottom, seen.top);
  context.lineWidth = 1;
  for (const [colour, isWanted] of [[palette.grid, (at) => at !== 0], [palette.axis, (at) => at === 0]]) {
    context.beginPath();
    for (const at of xs.filter(isWanted)) line(context, [crisp(camera.toX(at)), 0], [crisp(camera.toX(at)), camera.height]);
    for (const at of ys.filter(isWanted)) line(context, [0, crisp(camera.toY(at))], [camera.width, crisp(camera.toY(at))]);
    context.strokeStyle = colour;
    context.stroke();
  }
}

/** Numbers in metres along the upper and the right rim: y up, as the standard has it. */
export function drawRuler(context, camera, palette) {
  const step = 2 * gridStep(camera.scale);
  const seen = camera.seen();
  context.font = FONT;
  context.fillStyle = palette.muted;
  context.textBaseline = "top";
  context.textAlign = "center";
  for (const at of multiples(step, seen.left, seen.right)) {
    const left = camera.toX(at);
    if (left > 20 && left < camera.width - 40) number(context, metres(at), { left, top: 4, halo: palette.surface });
  }
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (const at of multiples(step, seen.bottom, seen.top)) {
    const top = camera.toY(at);
    if (top > 20 && top < camera.height - 40) number(context, metres(at), { left: 4, top, halo: palette.surface });
  }
}

/** A bar at the lower left that is as long as a step of the grid. */
export function drawScaleBar(context, camera, palette) {
  const step = gridStep(camera.scale);
  const right = BAR_LEFT + step * camera.scale;
  const bottom = camera.height - 12.5;
  const text = step >= 1000 ? `${step / 1000} km` : `${metres(step)} m`;
  context.font = `11px system-ui, sans-serif`;
  for (const [colour, width] of [[palette.surface, 5], [palette.muted, 1.5]]) {
    context.beginPath();
    context.moveTo(BAR_LEFT, bottom - 5);
    context.lineTo(BAR_LEFT, bottom);
    context.lineTo(right, bottom);
    context.lineTo(right, bottom - 5);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  context.lineWidth = 3;
  context.strokeStyle = palette.surface;
  context.strokeText(text, right + 6, bottom + 1);
  context.fillStyle = palette.muted;
  context.fillText(text, right + 6, bottom + 1);
}

/** The length of a step in metres: 1, 2 or 5 times a power of ten, LEAST_PX wide or a little more. */
export function gridStep(scale) {
  const wanted = LEAST_PX / scale;
  const power = 10 ** Math.floor(Math.log10(wanted));
  return (STEPS.find((step) => step * power >= wanted) ?? 10) * power;
}

function number(context, text, { left, top, halo }) {
  context.lineWidth = 3;
  context.strokeStyle = halo;
  context.strokeText(text, left, top);
  context.fillText(text, left, top);
}

function multiples(step, from, to) {
  const first = Math.ceil(from / step);
  const count = Math.min(MOST_LINES, Math.max(0, Math.floor(to / step) - first + 1)); // far from 0 a step may add nothing
  return Array.from({ length: count }, (_, index) => (first + index) * step);
}

function metres(value) {
  return String(Number(value.toPrecision(6)));
}

function line(context, from, to) {
  context.moveTo(...from);
  context.lineTo(...to);
}

/** The middle of a pixel, so that a line of one pixel is one pixel. */
function crisp(pixel) {
  return Math.round(pixel - 0.5) + 0.5;
}
