/* Texts in the language of the page: `t(key, values)`.
 *
 * The language is that of <html lang> (early.js); changing it writes the static texts anew (`data-text`, `data-label`,
 * `data-title`, `data-placeholder` in index.html name keys of texts.js) and tells everyone by `onLanguage`.
 */

import { LANGUAGES, TEXTS } from "./texts.js";

const listeners = new Set();
const ATTRIBUTES = { text: null, label: "aria-label", title: "title", placeholder: "placeholder" };

/** "en" or "de". */
export function language() {
  return LANGUAGES[place()];
}

/** The text of a key with its `{holes}` filled. A key that is missing shows itself; a test finds it before people do. */
export function t(key, values = {}) {
  const text = known(key, key);
  return text.replaceAll(/\{(\w+)\}/g, (_hole, name) => String(values[name] ?? ""));
}

/** The text of `key.one` or `key.other`, with {n} filled. */
export function plural(key, n) {
  return t(n === 1 ? `${key}.one` : `${key}.other`, { n });
}

/** The text of a key where there is one, else `fallback`: for a vocabulary that robots may go beyond. */
export function known(key, fallback) {
  return TEXTS[key]?.[place()] ?? fallback;
}

function place() {
  return Math.max(0, LANGUAGES.indexOf(document.documentElement.lang));
}

/** Be told of another language. */
export function onLanguage(listener) {
  listeners.add(listener);
}

/** Change the language and keep the choice on this machine. */
export function setLanguage(code) {
  document.documentElement.lang = code;
  keep("language", code);
  translate(document);
  for (const listener of listeners) listener();
}

/** Write the static texts below a node. */
export function translate(root) {
  for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
    for (const node of root.querySelectorAll(`[data-${name}]`)) {
      const text = t(node.dataset[name]);
      if (attribute === null) node.textContent = text;
      else node.setAttribute(attribute, text);
    }
  }
}

/** Keep a choice on this machine, where the browser lets us. */
export function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Storage is forbidden or full: the choice holds until the page is closed.
  }
}

/** A choice that was kept, or null. */
export function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
