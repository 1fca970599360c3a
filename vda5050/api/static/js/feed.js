/* What the gateway tells, gathered for any number of pages: the fleet's views, findings, acknowledgements, links.
 *
 * Runs in a SharedWorker (worker.js), so that all tabs have one stream and none of them parses, or in the page where the
 * browser has no such worker. Gives messages to each page:
 *   { type: "link", state, retryAt }  how the stream stands, see source.js
 *   { type: "broker", isUp }  how the gateway's link to its broker stands
 *   { type: "clock", aheadMs }  how far the gateway's clock is ahead of this machine's
 *   { type: "reset" }  forget the robots: all that follow are new
 *   { type: "robots", robots: [[key, view]] } views that changed, in slices, see SLICE_MS
 *   { type: "ready" }  the snapshot is complete
 *   { type: "findings", findings: [...], isAll }
 *   { type: "acknowledgements", list: [...], isAll }
 *   { type: "message", robot, topic, payload, isLast }  of robots that a page follows: each message as it was sent
 *
 * A fleet of hundreds is asked for once a second, a small one more often (INTERVALS); a followed robot at its full rate.
 */

import { Followed } from "./followed.js";
import { Source, streamUrl } from "./source.js";

const TOPICS = "order,instantActions,state,visualization,connection,factsheet,zoneSet,responses";
const INTERVALS = [
  [25, 100], // up to so many robots, milliseconds between views
  [120, 300],
  [Infinity, 1_000],
];
const SLICE_MS = 50;
const SMALLEST_SLICE = 25;
const SLICES = 6; // A burst is handed on in about as many, so that no frame of a page has to take it all.
const UNUSED_MS = 20_000;

/** The feed of one browser. `base` is the gateway's address as a URL that relative ones are joined to. */
export class Feed {
  constructor(base) {
    this._base = base;
    this._pages = new Map(); // page -> { post, follows: [key], pending: Map, isReset }
    this._robots = new Map();
    this._findings = new Map();
    this._acknowledgements = new Map();
    this._facts = new Map(); // the last message of each type that a page needs at its start
    this._isReady = false;
    this._intervalMs = INTERVALS.at(-1)[1];
    this._fleet = null;
    this._followed = new Followed(base, { pages: this._pages, probe: () => this._probe() });
    this._timer = 0;
  }

  /** Begin to tell a page everything; `post` hands it one message. */
  join(page, post) {
    this._pages.set(page, { post, follows: [], pending: new Map() });
    for (const message of this._facts.values()) post(message);
    this._tellAll(page);
    this._open();
  }

  /** Ask for the fleet before the first page can join; where none does, that ends again. */
  begin() {
    this._open();
    setTimeout(() => this._closeUnused(), UNUSED_MS);
  }

  /** Tell a page all robots anew; it has looked at the past meanwhile. */
  resend(page) {
    this._tellAll(page);
  }

  /** Let a page go; without any the streams are closed. */
  leave(page) {
    this._pages.delete(page);
    this._followed.look();
    this._closeUnused();
  }

  /** Hand a page every message of these robots. */
  follow(page, keys) {
    const known = this._pages.get(page);
    if (known === undefined) return;
    known.follows = keys;
    this._followed.look();
  }

  _open() {
    this._fleet ??= new Source((id) => this._fleetUrl(id), {
      onEvent: (event) => this._take(event),
      onLink: (state, retryAt) => this._linked(state, retryAt),
      probe: () => this._probe(),
    });
  }

  _closeUnused() {
    if (this._pages.size > 0) return;
    this._fleet?.close();
    this._fleet = null;
    for (const known of [this._robots, this._findings, this._acknowledgements, this._facts]) known.clear();
    this._isReady = false;
  }

  _tellAll(page) {
    const known = this._pages.get(page);
    if (known === undefined) return;
    known.post({ type: "reset" });
    known.pending = new Map(this._robots);
    known.post({ type: "findings", findings: [...this._findings.values()], isAll: true });
    known.post({ type: "acknowledgements", list: [...this._acknowledgements.values()], isAll: true });
    this._deliver(known, known.pending.size);
    if (this._isReady) known.post({ type: "ready" });
  }

  _tell(message) {
    for (const { post } of this._pages.values()) post(message);
  }

  _fleetUrl(lastEventId) {
    const url = streamUrl(this._base, lastEventId);
    url.searchParams.set("view", "1");
    url.searchParams.set("interval", this._intervalMs);
    url.searchParams.set("types", `${TOPICS},finding`);
    return url;
  }

  _take(event) {
    switch (event.type) {
      case "snapshot":
        this._takeSnapshot(event.data);
        break;
      case "update":
        this._robots.set(event.data.topic, event.data.payload);
        for (const page of this._pages.values()) page.pending.set(event.data.topic, event.data.payload);
        this._schedule();
        break;
      case "finding":
        this._takeFindings([event.data]);
        break;
      case "acknowledgement":
        this._takeAcknowledgement(event.data);
        break;
      case "status":
        this._remember({ type: "broker", isUp: event.data.broker === "connected" });
        this._learnLinks();
        break;
    }
  }

