/* What the history knows of a robot's battery, speed and errors: ten minutes up to a moment, before what the page saw itself.
 *
 * /history/export as CSV has the robot view's main values whatever the robot's version.
 */

const SPAN_MS = 10 * 60_000;
const BACK_MS = 60_000; // of the time that is shown
const GAP_MS = 5_000;

/** The samples of one robot at a time. */
export class PastSamples {
  constructor() {
    this._key = null;
    this._upTo = -Infinity;
    this._samples = [];
    this._isOff = !("history" in document.documentElement.dataset);
  }

  of(key) {
    return key === this._key ? this._samples : [];
  }

  /** Tell whether another stretch is needed to show what led to `now`; the page saw what came after `seenFrom`. */
  isDue(key, now, seenFrom) {
    if (this._isOff) return false;
    return key !== this._key || now < this._upTo - BACK_MS || seenFrom > this._upTo + GAP_MS;
  }

  /** Ask for the ten minutes before `now`. */
  async load(key, now) {
    if (key !== this._key) this._samples = [];
    this._key = key;
    this._upTo = now;
    const url = new URL("history/export", document.baseURI);
    const [from, to] = [now - SPAN_MS, now].map((at) => new Date(at).toISOString());
    url.search = new URLSearchParams({ robot: key, types: "state", format: "csv", from, to });
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok !== true) return;
    const rows = parseCsv(await answer.text());
    if (key === this._key) this._samples = samplesOf(rows);
  }
}

function samplesOf([head, ...rows]) {
  const place = Object.fromEntries(head.map((name, index) => [name, index]));
  const read = (row, name) => {
    const text = row[place[name]] ?? "";
    return text === "" ? null : Number(text);
  };
  return rows
    .filter((row) => row.length === head.length)
    .map((row) => {
      const [vx, vy] = [read(row, "vx"), read(row, "vy")];
      const speed = vx === null && vy === null ? null : Math.hypot(vx ?? 0, vy ?? 0);
      return { at: Date.parse(row[place.received_at]), battery: read(row, "battery_charge"), speed, errors: (row[place.errors] || "").split(" ").filter(Boolean).length };
    });
}

/** Read CSV (RFC 4180) into rows of texts. */
function parseCsv(text) {
  const rows = [[]];
  for (const [, separator, quoted, bare] of text.matchAll(/(^|,|\r?\n)(?:"((?:[^"]|"")*)"|([^,\r\n]*))/g)) {
    if (separator !== "," && separator !== "") rows.push([]);
    rows.at(-1).push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
  }
  return rows;
}
