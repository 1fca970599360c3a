/* The gateway's event stream, kept open.
 *
 * Takes the stream's address; gives every event, parsed and in order, and how the stream stands: "connecting" until it was
 * open once, "live", "reconnecting". Comes back by itself after an error (also after one that EventSource gives up at, as
 * a 503), after silence, and when the computer is online again. A short gap is resumed with `last_event_id`; after a long
 * one a fresh snapshot is less work than all that was missed, and right about what is old.
 */

const RESUME_WITHIN_MS = 15_000;
const SILENT_MS = 60_000; // A robot sends a state every 30 s; heartbeats are comments, which a page cannot see.
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 8_000;

/** One stream for the life of the page. */
export class Stream {
  constructor(url, { onEvent, onLink }) {
    this._url = url;
    this._onEvent = onEvent;
    this._onLink = onLink;
    this._source = null;
    this._lastEventId = "";
    this._lastEventAt = 0;
    this._waitMs = FIRST_WAIT_MS;
    this._timer = 0;
  }

  /** Open it; call once. */
  start() {
    this._onLink("connecting");
    this._open();
    setInterval(() => this._watch(), 5_000);
    addEventListener("online", () => this._retry(0));
  }

  _open() {
    const url = new URL(this._url, document.baseURI);
    const canResume = this._lastEventId !== "" && Date.now() - this._lastEventAt < RESUME_WITHIN_MS;
    if (canResume) url.searchParams.set("last_event_id", this._lastEventId);
    const source = new EventSource(url);
    source.onopen = () => {
      this._waitMs = FIRST_WAIT_MS;
      this._lastEventAt = Date.now();
      this._onLink("live");
    };
    source.onmessage = ({ data, lastEventId }) => {
      this._lastEventId = lastEventId;
      this._lastEventAt = Date.now();
      this._onEvent(JSON.parse(data));
    };
    source.onerror = () => {
      this._retry(this._waitMs * (0.5 + Math.random()));
      this._waitMs = Math.min(LONGEST_WAIT_MS, this._waitMs * 2);
    };
    this._source = source;
  }

  _retry(waitMs) {
    this._onLink("reconnecting");
    this._source.close();
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._open(), waitMs);
  }

  /** A connection that died without a word (a tablet out of range) is only noticed by its silence. */
  _watch() {
    if (this._source.readyState === EventSource.OPEN && Date.now() - this._lastEventAt > SILENT_MS) this._retry(0);
  }
}
