/* The canvas's colours, taken from the style sheet's custom properties so that light and dark have one source.
 *
 * Gives `readPalette()` and calls back when the person's colour scheme changes.
 */

const NAMES = ["surface", "grid", "axis", "muted", "text", "accent", "driving", "charging", "paused", "idle", "lost", "warn", "bad"];

/** Read the colours of now, by name. */
export function readPalette() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Call `onChange` whenever light becomes dark or the other way round. */
export function watchColourScheme(onChange) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
}
