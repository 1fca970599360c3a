/* What is wrong: the errors that the robot reports, and what the doctor found in what it sends. */

import { element, icon } from "../dom.js";
import { plural, t } from "../i18n.js";
import { graveness, isGrave } from "../status.js";
import { ageText, word } from "../words.js";
import { references } from "./facts.js";

const RANK = { error: 0, warning: 1, info: 2 };
const MOST = 30;

/** What the errors' card is made of. */
export function errorsOf({ errors }) {
  return errors == null ? null : [...errors].sort((one, other) => graveness(other.level ?? "WARNING") - graveness(one.level ?? "WARNING"));
}

/** Build the errors' card. */
export function buildErrors(errors) {
  if (errors.length === 0) return [good(t("errors.none"))];
  const list = element("ul", "troubles");
  for (const error of errors.slice(0, MOST)) {
    const level = error.level ?? "WARNING";
    const entry = trouble(isGrave(level) ? "bad" : "warn", word("level", level), error.type ?? "");
    if (error.description !== null) entry.append(element("p", "", error.description));
    if (error.hint !== null) entry.append(element("p", "hint", element("strong", "", t("errors.hint")), ` ${error.hint}`));
    const about = references(error);
    if (about !== "") entry.append(element("p", "sub", about));
    list.append(entry);
  }
  return [list];
}

/** What the findings' card is made of. `now`: how long ago is told in whole steps of ageText. */
export function findingsOf({ findings }, now) {
  const list = [...findings.list.values()];
  list.sort((one, other) => RANK[one.severity] - RANK[other.severity] || other.count - one.count);
  return list.map((finding) => ({ ...finding, age: ageText(now - Date.parse(finding.last_seen)) }));
}

/** Build the findings' card; `onJump(time)` is called for "show then", where there is a past to show. */
export function buildFindings(findings, onJump) {
  if (findings.length === 0) return [good(t("findings.none"))];
  const list = element("ul", "troubles");
  for (const finding of findings.slice(0, MOST)) {
    const level = finding.severity === "error" ? "bad" : finding.severity === "warning" ? "warn" : null;
    const entry = trouble(level, t(`severity.${finding.severity}`), finding.rule.replaceAll("_", " "));
    entry.append(element("p", "", finding.message));
    const facts = [finding.clause, finding.topic, plural("findings.count", finding.count), t("findings.ago", { age: finding.age })];
    entry.append(element("p", "sub", facts.join(" · ")));
    if (onJump !== null) {
      const jump = element("button", "plain", t("findings.jump"));
      jump.type = "button";
      jump.addEventListener("click", () => onJump(Date.parse(finding.last_seen)));
      entry.append(jump);
    }
    list.append(entry);
  }
  if (findings.length > MOST) list.append(element("li", "sub", t("troubles.more", { n: findings.length - MOST })));
  return [list];
}

function trouble(level, word_, what) {
  const head = element("p", "what", icon(level === "bad" ? "error" : "warning"), element("span", "", word_), element("strong", "", what));
  if (level !== null) head.dataset.level = level;
  return element("li", "", head);
}

function good(text) {
  return element("p", "good", icon("check"), text);
}
