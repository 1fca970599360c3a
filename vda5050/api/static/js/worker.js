/* The SharedWorker: one feed for all tabs. A page says what it wants, see stream.js.
 *
 * A port does not tell when its page is gone: the page says so, and where it cannot (it crashed), the lock that it holds
 * is free again.
 */

import { Feed } from "./feed.js";

let feed = null;

addEventListener("connect", ({ ports: [port] }) => {
  port.onmessage = ({ data }) => answer(port, data);
});

function answer(port, wish) {
  switch (wish.do) {
    case "begin":
      feed ??= new Feed(wish.base);
      feed.begin();
      break;
    case "join":
      feed ??= new Feed(wish.base);
      feed.join(port, (message) => port.postMessage(message));
      if (wish.lock !== null) navigator.locks?.request(wish.lock, () => feed.leave(port));
      break;
    case "follow":
      feed.follow(port, wish.robots);
      break;
    case "resend":
      feed.resend(port);
      break;
    case "leave":
      feed.leave(port);
      break;
  }
}
