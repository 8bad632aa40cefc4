// A place: its log, and what is unread in it.

import { isRoom, keyOf, placeName, placeWord } from "./wire.js";
import { timeOf } from "./text.js";

/** The messages of a place that are remembered while nobody looks back … */
const PLACE_KEPT = 1000;
/** … and while somebody does. */
export const PLACE_MOST = 50_000;

export class Place {
  /** Messages, holes, comings and notes, in their order. Each has an id; only messages and holes have their own. */
  items = [];
  /** Own messages that have no id yet, in the order in which they were said. */
  pending = [];
  ids = new Set();
  noteCount = 0;
  /** Whether there is more behind the last message that is here. */
  hasNewer = false;
  /** What comes while that is fetched, else null. */
  ahead = null;
  /** The id of the message to be shown, else null. */
  target = null;
  /** Pages that were asked for before the log began anew are not for it. */
  epoch = 0;
  isLoading = false;
  /** What the room is about; null before the server has told it. */
  topic = null;
  kept = null;
  people = null;
  lineAt = null;
  draft = "";
  toTell = null;
  mark = 0n;

  constructor(name) {
    this.name = name;
    this.key = keyOf(name);
    this.label = placeName(name);
    this.word = placeWord(name);
    this.isRoom = isRoom(name);
    /** The other one of a direct conversation, else "". */
    this.who = name.startsWith("@") ? name.slice(1) : "";
    /** Whether the server keeps what is said here. */
    this.isStored = this.hasOlder = this.isJoined = !this.isRoom;
    this.level = this.who ? "all" : "mentions";
    this.forgetCounts();
  }

  // The log.

  lastId() { return this.items.findLast((item) => this.ids.has(item.id))?.id ?? null; }
  firstId() { return this.items.find((item) => this.ids.has(item.id))?.id ?? null; }

  /** Adds a message at its place. False if it is there, or before the first one that is shown. */
  add(item) {
    const first = this.firstId();
    if (this.ids.has(item.id) || (this.hasOlder && first !== null && item.id < first)) return false;
    item.place = this;
    if (this.hasNewer) {
      this.ahead?.push(item);
      return true;
    }
    let at = this.items.length;
    // The notes of an empty log have the time of this machine, which may be ahead.
    if (item.id < this.lastId()) while (at > 0 && this.items[at - 1].id > item.id) at -= 1;
    this.items.splice(at, 0, item);
    this.ids.add(item.id);
    return true;
  }

  /** Adds the messages of a page. */
  merge(items) {
    const fresh = items.filter((item) => !this.ids.has(item.id));
    for (const item of fresh) {
      item.place = this;
      this.ids.add(item.id);
    }
    this.items = [...fresh, ...this.items].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  }

  drop(message) { this.pending = this.pending.filter((other) => other !== message); }

  /** A message of one's own has arrived. */
  confirm(message, id, note) {
    this.drop(message);
    Object.assign(message, { id: id ?? this.lastId() ?? 0n, state: "", note });
    if (id === null) return void this.items.push(message);
    delete message.time;
    this.add(message);
  }

  /** A line that is no message, now. */
  note(text, time) {
    this.remark({ type: "note", text }, time);
  }

  move(name, how, time) {
    this.remark({ type: "move", name, how }, time);
  }

  remark(item, time) {
    this.noteCount += 1;
    this.items.push({ ...item, key: `${item.type} ${this.noteCount}`, id: this.lastId() ?? BigInt(time) << 20n, time: this.notBefore(time) });
  }

  /** Clocks differ: a note stands not before the message above it. */
  notBefore(time) {
    const last = this.items.at(-1);
    return last ? Math.max(time, last.time ?? timeOf(last.id)) : time;
  }

  /** Drops the oldest lines. They can be fetched again if the server keeps them. */
  trim(most = PLACE_KEPT) {
    if (this.items.length <= most) return;
    for (const item of this.items.splice(0, this.items.length - most)) {
      if (this.ids.delete(item.id) && this.isStored) this.hasOlder = true;
    }
    // A note keeps the id of a message that is gone; it is never taken for one.
  }

  clear() {
    this.items = [];
    this.ids.clear();
    this.hasOlder = true;
    this.hasNewer = this.isLoading = false;
    this.ahead = null;
    this.epoch += 1;
  }

  erase(id) { this.eraseIds(new Set([id])); }

  eraseAll(name) {
    const key = keyOf(name);
    this.eraseIds(new Set(this.items.filter(({ type, from }) => type === "message" && keyOf(from) === key).map(({ id }) => id)));
  }

  eraseIds(gone) {
    for (const id of gone) this.ids.delete(id);
    this.items = this.items.filter(({ id, type }) => !gone.has(id) || type === "note" || type === "move");
    this.heard = this.heard.filter(({ id }) => !gone.has(id));
  }

  // What is unread.

  forgetCounts() {
    this.counted = { count: 0, mentions: 0, last: 0n };
    this.heard = [];
  }

  learn({ count, mentions, read, last, level }) {
    this.counted = { count, mentions, last };
    this.heard = this.heard.filter((heard) => heard.id > last);
    this.isStored = true;
    if (this.items.length === 0) this.hasOlder = true;
    if (level !== null) this.level = level;
    this.read(read);
  }

  hear(id, isLoud) {
    if (id > this.mark && id > this.counted.last && this.heard.length < 1000) this.heard.push({ id, isLoud });
  }

  read(id) {
    if (id > this.mark) this.mark = id;
    if (this.mark >= this.counted.last) this.counted = { ...this.counted, count: 0, mentions: 0 };
    this.heard = this.heard.filter((heard) => heard.id > this.mark);
  }

  /** {count, loud} of what is unread. */
  get unread() {
    const count = this.counted.count + this.heard.length;
    const loud = this.counted.mentions + this.heard.filter((heard) => heard.isLoud).length;
    return { count, loud };
  }
}
