/* The fleet's table: only the rows on the screen exist, and of those only what changed is written.
 *
 * Takes a list of robots in the order to be shown (`setRobots`), robots that changed (`changed`), and the time; calls
 * `onOpen(key)`. A row is used again for another robot when it leaves the screen. One row can have the focus; arrow keys,
 * Page Up and Down, Home and End move it, Enter opens the robot.
 */

import { element, setAttribute } from "../dom.js";
import { COLUMNS } from "./columns.js";

const SPARE_ROWS = 4; // above and below the screen, so that scrolling shows no gap

/** The table in `scroller`, whose one child is as high as all rows together. */
export class Table {
  constructor(scroller, { onOpen }) {
    this._scroller = scroller;
    this._body = element("div", "body");
    this._body.setAttribute("role", "rowgroup");
    scroller.append(this._body);
    this._onOpen = onOpen;
    this._robots = [];
    this._places = new Map(); // robot -> index
    this._rows = new Map(); // index -> row
    this._focused = null; // key of the robot whose row the keyboard is at
    this._now = 0;
    this._height = 44;
    scroller.addEventListener("scroll", () => this._lay(), { passive: true });
    new ResizeObserver(() => this._measure()).observe(scroller);
    this._body.addEventListener("click", (event) => this._clicked(event));
    this._body.addEventListener("keydown", (event) => this._pressed(event));
    this._body.addEventListener("focusin", (event) => this._focusedAt(event));
  }

  /** Show these robots, in this order. */
  setRobots(robots, now) {
    this._now = now;
    this._robots = robots;
    this._places = new Map(robots.map((robot, index) => [robot, index]));
    this._body.style.height = `${robots.length * this._height}px`;
    this._lay();
  }

  /** Write robots that changed, where they are on the screen. */
  changed(robots, now) {
    this._now = now;
    for (const row of this._rows.values()) if (robots.has(row.robot)) row.write(now);
  }

  /** Write all that is on the screen: time has passed, or the language is another one. */
  rewrite(now) {
    this._now = now;
    for (const row of this._rows.values()) row.write(now);
  }

  /** Put the keyboard at the first row, or where it was. */
  focus() {
    const index = this._robots.findIndex(({ key }) => key === this._focused);
    this._moveTo(Math.max(0, index));
  }

  _measure() {
    const height = Number.parseFloat(getComputedStyle(this._scroller).getPropertyValue("--row-height")) || 44;
    if (height !== this._height) {
      this._height = height;
      for (const row of this._rows.values()) row.node.remove();
      this._rows.clear();
      this._body.style.height = `${this._robots.length * height}px`;
    }
    this._lay();
  }

  /** Have a row for each robot on the screen, and none else. */
  _lay() {
    const { scrollTop, clientHeight } = this._scroller;
    const first = Math.max(0, Math.floor(scrollTop / this._height) - SPARE_ROWS);
    const upto = Math.min(this._robots.length, Math.ceil((scrollTop + clientHeight) / this._height) + SPARE_ROWS);
    const free = [];
    for (const [index, row] of this._rows) {
      if (index >= first && index < upto) continue;
      this._rows.delete(index);
      free.push(row);
    }
    for (let index = first; index < upto; index += 1) {
      let row = this._rows.get(index);
      if (row === undefined) {
        row = free.pop() ?? new Row(this._body);
        this._rows.set(index, row);
        row.place(index, this._height);
      }
      row.show(this._robots[index], this._now);
      row.setCurrent(this._isCurrent(index));
    }
    for (const row of free) row.node.remove();
  }

  /** The row that Tab leads to: where the keyboard was, else the first one. */
  _isCurrent(index) {
    const at = this._focused === null ? undefined : this._rows.get(index)?.robot.key;
    return this._focused === null || !this._robots.some(({ key }) => key === this._focused) ? index === 0 : at === this._focused;
  }

  _rowOf(event) {
    const node = event.target.closest?.("[role=row]");
    return [...this._rows.values()].find((row) => row.node === node);
  }

  _clicked(event) {
    const isSelecting = getSelection()?.toString() !== "" && getSelection()?.anchorNode?.parentNode?.closest(".body") != null;
    if (isSelecting || event.target.closest("a") !== null) return;
    const row = this._rowOf(event);
    if (row !== undefined) this._onOpen(row.robot.key);
  }

  _focusedAt(event) {
    const row = this._rowOf(event);
    if (row === undefined) return;
    this._focused = row.robot.key;
    for (const other of this._rows.values()) other.setCurrent(other === row);
  }

  _pressed(event) {
    const row = this._rowOf(event);
    if (row === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const index = this._places.get(row.robot);
    const page = Math.max(1, Math.floor(this._scroller.clientHeight / this._height) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -index, End: this._robots.length };
    if (event.key === "Enter" || event.key === " ") this._onOpen(row.robot.key);
    else if (event.key in steps) this._moveTo(index + steps[event.key]);
    else return;
    event.preventDefault();
  }

  _moveTo(index) {
    if (this._robots.length === 0) return;
    const target = Math.max(0, Math.min(this._robots.length - 1, index));
    const [top, bottom] = [target * this._height, (target + 1) * this._height];
    const { scrollTop, clientHeight } = this._scroller;
    if (top < scrollTop) this._scroller.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this._scroller.scrollTop = bottom - clientHeight;
    this._lay();
    this._rows.get(target)?.node.focus({ preventScroll: true });
  }
}

/** One row's nodes; `robot` is whom it shows at the moment. */
class Row {
  constructor(body) {
    this.robot = null;
    this.node = element("div", "row");
    this.node.setAttribute("role", "row");
    this._writers = COLUMNS.map((column) => {
      const cell = element("div", `cell c-${column.id}`);
      cell.setAttribute("role", "gridcell");
      this.node.append(cell);
      return column.make(cell);
    });
    body.append(this.node);
  }

  place(index, height) {
    this.node.style.transform = `translateY(${index * height}px)`;
    setAttribute(this.node, "aria-rowindex", String(index + 2)); // the head is row 1
  }

  show(robot, now) {
    if (robot === this.robot) return;
    this.robot = robot;
    this.node.dataset.robot = robot.key;
    this.write(now);
  }

  write(now) {
    for (const write of this._writers) write(this.robot, now);
    setAttribute(this.node, "data-state", this.robot.state);
  }

  setCurrent(isCurrent) {
    const index = isCurrent ? 0 : -1;
    if (this.node.tabIndex !== index) this.node.tabIndex = index;
  }
}
