/* The few ways in which this page writes to the document. Text is always text: nothing here, and nothing anywhere on the
 * page, takes markup from data.
 */

/** Find one element, which must exist. */
export function find(selector, root = document) {
  const element = root.querySelector(selector);
  if (element === null) throw new Error(`no ${selector} on the page`);
  return element;
}

/** Copy the only element of a <template>. */
export function copyTemplate(id) {
  return find(`#${id}`).content.firstElementChild.cloneNode(true);
}

/** The elements with data-field inside `root`, by their name. */
export function fieldsOf(root) {
  return Object.fromEntries([...root.querySelectorAll("[data-field]")].map((node) => [node.dataset.field, node]));
}

/** Make an element with text. */
export function element(tag, className, text = "") {
  const node = document.createElement(tag);
  if (className !== "") node.className = className;
  node.textContent = text;
  return node;
}

/** Set a text, only where it is another one: an equal one would cost a layout all the same. */
export function setText(node, text) {
  const child = node.firstChild;
  if (child === null || child.nodeType !== Node.TEXT_NODE || child.nextSibling !== null) node.textContent = text;
  else if (child.data !== text) child.data = text;
}

/** Set a data-* attribute; null takes it away. */
export function setData(node, name, value) {
  if (value === null) delete node.dataset[name];
  else if (node.dataset[name] !== value) node.dataset[name] = value;
}

/** Set a tooltip. */
export function setTitle(node, text) {
  if (node.title !== text) node.title = text;
}
