/* The page's end of the feed: in the SharedWorker where the browser has one, else here in the page.
 *
 * Takes `onMessage(message)`, called for each message of feed.js; gives `follow(keys)`, `resend()`.
 */

import { Feed } from "./feed.js";

/** Connect the page; it leaves when it is hidden for good (where it comes back, early.js loads it anew). */
export function connectStream(onMessage) {
  const link = open(onMessage);
  addEventListener("pagehide", () => link({ do: "leave" }));
  return {
    follow: (robots) => link({ do: "follow", robots }),
    resend: () => link({ do: "resend" }),
  };
}

function joining(lock) {
  return { do: "join", base: document.baseURI, lock };
}

function open(onMessage) {
  if (!("SharedWorker" in globalThis)) return inPage(onMessage);
  const name = document.documentElement.dataset.key;
  let worker;
  try {
    worker = new SharedWorker(new URL("worker.js", import.meta.url), { type: "module", name });
  } catch {
    return inPage(onMessage); // some browsers forbid workers in private windows
  }
  worker.port.onmessage = ({ data }) => onMessage(data);
  const send = (wish) => worker.port.postMessage(wish);
  const lock = `vda5050-page-${Math.random().toString(36).slice(2)}`;
  if (navigator.locks === undefined) send(joining(null)); // they exist in secure contexts only
  else navigator.locks.request(lock, () => (send(joining(lock)), new Promise(() => {})));
  return send;
}

function inPage(onMessage) {
  const feed = new Feed(document.baseURI);
  const page = {};
  const wishes = {
    join: () => feed.join(page, onMessage),
    follow: ({ robots }) => feed.follow(page, robots),
    resend: () => feed.resend(page),
    leave: () => feed.leave(page),
  };
  const send = (wish) => wishes[wish.do](wish);
  queueMicrotask(() => send(joining(null)));
  return send;
}
