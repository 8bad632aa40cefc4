// The log of a place in the document: at most so many rows, which move through the place as the user scrolls.

import { bdi, h, icon } from "./dom.js";
import { isDeed, movesText, rowsOf } from "./rows.js";
import { pieces } from "./text.js";

/** Rows in the document … */
const MOST = 1000;
/** … and how far they move at once. */
const STEP = 300;
/** So near to an end, in pixels, more is shown. */
const NEAR = 600;

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

export const clock = (time) => CLOCK.format(time);
export const dayName = (time) => DAY.format(time);

/** A text with its links. */
export const rich = (text) => pieces(text).map((piece) =>
  piece.url ? h("a", { href: piece.url, target: "_blank", rel: "noopener noreferrer", dir: "auto" }, piece.text) : piece.text);

/** One of eight hues, by name. */
export function hueOf(name) {
  let sum = 0;
  for (const char of name.toLowerCase()) sum = (sum * 31 + char.codePointAt(0)) % 8191;
  return `hue${sum % 8}`;
}

const when = (time) => h("time", { dateTime: new Date(time).toISOString(), title: new Date(time).toLocaleString() }, clock(time));

export class Log {
  /** `hooks`: {older(), seeing(isSeeing), again(message), discard(message), erase(message), canErase(item), open(name)}. */
  constructor(hooks) {
    this.hooks = hooks;
    this.rows = new Map();
    /** The last line in the document, if it is not the newest. */
    this.last = null;
    this.element = h("div", { class: "log", role: "log", "aria-label": "Messages", "aria-live": "off", tabIndex: 0, onscroll: () => this.scrolled() });
    this.jump = h("button", { class: "jump", hidden: true, onclick: () => this.toEnd() }, icon("down"), h("span", {}, "Newest"));
    new ResizeObserver(() => { if (this.isAtEnd) this.stick(); }).observe(this.element);
    this.isAtEnd = true;
  }

  /** Shows a place. */
  show(place, me) {
    const isOther = this.place !== place;
    this.me = me;
    if (isOther) {
      [this.place, this.last, this.isAtEnd] = [place, null, true];
      this.element.replaceChildren();
      this.rows.clear();
    }
    const anchor = this.isAtEnd ? null : this.anchor();
    const items = [...place.items, ...place.pending];
    const end = this.isAtEnd || this.last === null ? items.length : items.indexOf(this.last) + 1 || items.length;
    const start = Math.max(0, end - MOST);
    [this.shown, this.items] = [{ start, end, total: items.length }, items];
    const rows = rowsOf(items.slice(start, end), { lineAt: place.lineAt, me });
    this.reconcile([...this.top(place, start), ...rows.slice(-MOST)]);
    if (isOther) this.begin();
    else if (this.isAtEnd) this.stick();
    else if (anchor?.row.isConnected) this.element.scrollTop = anchor.row.offsetTop - anchor.at;
    this.scrolled();
  }

  top(place, start) {
    if (start > 0 || place.isLoading) return [{ key: "loading", type: "loading", text: "Loading …" }];
    if (place.hasOlder) return [{ key: "older", type: "loading", text: "" }];
    const isEmpty = place.firstId() === null && place.pending.length === 0;
    const text = isEmpty ? "Nothing has been said here yet." : place.isStored ? "This is as far back as the history goes." : "";
    return text === "" ? [] : [{ key: `start ${text}`, type: "start", text }];
  }

