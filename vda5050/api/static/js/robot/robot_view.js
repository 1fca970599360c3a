/* One robot. */

import { element, find, setShown, setText, jsonText } from "../dom.js";
import { onRoute, route } from "../router.js";

export class RobotView {
  constructor(root, store, stream) {
    this._root = root;
    this._store = store;
    this._stream = stream;
    root.append(element("h1"), element("pre"));
    store.subscribe(() => this._draw());
    onRoute(() => this._draw());
  }

  setShown(isShown) {
    this._isShown = isShown;
    setShown(this._root, isShown);
    this._draw();
  }

  _draw() {
    if (!this._isShown || route().robot === null) return;
    const robot = this._store.robots.get(route().robot);
    setText(find("h1", this._root), route().robot);
    find("pre", this._root).textContent = robot === undefined ? "" : jsonText(robot.view);
  }
}
