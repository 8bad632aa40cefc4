// Elements, made without markup: every text is a text.

import { hueOf } from "./text.js";

/** An element: `tag.class.class`, then properties (`label` is its accessible name, `on…` listens), then children. */
export function h(what, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (tag === "button") element.type = "button";
  element.classList.add(...classes);
  const props = children[0]?.constructor === Object ? children.shift() : {};
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "label") element.setAttribute("aria-label", value);
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  menu: "M4 7h16M4 12h16M4 17h16",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4.5 4.5",
  people: "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM3 20c0-8 12-8 12 0M16 5a3.5 3.5 0 0 1 0 7M18 15q3 1 3 5",
  about: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5M12 8v.01",
  more: "M6 12v.01M12 12v.01M18 12v.01",
  gear: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  plus: "M12 5v14M5 12h14",
  send: "M5 12h13M13 6l6 6-6 6",
  down: "M12 5v13M6 13l6 6 6-6",
  close: "M6 6l12 12M18 6L6 18",
  answer: "M10 6l-5 5 5 5M5 11h9a5 5 0 0 1 5 5v2",
  erase: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  talk: "M6 4h12a3 3 0 0 1 3 3v7a3 3 0 0 1-3 3h-6l-5 4v-4H6a3 3 0 0 1-3-3V7a3 3 0 0 1 3-3z",
};

export function icon(name) {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS(SVG, tag));
  for (const [key, value] of [["viewBox", "0 0 24 24"], ["aria-hidden", true], ["class", "icon"]]) svg.setAttribute(key, value);
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon, named by its label. */
export const iconButton = (name, label, onclick, classes = "") => h(`button.icon-button${classes}`, { label, title: label, onclick }, icon(name));

/** A text that keeps its direction to itself. */
export const bdi = (text, classes = "") => h(`bdi${classes}`, text);

/** The sign of a person: a letter in their colour. */
export const face = (name) => h(`span.face.${hueOf(name)}`, { "aria-hidden": "true", "data-letter": /[a-z]|$/i.exec(name)[0].toUpperCase() });

/** Shows words in an element, or hides it. What is there already is not told to a screen reader again. */
export function put(element, words) {
  element.hidden = !words;
  if (element.textContent !== words) element.textContent = words;
}

/** Makes these the children of an element. Those that stay are not touched, so the focus stays, too. */
export function arrange(parent, children) {
  const kept = new Set(children);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  let at = parent.firstChild;
  for (const child of children) {
    if (child === at) at = at.nextSibling;
    else parent.insertBefore(child, at);
  }
}

/** What a form does instead of being sent. */
export const submitted = (act) => (event) => {
  event.preventDefault();
  act();
};

/** A remark. */
export const small = (...words) => h("p.quiet.small", ...words);

let fields = 0;

/** A labelled field. */
export function field(label, input) {
  input.id ||= `f${(fields += 1)}`;
  return h("div.field", h("label", { htmlFor: input.id }, label), input);
}
