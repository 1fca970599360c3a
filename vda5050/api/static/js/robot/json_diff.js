/* Two JSON values compared, and one as lines for reading. Pure.
 *
 * `changes(before, after)` gives [{ path, before, after }] for each leaf that differs, undefined where there was or is none,
 * in the order of `after`. `lines(value, marked)` gives [{ text, path, isChanged }], as JSON with two spaces of indent.
 */

const MAX_CHANGES = 2_000;
const MAX_LINES = 4_000;

/** What differs. */
export function changes(before, after) {
  const found = [];
  compare(before, after, "", found);
  return found;
}

function compare(before, after, path, found) {
  if (before === after || found.length >= MAX_CHANGES) return;
  if (!isBranch(before) || !isBranch(after) || Array.isArray(before) !== Array.isArray(after)) {
    found.push({ path, before, after });
    return;
  }
  for (const key of new Set([...Object.keys(after), ...Object.keys(before)])) {
    const [one, other] = [own(before, key), own(after, key)];
    if (isBranch(one) || isBranch(other) || !Object.is(one, other)) compare(one, other, join(path, key, after), found);
  }
}

/** A value as lines; `marked` is a set of paths whose lines are to be marked. */
export function lines(value, marked = new Set()) {
  const found = [];
  write(value, { depth: 0, path: "", lead: "", tail: "", marked, found });
  return found;
}

function write(value, place) {
  const { depth, path, lead, tail, marked, found } = place;
  if (found.length >= MAX_LINES) return;
  const indent = "  ".repeat(depth);
  const isChanged = marked.has(path);
  if (!isBranch(value) || Object.keys(value).length === 0) {
    found.push({ text: `${indent}${lead}${JSON.stringify(value)}${tail}`, path, isChanged });
    return;
  }
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const keys = Object.keys(value);
  found.push({ text: `${indent}${lead}${open}`, path, isChanged });
  keys.forEach((key, index) => {
    write(value[key], {
      depth: depth + 1,
      path: join(path, key, value),
      lead: Array.isArray(value) ? "" : `${JSON.stringify(key)}: `,
      tail: index < keys.length - 1 ? "," : "",
      marked: isChanged ? ALL : marked,
      found,
    });
  });
  found.push({ text: `${indent}${close}${tail}`, path, isChanged });
}

/** Marks everything below a branch that is new as a whole. */
const ALL = { has: () => true };

function isBranch(value) {
  return value !== null && typeof value === "object";
}

function own(branch, key) {
  return Object.hasOwn(branch, key) ? branch[key] : undefined;
}

function join(path, key, parent) {
  if (Array.isArray(parent)) return `${path}[${key}]`;
  return path === "" ? key : `${path}.${key}`;
}
