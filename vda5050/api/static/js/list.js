/* The robots' list: a row each, in the order of their names.
 *
 * Takes robots as they change (`show`, `clear`); gives `draw(now)` and `tick(now)`, and calls `onOpen(key)` when a row is
 * chosen by click, Enter or Space. Rows on the screen are written at once, of the others a few each frame: screen readers
 * and the browser's search look there too.
 */

import { find } from "./dom.js";
import { Row } from "./row.js";

const AROUND_PX = 300; // Rows this near to the visible part are kept written, so that scrolling shows no old text.
const UNSEEN_A_FRAME = 4;
const byName = new Intl.Collator("en", { numeric: true });

/** The list panel; `lastSeen(robot)` gives milliseconds or null. */
export class RobotList {
  constructor(root, { lastSeen, onOpen, requestDraw }) {
    this._body = find("#robots", root);
    this._lastSeen = lastSeen;
    this._requestDraw = requestDraw;
    this._rows = new Map();
    this._byNode = new WeakMap();
    this._dirty = new Set();
    this._opened = null;
    this._observer = new IntersectionObserver((entries) => this._scrolled(entries), {
      rootMargin: `${AROUND_PX}px 0px`, // where the page scrolls
      scrollMargin: `${AROUND_PX}px 0px`, // where the list does
    });
    this._body.addEventListener("click", (event) => {
      const node = event.target.closest(".robot");
      if (node !== null && !isSelecting(this._body)) onOpen(this._byNode.get(node).key);
    });
    this._body.addEventListener("keydown", (event) => this._pressed(event));
  }

  /** Take in robots that are new or changed. */
  show(robots) {
    const added = [];
    for (const robot of robots) {
      let row = this._rows.get(robot.key);
      if (row === undefined) {
        row = new Row(robot);
        this._rows.set(robot.key, row);
        this._byNode.set(row.node, row);
        added.push(row);
      }
      row.robot = robot;
      this._dirty.add(row);
    }
    if (added.length > 0) this._insert(added);
  }

  /** Forget every robot. */
  clear() {
    this._observer.disconnect();
    this._rows.clear();
    this._dirty.clear();
    this._body.replaceChildren();
  }

  /** Mark the row of the robot that is open; null: none is. */
  setOpen(key) {
    this._rows.get(this._opened)?.setOpen(false);
    this._opened = key;
    this._rows.get(key)?.setOpen(true);
  }

  /** Put the keyboard's focus on a robot's row. */
  focus(key) {
    this._rows.get(key)?.button.focus();
  }

  /** Bring a robot's row into view. */
  reveal(key) {
    this._rows.get(key)?.node.scrollIntoView({ block: "nearest" });
  }

  /** Write what changed; true: call again, rows out of sight wait. */
  draw(now) {
    let unseen = 0;
    for (const row of this._dirty) {
      if (!row.isVisible && ++unseen > UNSEEN_A_FRAME) continue;
      row.show(row.robot, this._age(row, now));
      this._dirty.delete(row);
    }
    return this._dirty.size > 0;
  }

  /** Write the ages. */
  tick(now) {
    for (const row of this._rows.values()) row.showAge(this._age(row, now));
  }

  _age(row, now) {
    const seen = this._lastSeen(row.robot);
    return seen === null ? null : now - seen;
  }

  /** One pass over the list however many come: a snapshot may bring thousands. */
  _insert(added) {
    added.sort((one, other) => compare(one, other));
    let next = this._body.firstElementChild;
    for (const row of added) {
      while (next !== null && compare(this._byNode.get(next), row) < 0) next = next.nextElementSibling;
      this._body.insertBefore(row.node, next);
      this._observer.observe(row.node);
      if (row.key === this._opened) row.setOpen(true);
    }
  }

  _scrolled(entries) {
    for (const { target, isIntersecting } of entries) {
      this._byNode.get(target).isVisible = isIntersecting;
    }
    this._requestDraw();
  }

  _pressed(event) {
    const node = event.target.closest(".robot");
    if (node === null) return;
    const target = {
      ArrowDown: node.nextElementSibling,
      ArrowUp: node.previousElementSibling,
      Home: this._body.firstElementChild,
      End: this._body.lastElementChild,
    }[event.key];
    if (target == null) return;
    event.preventDefault();
    this._byNode.get(target).button.focus();
  }
}

/** A click that ends the selecting of text in a row is not meant to open it. */
function isSelecting(body) {
  const selection = getSelection();
  return !selection.isCollapsed && body.contains(selection.anchorNode);
}

function compare(one, other) {
  return byName.compare(one.key, other.key) || (one.key < other.key ? -1 : Number(one.key > other.key));
}
