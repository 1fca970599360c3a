/* The chosen robot in a few words on the map: what it is, what it does, and what can be done: follow it, open it. */

import { button, element, setAttribute, setData, setShown, setText } from "../dom.js";
import { t } from "../i18n.js";
import { speedOf } from "../status.js";

export class Card {
  constructor({ onFollow, onOpen, onClose }) {
    this._name = element("bdi", "map-card-name");
    this._state = element("span", "map-card-state");
    this._facts = element("p", "map-card-facts");
    this._follow = button("", "", () => onFollow(this._follow.getAttribute("aria-pressed") !== "true"));
    this._open = button("", "", onOpen);
    this._close = button("map-card-close", "×", onClose);
    this._key = null;
    this.node = element(
      "section",
      "map-card",
      element("header", "", this._name, this._state, this._close),
      this._facts,
      element("div", "map-card-buttons", this._follow, this._open),
    );
    this.node.hidden = true;
  }

  /** Show a robot of the store, or nothing. */
  show(robot, { isFollowing }) {
    setShown(this.node, robot !== undefined);
    if (robot === undefined) return;
    setAttribute(this.node, "aria-label", robot.key);
    setText(this._name, robot.key);
    setText(this._state, t(`state.${robot.reason}`));
    setData(this._state, "state", robot.state);
    setText(this._facts, factsOf(robot.view).join(" · "));
    setText(this._follow, t("map.follow"));
    setAttribute(this._follow, "aria-pressed", String(isFollowing));
    setText(this._open, t("map.open"));
    setAttribute(this._close, "aria-label", t("map.close"));
  }
}

function factsOf(view) {
  const facts = [];
  const speed = speedOf(view);
  if (speed !== null) facts.push(`${speed.toFixed(1)} m/s`);
  if (view.battery?.charge != null) facts.push(t("map.battery", { charge: Math.round(view.battery.charge) }));
  const progress = view.order?.progress;
  if (progress != null) facts.push(t("map.progress", { passed: progress.passed_nodes, all: progress.all_nodes }));
  else if (view.order?.nodes?.length > 0) facts.push(t("map.nodes-left", { n: view.order.nodes.length }));
  if (view.position !== null) facts.push(`${view.position.x.toFixed(2)}, ${view.position.y.toFixed(2)} m`);
  return facts;
}
