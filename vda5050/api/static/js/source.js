/* One event stream, kept open.
 *
 * Takes an address; gives every event, parsed and in order, and how the stream stands:
 *   "connecting" until it was open once, "live", "reconnecting", "busy" (the gateway has too many streams), "refused" (it
 *   wants a key). Comes back by itself after an error, also after one that EventSource gives up at, after silence, and
 * when the computer is online again: where its address names the last event, from that one on, so that nothing is missed or
 * comes twice (the gateway sends `reset` and a snapshot where it cannot do that). Runs in a page or in a worker.
 */

const SILENT_MS = 60_000; // A robot sends a state every 30 s; heartbeats are comments, which a page cannot see.
const WATCH_MS = 5_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;
const REFUSED_WAIT_MS = 15_000;

/** A stream; `url(id)` is asked at every opening, with the id of the last event, "" before the first one. */
export class Source {
  constructor(url, { onEvent, onLink, probe }) {
    this._url = url;
    this._onEvent = onEvent;
    this._onLink = onLink;
    this._probe = probe;
    this._source = null;
    this._lastEventId = "";
    this._lastEventAt = 0;
    this._waitMs = FIRST_WAIT_MS;
    this._timer = 0;
    this._isClosed = false;
    this._online = () => this._open();
    this._watch = setInterval(() => this._lookForSilence(), WATCH_MS);
    addEventListener("online", this._online);
    onLink("connecting", null);
    this._open();
  }

  /** End it for good. */
  close() {
    this._isClosed = true;
    this._source?.close();
    clearTimeout(this._timer);
    clearInterval(this._watch);
    removeEventListener("online", this._online);
  }

  /** Open it anew, because `url()` gives another address; goes on where it was. */
  reopen() {
    this._open();
  }

  _open() {
    clearTimeout(this._timer);
    this._source?.close();
    if (this._isClosed) return;
    const source = new EventSource(this._url(this._lastEventId));
    source.onopen = () => {
      this._waitMs = FIRST_WAIT_MS;
      this._lastEventAt = Date.now();
      this._onLink("live", null);
    };
    source.onmessage = ({ data, lastEventId }) => {
      this._lastEventId = lastEventId;
      this._lastEventAt = Date.now();
      this._onEvent(JSON.parse(data), lastEventId);
    };
    source.onerror = () => this._failed(source);
    this._source = source;
  }

  /** EventSource does not tell why: where the gateway answered, ask it. */
  async _failed(source) {
    const wasRefused = source.readyState === EventSource.CLOSED;
    source.close();
    const waitMs = this._waitMs * (0.5 + Math.random());
    this._waitMs = Math.min(LONGEST_WAIT_MS, this._waitMs * 2);
    this._retry("reconnecting", waitMs);
    if (!wasRefused) return;
    const answer = await this._probe();
    if (source !== this._source || this._isClosed) return;
    if (answer.status === 401 || answer.status === 403) this._retry("refused", REFUSED_WAIT_MS);
    else if (answer.status === 429 || answer.status === 503) this._retry("busy", answer.retryAfterMs ?? waitMs);
  }

  _retry(link, waitMs) {
    this._onLink(link, Date.now() + waitMs);
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._open(), waitMs);
  }

  /** A connection that died without a word (a tablet out of range) is only noticed by its silence. */
  _lookForSilence() {
    const isOpen = this._source?.readyState === EventSource.OPEN;
    if (isOpen && Date.now() - this._lastEventAt > SILENT_MS) this._open();
  }
}

/** The address of the live stream, from after an event on where one is named. */
export function streamUrl(base, lastEventId) {
  const url = new URL("stream", base);
  if (lastEventId !== "") url.searchParams.set("last_event_id", lastEventId);
  return url;
}
