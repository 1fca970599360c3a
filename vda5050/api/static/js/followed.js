/* The robots that pages follow: one more stream for all of them, with each message as it was sent, at its full rate.
 *
 * Takes the feed's pages (page -> { post, follows: [key] }); hands each the messages of its robots (see feed.js).
 */

import { Source, streamUrl } from "./source.js";

const MOST = 8; // robots

export class Followed {
  constructor(base, { pages, probe }) {
    this._base = base;
    this._pages = pages;
    this._probe = probe;
    this._source = null;
    this._keys = [];
  }

  /** Look whom the pages follow; the stream is opened anew when they are others. */
  look() {
    const keys = [...new Set([...this._pages.values()].flatMap(({ follows }) => follows))].slice(0, MOST);
    if (keys.join("\n") === this._keys.join("\n") && (this._source !== null || keys.length === 0)) return;
    this._source?.close();
    this._keys = keys;
    this._source = null;
    if (keys.length === 0) return;
    this._source = new Source((id) => this._url(id), {
      onEvent: (event) => this._take(event),
      onLink: () => {},
      probe: this._probe,
    });
  }

  _url(lastEventId) {
    const url = streamUrl(this._base, lastEventId);
    // A comma separates names and a star is any text: a star for both finds the robot, and _tell sorts out others.
    url.searchParams.set("robots", this._keys.map((key) => key.replaceAll(/^\s|[,*]|\s$/g, "*")).join(","));
    return url;
  }

  _take(event) {
    if (event.type === "snapshot") {
      for (const [robot, { messages }] of Object.entries(event.data)) {
        for (const [topic, payload] of Object.entries(messages)) this._tell(robot, topic, payload, true);
      }
    }
    if (event.type === "update") this._tell(event.data.topic, event.data.type, event.data.payload, false);
  }

  _tell(robot, topic, payload, isLast) {
    const at = Date.now();
    for (const { post, follows } of this._pages.values()) {
      if (follows.includes(robot)) post({ type: "message", robot, topic, payload, isLast, at });
    }
  }
}
