/* Names beside the robots: those that fit without covering another one, the most important first.
 *
 * Takes marks as robots.js does, the most important first; `taken` cells of a coarse raster keep names apart.
 */

const FONT = "11px system-ui, sans-serif";
const MANY = 150; // robots in sight: of more, only those are named that need a person
const CHAR_PX = 6.5;
const HEIGHT_PX = 13;
const LONGEST = 24;
const CELL_PX = 8;
const ROW = 100_000; // cells in a row of the raster
const BELOW_PX = 20;

export function drawLabels(context, marks, { camera, palette, sprites }) {
  const taken = new Set();
  const isNamed = ({ figure, isSelected }) => isSelected || marks.length <= MANY || figure.alarm !== null;
  for (const mark of marks.filter(isNamed)) {
    const text = shortened(mark.figure.label);
    const width = text.length * CHAR_PX + 6;
    const top = mark.top + belowOf(mark, camera.scale);
    const isFree = take(taken, { left: mark.left - width / 2, top, width });
    if (!mark.isSelected && !isFree) continue;
    const colour = mark.isSelected ? palette.text : palette.muted;
    const draw = (sprite) => write(sprite, text, { colour, halo: palette.surface, isBold: mark.isSelected });
    const key = `${mark.isSelected} "${text}"`;
    sprites.put(context, key, { x: mark.left, y: top, width: width * 1.25, height: HEIGHT_PX + 5, draw });
  }
}

/** Write a text with a halo around (0, 0). */
export function write(context, text, { colour, halo, isBold = false, align = "center" }) {
  context.font = isBold ? `600 ${FONT}` : FONT;
  context.textBaseline = "middle";
  context.textAlign = align;
  context.direction = "ltr";
  context.lineWidth = 3.5;
  context.lineJoin = "round";
  context.strokeStyle = halo;
  context.strokeText(text, 0, 0);
  context.fillStyle = colour;
  context.fillText(text, 0, 0);
}

/** How many pixels below a robot's middle its name stands: clear of its symbol, and of its outline where that is drawn. */
function belowOf({ outline, pose, scale, isSelected }, pixels) {
  const symbol = BELOW_PX * scale + (isSelected ? 5 : 0);
  if (outline === null || pose.theta === null) return symbol;
  const [sin, cos] = [Math.sin(pose.theta), Math.cos(pose.theta)];
  const lowest = Math.min(...outline.map(([x, y]) => x * sin + y * cos));
  return Math.max(symbol, -lowest * pixels + 9);
}

function shortened(text) {
  const chars = [...text];
  return chars.length > LONGEST ? `${chars.slice(0, LONGEST - 1).join("")}…` : text;
}

/** Reserve cells; false where one is taken. */
function take(taken, { left, top, width }) {
  const cells = [];
  for (let row = Math.floor(top / CELL_PX); row <= (top + HEIGHT_PX) / CELL_PX; row += 1) {
    for (let at = Math.floor(left / CELL_PX); at <= (left + width) / CELL_PX; at += 1) cells.push(row * ROW + at);
  }
  const isFree = cells.every((cell) => !taken.has(cell));
  if (isFree) for (const cell of cells) taken.add(cell);
  return isFree;
}
