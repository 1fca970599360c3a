/* Shows /openapi.json: routes by tag, then shapes. Loads nothing else, so that it works where there is no internet. */

import { element, find } from "./dom.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** The last part of a reference: the name of a shape. */
const nameOf = (reference) => reference.split("/").at(-1);

/** A schema in few words, as nodes: its type, or a link to its shape. */
function typeOf(schema) {
  if (schema === undefined) return [];
  if (schema.$ref !== undefined) {
    const link = element("a", "", nameOf(schema.$ref));
    link.href = `#shape-${nameOf(schema.$ref)}`;
    return [link];
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.flatMap((choice, index) => [...(index > 0 ? [" or "] : []), ...typeOf(choice)]);
  if (schema.items !== undefined) return ["array of ", ...typeOf(schema.items), ...(orNull(schema) ? [" or null"] : [])];
  const values = schema.additionalProperties;
  if (values?.$ref !== undefined) return ["object of ", ...typeOf(values)];
  if (schema.enum !== undefined) return [schema.enum.map((value) => JSON.stringify(value)).join(", ")];
  return [[schema.type ?? "anything"].flat().join(" or ")];
}

const orNull = (schema) => [schema.type].flat().includes("null");

/** A table; each row is a list of cells, each cell a text or a list of nodes and texts. */
function table(heads, rows) {
  const made = element("table", "");
  const head = made.createTHead().insertRow();
  for (const text of heads) head.append(element("th", "", text));
  const body = made.createTBody();
  for (const cells of rows) {
    const row = body.insertRow();
    for (const cell of cells) {
      const place = row.insertCell();
      place.className = "text";
      place.append(...[cell].flat());
    }
  }
  return made;
}

function parameterRow(parameter) {
  const name = element("code", "", parameter.name);
  const need = parameter.required ? `${parameter.in}, required` : parameter.in;
  return [[name], need, typeOf(parameter.schema), parameter.description ?? ""];
}

function contentOf(content = {}) {
  return Object.entries(content).flatMap(([type, { schema }]) => [`${type}: `, ...typeOf(schema), "\n"]);
}

function foldable(id, heading, ...inside) {
  const details = element("details", "");
  details.id = id;
  const summary = element("summary", "");
  summary.append(...heading);
  const body = element("div", "inside");
  body.append(...inside);
  details.append(summary, body);
  return details;
}

function operationNode(path, shared, method, operation) {
  const heading = [element("span", "method", method.toUpperCase()), element("code", "", path), ` ${operation.summary}`];
  const parts = [];
  const parameters = [...shared, ...(operation.parameters ?? [])];
  if (parameters.length > 0) parts.push(table(["parameter", "in", "type", "meaning"], parameters.map(parameterRow)));
  if (operation.requestBody !== undefined) {
    const { description, content } = operation.requestBody;
    parts.push(table(["body", ""], [[contentOf(content), description ?? ""]]));
  }
  const answers = Object.entries(operation.responses);
  const rows = answers.map(([status, answer]) => [status, contentOf(answer.content), answer.description]);
  parts.push(table(["answer", "content", "meaning"], rows));
  return foldable(`route-${operation.operationId}`, heading, ...parts);
}

function showOperations(paths, place) {
  const sections = new Map();
  for (const [path, item] of Object.entries(paths)) {
    for (const method of METHODS.filter((name) => name in item)) {
      const [tag] = item[method].tags;
      if (!sections.has(tag)) {
        sections.set(tag, element("section", ""));
        sections.get(tag).append(element("h2", "", tag));
      }
      sections.get(tag).append(operationNode(path, item.parameters ?? [], method, item[method]));
    }
  }
  place.append(...sections.values());
}

function showShapes(schemas, place) {
  place.append(element("h2", "", "shapes"));
  const own = Object.entries(schemas).filter(([name]) => !name.startsWith("vda5050-")); // those have pages: /schemas
  const named = own.sort(([one], [other]) => one.localeCompare(other));
  for (const [name, schema] of named) {
    const members = Object.entries(schema.properties ?? {}).map(([member, value]) => [
      [element("code", "", member)],
      typeOf(value),
      [value.description ?? "", value["x-unit"] === undefined ? "" : ` (${value["x-unit"]})`],
    ]);
    place.append(foldable(`shape-${name}`, [element("code", "", name)], table(["member", "type", "meaning"], members)));
  }
}

/** The text that an address stands for; the address itself where it is none. */
function unquoted(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Open what the address points at. */
function openTarget() {
  const target = document.getElementById(unquoted(location.hash.slice(1)));
  if (target?.tagName !== "DETAILS") return;
  target.open = true;
  target.scrollIntoView();
}

async function main() {
  const waiting = find("#waiting");
  try {
    const response = await fetch("openapi.json");
    if (!response.ok) throw new Error(`openapi.json: ${response.status}`);
    const { info, paths, components } = await response.json();
    find("#title").textContent = `${info.title} ${info.version}`;
    find("#about").textContent = info.description;
    showOperations(paths, find("#routes"));
    showShapes(components.schemas, find("#shapes"));
    waiting.remove();
    openTarget();
  } catch (error) {
    waiting.textContent = `The description cannot be shown: ${error.message}`;
  }
}

addEventListener("hashchange", openTarget);
await main();
