// The log of a place in the document: at most so many rows, which move through the place as the user scrolls.

import { arrange, bdi, face, h, icon } from "./dom.js";
import { isDeed, movesText, rowsOf } from "./rows.js";
import { hueOf, pieces } from "./text.js";

/** Rows in the document … */
const MOST = 1000;
/** … and how far they move at once. */
const STEP = 300;
/** So near to an end, in pixels, more is shown. */
const NEAR = 600;

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });

const clock = (time) => CLOCK.format(time);
const dayName = (time) => DAY.format(time);

/** A day and a time of it. */
export const moment = (time) => `${dayName(time)}, ${clock(time)}`;

/** A text with its links. */
export const rich = (text) => pieces(text).map((piece) =>
  piece.url ? h("a", { href: piece.url, target: "_blank", rel: "noopener noreferrer", dir: "auto" }, piece.text) : piece.text);

const when = (time) => h("time", { dateTime: new Date(time).toISOString(), title: moment(time) }, clock(time));

/**
 * The log: {element, jump, show(place, me), toEnd()}. `hooks`: fetch("older" or "newer", place), newest(place),
 * seeing(isAtEnd), again(message), discard(message), actions(item), which makes the buttons of a message, and about(name).
 */
export function makeLog(hooks) {
  /** What is drawn, by its key: {element, looks, item}. */
  const drawn = new Map();
  let [place, me, mark, items, shown] = [null, "", "", [], null];
  /** The last line in the document, if it is not the newest. */
  let last = null;
  let isAtEnd = true;
  const element = h("div.log", { role: "log", label: "Messages", "aria-live": "off", tabIndex: 0, onscroll: scrolled, onkeydown: walk, onclick: clicked, onfocusin: attend, onpointerover: attend });
  const jump = h("button.jump", { hidden: true, onclick: toEnd }, icon("down"), "Newest");
  const actions = h("span.actions");
  new ResizeObserver(() => { if (isAtEnd) stick(); }).observe(element);

  /** Shows a place; the same again if that has changed. */
  function show(other = place, by = me) {
    const isOther = place !== other;
    if (isOther) {
      [place, last, isAtEnd] = [other, null, true];
      drawn.clear();
    }
    [me, items] = [by, [...place.items, ...place.pending]];
    const target = place.target !== null && (place.ids.has(place.target) || !place.isLoading) ? items.findLastIndex(({ id }) => id !== null && id <= place.target) : -1;
    if (target >= 0) [last, isAtEnd, place.target] = [items[target + STEP] ?? null, false, null];
    const end = isAtEnd || last === null ? items.length : items.indexOf(last) + 1 || items.length;
    const start = Math.max(0, end - MOST);
    shown = { start, end, total: items.length };
    const newMark = [start, end, items[0]?.key, items.at(-1)?.key, place.items.length, place.lineAt, place.hasOlder, place.isLoading, me, ...place.pending.map(({ key, state }) => key + state)].join();
    if (isOther || target >= 0 || newMark !== mark) {
      const anchor = isAtEnd ? null : firstSeen();
      reconcile([...top(start), ...rowsOf(items.slice(start, end), { lineAt: place.lineAt, me }).slice(-MOST)]);
      if (target >= 0) focus(drawn.get(items[target].key)?.element);
      else if (isOther) begin();
      else if (anchor?.row.isConnected) element.scrollTop = anchor.row.offsetTop - anchor.at;
    }
    // Also if only the banner has come, and the log is smaller.
    if (isAtEnd && !isOther) stick();
    mark = newMark;
    scrolled();
  }

  function top(start) {
    const isEmpty = place.firstId() === null && place.pending.length === 0;
    if (start > 0 || place.isLoading || (place.hasOlder && isEmpty)) return [{ key: "loading", type: "loading", text: "Loading …" }];
    if (place.hasOlder) return [{ key: "older", type: "loading", text: "" }];
    const text = isEmpty ? "Nothing has been said here yet." : place.isStored ? "The history begins here." : "What was said before is not kept.";
    return [{ key: `start ${text}`, type: "start", text }];
  }

  function reconcile(rows) {
    const before = new Map(drawn);
    drawn.clear();
    for (const row of rows) {
      const { item } = row;
      const looks = item ? `${row.isFollowing} ${item.id} ${item.state ?? ""} ${item.note ?? ""}` : row.moves?.length ?? row.text;
      const known = before.get(row.key);
      drawn.set(row.key, known && known.looks === looks ? known : { element: draw(row), looks, item });
    }
    arrange(element, [...drawn.values()].map((known) => known.element));
  }

  function draw(row) {
    switch (row.type) {
      case "day": return h("div.day", h("span", dayName(row.time)));
      case "new": return h("div.day.new", h("span", "New"));
      case "moves": case "note":
        return h("div.moves", when(row.time), h("span", { dir: "auto" }, row.moves ? movesText(row.moves) : rich(row.item.text)));
      case "hole": return h("div.hole", { "data-id": row.item.id }, `Something is missing here: ${row.item.text}`);
      case "start": return h("div.start", place.who ? face(place.who) : icon("talk"), h("h2", bdi(place.label)), row.text);
      case "message": return message(row);
      default: return h(`div.${row.type}`, row.text);
    }
  }

  function message({ key, item, time, isFollowing }) {
    const { id, from, text, state = "", note = "", isMention } = item;
    const isDone = isDeed(text);
    const isFailed = state === "failed";
    const name = from.startsWith("-") ? `${from.slice(1)} (gone)` : from;
    return h(`div.message${isFollowing || isDone ? ".following" : ""}${isMention ? ".mention" : ""}${isDone ? ".deed" : ""}${isFailed ? ".failed" : ""}`, { "data-id": id, "data-key": key, "data-from": from, "aria-busy": state && !isFailed ? "true" : null, tabIndex: -1 },
      isFollowing || isDone ? null : face(from),
      h("div.head", bdi(name, `.from.${hueOf(from)}`), " ", when(time)),
      h("div.text", { dir: "auto" }, isDone ? [bdi(`* ${name} `), ...rich(text.slice(4))] : rich(text)),
      note !== "" && h("div.fate", isFailed ? `Not sent: ${note}` : note),
      isFailed && h("div.choices", h("button", { onclick: () => hooks.again(item) }, "Send again"), h("button", { onclick: () => hooks.discard(item) }, "Discard")));
  }

  // One message at a time has buttons: the one under the pointer, or the one with the focus.

  const rowOf = (event) => event.target.closest(".message");

  function attend(event) {
    const row = rowOf(event);
    const item = drawn.get(row?.dataset.key)?.item;
    if (!item || item.id === null || row === actions.parentNode || (event.type === "pointerover" && actions.contains(document.activeElement))) return;
    actions.replaceChildren(...hooks.actions(item));
    row.append(actions);
  }

  function clicked(event) {
    const row = event.target.closest(".face, .from") && rowOf(event);
    if (row) hooks.about(row.dataset.from);
  }

  /** The arrows go from message to message. */
  function walk(event) {
    const step = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[event.key];
    if (!step || event.altKey) return;
    event.preventDefault();
    let row = rowOf(event)?.[step] ?? firstSeen()?.row;
    while (row && !row.matches(".message")) row = row[step];
    row?.focus();
  }

  function focus(row) {
    if (!row) return;
    row.focus({ preventScroll: true });
    row.classList.add("target");
    element.scrollTop = row.offsetTop - element.clientHeight / 3;
  }

  // Scrolling.

  const distance = () => element.scrollHeight - element.scrollTop - element.clientHeight;
  const stick = () => { element.scrollTop = element.scrollHeight; };

  /** The first row that is seen, and where. */
  function firstSeen() {
    const { scrollTop } = element;
    for (const row of element.children) {
      if (row.offsetTop + row.offsetHeight > scrollTop && row.className !== "loading") return { row, at: row.offsetTop - scrollTop };
    }
    return null;
  }

  /** A place that is opened: at what is new, or at its end. */
  function begin() {
    stick();
    const line = drawn.get("new")?.element;
    if (line && line.offsetTop < element.scrollTop) element.scrollTop = line.offsetTop - 40;
  }

  function toEnd() {
    [last, isAtEnd] = [null, true];
    hooks.newest(place);
    show();
    stick();
  }

  function scrolled() {
    if (!place || element.clientHeight === 0) return;
    const { start, end, total } = shown;
    const isNear = distance() < NEAR;
    isAtEnd = distance() < 40 && end === total && !place.hasNewer;
    const isTop = element.scrollTop < NEAR;
    if (isTop && start > 0 && !isAtEnd) move(Math.max(MOST, end - STEP));
    else if (isTop && place.hasOlder) hooks.fetch("older", place);
    else if (isNear && end < total) move(Math.min(total, end + STEP));
    else if (isNear && place.hasNewer) hooks.fetch("newer", place);
    jump.hidden = isAtEnd || (distance() < 200 && shown.end === shown.total && !place.hasNewer);
    hooks.seeing(isAtEnd);
  }

  function move(end) {
    if (end === shown.end) return;
    [last, isAtEnd] = [end === shown.total ? null : items[end - 1], false];
    show();
  }

  return { element, jump, show, toEnd, scrolled };
}