  _takeSnapshot(robots) {
    this._robots = new Map(Object.entries(robots));
    this._isReady = true;
    this._learn();
    for (const page of this._pages.keys()) this._tellAll(page);
    this._adaptInterval();
  }

  _takeFindings(findings) {
    for (const { sample: _sample, ...finding } of findings) this._findings.set(findingId(finding), finding);
    this._tell({ type: "findings", findings: findings.map(({ sample: _sample, ...rest }) => rest), isAll: false });
  }

  _takeAcknowledgement(acknowledgement) {
    if (acknowledgement.at === null) this._acknowledgements.delete(acknowledgementId(acknowledgement));
    else this._acknowledgements.set(acknowledgementId(acknowledgement), acknowledgement);
    this._tell({ type: "acknowledgements", list: [acknowledgement], isAll: false });
  }

  _remember(message) {
    this._facts.set(message.type, message);
    this._tell(message);
  }

  _linked(state, retryAt) {
    this._remember({ type: "link", state, retryAt });
    if (state === "live" && this._isReady) this._learn(); // acknowledgements are told beside the stream: some were missed
  }

  /** Ask for what the stream tells only when it changes: the broker's link, the clock, what was found before. */
  async _learn() {
    await this._learnLinks();
    const findings = (await jsonOf(await this._get("conformance?sample=0")))?.findings;
    if (Array.isArray(findings)) {
      this._findings = new Map(findings.map((finding) => [findingId(finding), finding]));
      this._tell({ type: "findings", findings, isAll: true });
    }
    const list = (await jsonOf(await this._get("alerts/acknowledgements")))?.acknowledgements;
    if (Array.isArray(list)) {
      this._acknowledgements = new Map(list.map((one) => [acknowledgementId(one), one]));
      this._tell({ type: "acknowledgements", list, isAll: true });
    }
  }

  /** A word of the stream that comes meanwhile is newer than the answer. */
  async _learnLinks() {
    const told = this._facts.get("broker");
    const ready = await this._get("ready");
    const date = Date.parse(ready?.headers.get("date") ?? "");
    // The header has whole seconds: half of one is the likeliest error.
    if (!Number.isNaN(date)) this._remember({ type: "clock", aheadMs: Math.round((date + 500 - Date.now()) / 1_000) * 1_000 });
    const dependencies = (await jsonOf(ready))?.dependencies;
    if (dependencies === undefined || this._facts.get("broker") !== told) return;
    this._remember({ type: "gateway", dependencies });
    if (dependencies.broker !== undefined) this._remember({ type: "broker", isUp: dependencies.broker.ready === true });
  }

  async _get(path) {
    try {
      return await fetch(new URL(path, this._base), { cache: "no-store" });
    } catch {
      return null; // the gateway is away; the stream's state tells so
    }
  }

  async _probe() {
    const answer = await this._get("robots?robots=~"); // a short answer that needs the same right as a stream
    const retryAfterS = Number(answer?.headers.get("retry-after") ?? NaN);
    return { status: answer?.status ?? 0, retryAfterMs: Number.isFinite(retryAfterS) ? retryAfterS * 1_000 : null };
  }

  _adaptInterval() {
    const intervalMs = intervalFor(this._robots.size);
    if (intervalMs === this._intervalMs) return;
    this._intervalMs = intervalMs;
    this._fleet.reopen();
  }

  _schedule() {
    if (this._timer === 0) this._timer = setTimeout(() => this._slice(), SLICE_MS);
  }

  _slice() {
    this._timer = 0;
    for (const page of this._pages.values()) {
      this._deliver(page, Math.max(SMALLEST_SLICE, Math.ceil(this._robots.size / SLICES)));
      if (page.pending.size > 0) this._schedule();
    }
  }

  _deliver(page, most) {
    if (page.pending.size === 0) return;
    const robots = [];
    for (const entry of page.pending) {
      if (robots.push(entry) >= most) break;
    }
    for (const [key] of robots) page.pending.delete(key);
    page.post({ type: "robots", robots });
  }
}

/** Milliseconds between the views of so many robots. */
export function intervalFor(robots) {
  return INTERVALS.find(([most]) => robots <= most)[1];
}

/** Tells acknowledgements apart: an alert is named among those of its robot. */
export function acknowledgementId({ robot, alert }) {
  return JSON.stringify([robot, alert]);
}

/** Tells findings apart, as the gateway does. */
export function findingId({ robot, rule, topic, place }) {
  return JSON.stringify([robot, rule, topic, place]);
}

async function jsonOf(answer) {
  try {
    return (await answer?.json()) ?? null;
  } catch {
    return null;
  }
}
