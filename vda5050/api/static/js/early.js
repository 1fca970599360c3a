/* Runs before the first paint, so that the page never shows in the wrong colours or language: a plain script, not a module.
 * Starts the worker, which asks for the fleet while the page's modules are loaded; stream.js joins it.
 *
 * What another key may see must not be shown here: the worker is that of the key that the page was sent for
 * (<html data-key>), and a page tells the others whose it is, as does the login page (login.js): those of another key are
 * loaded anew, and so is one that the browser had kept for a way back.
 *
 * Takes what was chosen on this machine (localStorage "theme": light, dark; "language": en, de), else what the browser
 * prefers; gives <html data-theme lang>. Where a script cannot be loaded (the network changed meanwhile), the page would
 * stay as it is for ever: it is loaded anew.
 */

(() => {
  const kept = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // storage is forbidden here: the browser's preference counts
    }
  };
  const root = document.documentElement;
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = kept("theme") ?? (isDark ? "dark" : "light");
  const wanted = kept("language") ?? navigator.languages.map((name) => name.slice(0, 2)).find((name) => name === "de" || name === "en");
  root.lang = wanted ?? "en";
  const again = ({ target }) => target instanceof HTMLScriptElement && setTimeout(() => location.reload(), 2_000);
  addEventListener("error", again, { capture: true });
  const { key } = root.dataset;
  if (key === undefined) return; // another page than the fleet's
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  try {
    const channel = new BroadcastChannel("vda5050");
    channel.onmessage = ({ data }) => data === key || location.reload();
    channel.postMessage(key);
    const worker = new SharedWorker("static/js/worker.js", { type: "module", name: key });
    worker.port.postMessage({ do: "begin", base: document.baseURI });
  } catch {
    // There is none here, or it is forbidden: stream.js does without.
  }
})();
