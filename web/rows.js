// The rows of a log: messages with what stands between them. A pure function of a place.

import { dayOf, timeOf } from "./text.js";

/** Messages of one person within this time stand under one name. */
const CLOSE_MS = 300_000;

/**
 * The rows for `items`, which are messages, holes, comings and notes in their order. A row is {key, type, …}; `type` is
 * `day`, `new`, `message`, `moves`, `hole` or `note`. What is after the id `lineAt` and by others is new.
 */
export function rowsOf(items, { lineAt = null, me = "" } = {}) {
  const rows = [];
  let [day, last, isNewShown] = [null, null, lineAt === null];
  for (const item of items) {
    const time = item.time ?? timeOf(item.id);
    if (dayOf(time) !== day) {
      day = dayOf(time);
      rows.push({ key: `day ${day}`, type: "day", time });
      last = null;
    }
    if (!isNewShown && item.type === "message" && item.id > lineAt && item.from !== me) {
      isNewShown = true;
      rows.push({ key: "new", type: "new" });
      last = null;
    }
    if (item.type === "move") {
      if (last?.type === "moves") last.moves.push(item);
      else rows.push((last = { key: `moves ${item.key}`, type: "moves", time, moves: [item] }));
      continue;
    }
    const isFollowing = item.type === "message" && last?.type === "message" && last.item.from === item.from
      && time - last.time < CLOSE_MS && !isDeed(item.text) && !isDeed(last.item.text);
    rows.push((last = { key: item.key, type: item.type, item, time, isFollowing }));
  }
  return rows;
}

/** Whether a text says what somebody does: `/me waves`. */
export const isDeed = (text) => /^\/me \S/.test(text);

/** Comings and goings, in a few words. Who came and went again is told once. */
export function movesText(moves) {
  const people = new Map();
  for (const { name, how } of moves) {
    const known = people.get(name);
    people.set(name, { first: known?.first ?? how, last: how });
  }
  const said = { entered: [], left: [], both: [], other: [] };
  for (const [name, { first, last }] of people) {
    if (!said[first] || !said[last]) said.other.push(`${name} ${last}`);
    else if (first === last) said[last].push(name);
    else said.both.push(`${name} ${first === "entered" ? "came and went" : "left and came back"}`);
  }
  const list = (names, verb) => names.length === 0 ? [] : [`${namesText(names)} ${verb}`];
  return [...list(said.entered, "entered"), ...list(said.left, "left"), ...said.both, ...said.other].join(" · ");
}

function namesText(names) {
  if (names.length > 4) return `${names.slice(0, 3).join(", ")} and ${names.length - 3} others`;
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
