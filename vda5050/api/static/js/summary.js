/* The head of the page: the fleet's counts, how the page's stream and the gateway's broker stand, the banner.
 *
 * Takes the counts of `overview.js`, the stream's link ("connecting", "live", "reconnecting") and the broker's state;
 * writes them. What is shown is dimmed and a banner says why, while it cannot be new.
 */

import { fieldsOf, find, setData, setText, setTitle } from "./dom.js";
import { clockText } from "./words.js";

const PATIENCE_MS = 1_500; // A stream that is back within this was not worth an alarm.
const LINK_WORDS = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting" };
const BROKER_WORDS = { unknown: "Broker", connected: "Broker connected", disconnected: "Broker lost" };

/** The page's head. */
export class Summary {
  constructor() {
    this._counts = fieldsOf(find("#counts"));
    this._link = find("#link");
    this._broker = find("#broker");
    this._banner = find("#banner");
    this._state = "connecting";
    this._since = Date.now();
  }

  /** Note how the stream stands. */
  setLink(state, now) {
    if (state === this._state) return;
    if (this._state === "live" || state === "live") this._since = now;
    this._state = state;
  }

  /** Write counts, indicators and banner. */
  draw(counts, fleet, now) {
    for (const [name, field] of Object.entries(this._counts)) {
      setText(field, String(counts[name]));
      setData(field.parentElement, "zero", counts[name] === 0 ? "yes" : null);
    }
    setText(find("span", this._link), LINK_WORDS[this._state]);
    setData(this._link, "state", this._state);
    setText(find("span", this._broker), BROKER_WORDS[fleet.broker]);
    setData(this._broker, "state", fleet.broker);
    setTitle(this._broker, fleet.brokerDetail);
    this._drawBanner(fleet, now);
  }

  _drawBanner(fleet, now) {
    const text = this._problem(fleet, now);
    setText(this._banner, text);
    this._banner.hidden = text === "";
    document.body.classList.toggle("is-old", text !== "");
  }

  _problem(fleet, now) {
    if (this._state !== "live" && now - this._since > PATIENCE_MS) {
      return `The gateway has not answered since ${clockText(this._since)}. What you see is from before; trying again.`;
    }
    if (fleet.broker === "disconnected") {
      const since = fleet.brokerSince === null ? "" : ` since ${clockText(fleet.brokerSince)}`;
      return `The gateway has no connection to its MQTT broker${since}. What you see is old; what robots say now does not arrive.`;
    }
    return "";
  }
}
