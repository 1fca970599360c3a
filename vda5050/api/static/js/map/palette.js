/* The map's colours, taken from the style sheet's custom properties, so that light and dark have one source.
 *
 * They are told apart by the colour-blind (after Okabe and Ito: blue, bluish green, orange, vermilion, greys), and each
 * has a shape beside it, so that none is needed to understand the map.
 */

const NAMES = [
  "surface", "raised", "border", "grid", "axis", "muted", "text", "accent",
  "driving", "charging", "paused", "idle", "lost", "warn", "bad",
];

/** Read the colours of now, by name. */
export function readPalette(element) {
  const style = getComputedStyle(element);
  const palette = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  return { ...palette, isDark: isDark(palette.surface) };
}

function isDark(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return 0.3 * red + 0.59 * green + 0.11 * blue < 128;
}
