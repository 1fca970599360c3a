/* The messages of one robot that this page has seen, newest last, each with what it changed against the one before it of
 * its topic. Bounded; no DOM.
 */

import { changes } from "./json_diff.js";

const MOST = 400;

/** The log of one robot at a time. */
export class MessageLog {
  constructor() {
    this.clear();
  }

  /** Another robot, or another time. */
  clear() {
    this.entries = [];
    this.last = new Map(); // topic -> its newest entry
    this.count = 0;
  }

  /** Take a message; what a newcomer is told as the last one of its topic is known already after a reconnection. */
  add({ topic, payload, at, isLast, isMoment }) {
    if (isMoment && at < this.entries.at(-1)?.at) this.clear(); // time was turned back
    const before = this.last.get(topic);
    if (isLast && before !== undefined) return null;
    const differences = before === undefined ? null : changes(before.payload, payload);
    if (isMoment && differences?.length === 0) return null; // the same message, seen again a moment later
    const entry = {
      id: (this.count += 1),
      topic,
      payload,
      at,
      isLast,
      before: before?.payload,
      changes: differences,
      size: JSON.stringify(payload).length,
      text: null,
    };
    this.entries.push(entry);
    this.last.set(topic, entry);
    if (this.entries.length > MOST) this.entries.shift();
    return entry;
  }

  /** The entries of a topic (null: all) whose JSON holds all words, newest first. */
  find(topic, words) {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    return this.entries
      .filter((entry) => {
        if (topic !== null && entry.topic !== topic) return false;
        if (wanted.length === 0) return true;
        entry.text ??= `${entry.topic} ${JSON.stringify(entry.payload)}`.toLowerCase();
        return wanted.every((word) => entry.text.includes(word));
      })
      .reverse();
  }
}
