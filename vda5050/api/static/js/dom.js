/* Small steps on the DOM. What a robot says goes in through `setText` and `element` only, never as markup.
 *
 * `plain` replaces what could make a text look like another one; it is applied to everything that is shown.
 */

// Marks that turn the direction of writing, and characters that show nothing or break the line.
const UNSEEN = /[\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\p{Cc}]/gu;
const MAX_TEXT = 400; // characters; the raw JSON shows longer ones
const RAW = Symbol("text as it was given");

/** A robot's text for people: each character that misleads becomes a dot, a very long one is cut. */
export function plain(text) {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return short.replace(UNSEEN, "·");
}

/** JSON text for people: what `plain` would replace is escaped, which means the same in JSON and can be seen. */
export function escaped(text) {
  return text.replace(UNSEEN, (character) => {
    return character === "\n" ? "\n" : `\\u${character.codePointAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Find the one node that `selector` means; throws where it is not there, as that is a fault of the page. */
export function find(selector, root = document) {
  const node = root.querySelector(selector);
  if (node === null) throw new Error(`no ${selector}`);
  return node;
}

/** Make an element with a class and children; texts among them become text nodes. */
export function element(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className !== "") node.className = className;
  for (const child of children) if (child !== "") node.append(typeof child === "string" ? plain(child) : child);
  return node;
}

/** Make a picture of the sprite in index.html. It says nothing by itself: a text stands beside it, or a label is set. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Show another picture; does nothing where it is the same. */
export function setIcon(svg, name) {
  setAttribute(svg.firstChild, "href", `#i-${name}`);
}

/** Set a text; only where it is another one, as an equal one would cost a layout all the same. */
export function setText(node, text) {
  if (node[RAW] === text) return;
  node[RAW] = text;
  node.textContent = plain(text);
}

/** Set an attribute where it differs; null takes it away. */
export function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Set a data-* attribute where it differs; null takes it away. */
export function setData(node, name, value) {
  if (value === null) delete node.dataset[name];
  else if (node.dataset[name] !== value) node.dataset[name] = value;
}

/** Show or hide; by the attribute, as an SVG has no property for it. */
export function setShown(node, isShown) {
  if (node.hasAttribute("hidden") === isShown) node.toggleAttribute("hidden", !isShown);
}

/** Make a button with a text. */
export function button(className, text, onClick) {
  const node = element("button", className, text);
  node.type = "button";
  if (onClick !== undefined) node.addEventListener("click", onClick);
  return node;
}