  reconcile(rows) {
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, known] of this.rows) {
      if (keys.has(key)) continue;
      known.element.remove();
      this.rows.delete(key);
    }
    let at = this.element.firstChild;
    for (const row of rows) {
      const mark = this.markOf(row);
      let known = this.rows.get(row.key);
      if (known?.mark !== mark) {
        const element = this.draw(row);
        if (known?.element === at) at = at?.nextSibling ?? null;
        known?.element.remove();
        known = { element, mark };
        this.rows.set(row.key, known);
      }
      if (known.element === at) at = at.nextSibling;
      else this.element.insertBefore(known.element, at);
    }
  }

  /** What a row looks like depends on this. */
  markOf(row) {
    const { item } = row;
    if (row.type === "moves") return `${row.moves.length}`;
    return item ? `${row.isFollowing} ${item.id} ${item.state ?? ""} ${item.note ?? ""}` : row.text ?? "";
  }

  draw(row) {
    switch (row.type) {
      case "day": return h("div", { class: "day" }, h("span", {}, dayName(row.time)));
      case "new": return h("div", { class: "day new" }, h("span", {}, "New"));
      case "moves": return h("div", { class: "moves" }, when(row.time), h("span", { dir: "auto" }, movesText(row.moves)));
      case "note": return h("div", { class: "moves note" }, when(row.time), h("span", { dir: "auto" }, rich(row.item.text)));
      case "hole": return h("div", { class: "hole", "data-id": row.item.id }, h("span", {}, `Something is missing here: ${row.item.text}`));
      case "message": return this.message(row);
      default: return h("div", { class: row.type }, row.text);
    }
  }

  message({ item, time, isFollowing }) {
    const { id, from, text, state = "", note = "", isMention } = item;
    const isMine = from === this.me;
    const isDone = isDeed(text);
    const isBusy = ["queued", "sent", "unsure"].includes(state);
    const name = from.startsWith("-") ? `${from.slice(1)} (gone)` : from;
    const who = bdi(name, { class: `from ${hueOf(from)}` });
    const buttons = state === "failed"
      ? h("span", { class: "choices" },
        h("button", { onclick: () => this.hooks.again(item) }, "Send again"),
        h("button", { onclick: () => this.hooks.discard(item) }, "Discard"))
      : this.hooks.canErase(item) ? h("button", { class: "erase", "aria-label": `Erase: ${text.slice(0, 40)}`, title: "Erase for everybody", onclick: () => this.hooks.erase(item) }, icon("close")) : null;
    return h("div", {
      class: ["message", isFollowing && "following", isMine && "mine", isMention && "mention", isDone && "deed", state === "failed" && "failed"].filter(Boolean).join(" "),
      "data-id": id === null ? null : String(id), "data-from": from, "aria-busy": isBusy ? "true" : null,
    }, h("div", { class: "head" }, who, " ", when(time)),
    h("div", { class: "text", dir: "auto" }, isDone ? [bdi(`* ${name} `, { class: "actor" }), ...rich(text.slice(4))] : rich(text)),
    note === "" ? null : h("div", { class: "fate" }, state === "failed" ? `Not sent: ${note}` : note), buttons);
  }

  // Scrolling.

  get distance() { return this.element.scrollHeight - this.element.scrollTop - this.element.clientHeight; }
  stick() { this.element.scrollTop = this.element.scrollHeight; }

  /** The first row that is seen, and where. */
  anchor() {
    const { scrollTop } = this.element;
    for (const row of this.element.children) {
      if (row.offsetTop + row.offsetHeight > scrollTop && row.className !== "loading") return { row, at: row.offsetTop - scrollTop };
    }
    return null;
  }

  /** A place that is opened: at what is new, or at its end. */
  begin() {
    this.stick();
    const line = this.rows.get("new")?.element;
    if (line && line.offsetTop < this.element.scrollTop) this.element.scrollTop = line.offsetTop - 40;
    this.isAtEnd = this.distance < 40;
  }

  toEnd() {
    [this.last, this.isAtEnd] = [null, true];
    this.show(this.place, this.me);
    this.stick();
  }

  scrolled() {
    if (!this.place || this.element.clientHeight === 0) return;
    const { start, end, total } = this.shown;
    this.isAtEnd = this.distance < 40 && end === total;
    const { scrollTop } = this.element;
    if (scrollTop < NEAR && start > 0 && !this.isAtEnd) this.move(Math.max(MOST, end - STEP));
    else if (scrollTop < NEAR && this.place.hasOlder) this.hooks.older();
    else if (this.distance < NEAR && end < total) this.move(Math.min(total, end + STEP));
    this.afterMove();
  }

  move(end) {
    if (end === this.shown.end) return;
    [this.last, this.isAtEnd] = [end === this.shown.total ? null : this.items[end - 1], false];
    this.show(this.place, this.me);
  }

  afterMove() {
    this.jump.hidden = this.isAtEnd || (this.distance < 200 && this.shown.end === this.shown.total);
    this.hooks.seeing(this.isAtEnd);
  }
}
