/* The robots' symbols: shape tells what colour tells. Drawn around (0, 0), y down, heading to the right.
 *
 * The same shapes as in the list: driving an arrow, idle a ring, charging a disc with a bolt, paused one with two bars, bad
 * (it stands still for an error) an octagon with "!", lost a disc with a cross. A nose shows the heading; without a heading
 * there is none, and the arrow is a disc. An alarm is a ring with a small "!".
 */

const ARROW = [[11, 0], [-8, 7.5], [-4, 0], [-8, -7.5]];
const NOSE = [[10.5, 0], [4.5, 4.5], [4.5, -4.5]];
const BOLT = [[1.2, -5], [-3.4, 1], [-0.4, 1], [-1.2, 5], [3.4, -1], [0.4, -1]];
const BANG = [[-1.1, -4.6, 2.2, 5.6], [-1.1, 2.2, 2.2, 2.2]];
const BARS = [[-2.8, -3.2, 1.9, 6.4], [0.9, -3.2, 1.9, 6.4]];
const CROSS = [[-3, -3], [3, 3], [-3, 3], [3, -3]];
const DISC_PX = 6.5;
const OCTAGON = Array.from({ length: 8 }, (_, index) => {
  const angle = ((index + 0.5) * Math.PI) / 4;
  return [7.6 * Math.cos(angle), 7.6 * Math.sin(angle)];
});
const TONES = new Set(["driving", "charging", "paused", "bad", "lost"]);

/** CSS pixels a symbol needs on each side, halo and alarm included. */
export const SYMBOL_PX = 44;

/** Draw a symbol. `look`: { tone, alarm, hasHeading, theta, isSelected }; theta counter-clockwise in radians. */
export function drawSymbol(context, look, palette) {
  const tone = TONES.has(look.tone) ? look.tone : "idle";
  if (look.isSelected) drawRing(context, { radius: 18, width: 3, colour: palette.accent });
  if (look.alarm !== null) drawRing(context, { radius: 13.5, width: 2.5, colour: palette[look.alarm] });
  context.save();
  context.rotate(-look.theta);
  trace(context, tone, look.hasHeading);
  context.restore();
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = palette.surface;
  context.stroke();
  context.fillStyle = palette[tone];
  context.fill();
  drawInside(context, tone, palette.surface);
  if (look.alarm !== null) drawAlarm(context, palette[look.alarm], palette.surface);
}

function trace(context, tone, hasHeading) {
  context.beginPath();
  if (tone === "driving" && hasHeading) {
    polygon(context, ARROW);
    return;
  }
  if (tone === "bad") polygon(context, OCTAGON);
  else context.arc(0, 0, DISC_PX, 0, 2 * Math.PI);
  if (hasHeading) polygon(context, NOSE);
}

function drawInside(context, tone, colour) {
  context.fillStyle = colour;
  context.beginPath();
  if (tone === "charging") polygon(context, BOLT);
  if (tone === "paused") for (const bar of BARS) context.rect(...bar);
  if (tone === "bad") for (const part of BANG) context.rect(...part);
  if (tone === "idle") context.arc(0, 0, 3.6, 0, 2 * Math.PI);
  context.fill();
  if (tone !== "lost") return;
  for (let index = 0; index < CROSS.length; index += 2) {
    context.moveTo(...CROSS[index]);
    context.lineTo(...CROSS[index + 1]);
  }
  context.lineWidth = 2;
  context.strokeStyle = colour;
  context.stroke();
}

function drawAlarm(context, colour, ink) {
  context.beginPath();
  context.arc(11, -11, 6.5, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = ink;
  context.stroke();
  context.fillStyle = ink;
  context.fillRect(10.1, -14.6, 1.8, 4.6);
  context.fillRect(10.1, -8.8, 1.8, 1.8);
}

function drawRing(context, { radius, width, colour }) {
  context.beginPath();
  context.arc(0, 0, radius, 0, 2 * Math.PI);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.stroke();
}

export function polygon(context, points) {
  points.forEach(([x, y], index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
  context.closePath();
}
