// A conversation with the server: lines, the user's intents and time go in; actions and state for the view come out.
// No document, no clock, no connection.
//
//   out ─▶ connecting ─▶ login ─▶ ready ─▶ waiting ─▶ connecting …
//
// After each login: WANT ─▶ UNREAD ─▶ JOIN … ─▶ HISTORY after C ─▶ … ─▶ end. C is the highest id up to which everything
// is here. Live lines raise it only after the end, and an unconfirmed line of one's own holds it where it was.

import { ALL, confirmed, isRoom, keyOf, noteOf, pageEnd, parse, pastLine, idOf, placeWord, retryIn, unreadLine } from "./wire.js";
import { PLACE_MOST, Place } from "./place.js";
import { byteLength, mentions, withoutInvisible } from "./text.js";

/** A line of a client with its end, in bytes. */
const LINE_BYTES = 4096;
/** Texts that wait for their confirmation at once. */
const IN_FLIGHT = 8;
/** Lines of a page. */
const PAGE = 200;
const FIRST_PAGE = 60;
/** More missed lines than this are not fetched one by one, but when somebody looks. */
const MISSED_MOST = 1000;
const TOKEN_EVERY_MS = 43_200_000;
const READ_EVERY_MS = 1000;
/** A server that has not answered a line for this long is not there. */
const ANSWER_MS = 30_000;
const PROBE_MS = 8_000;
/** After so much silence the connection is tried. */
const SILENCE_MS = 120_000;
const GREETING_MS = 15_000;
/** So long an erasure may take. */
const FORGET_MS = 75_000;
/** Who is online is asked for again after this time, and after so much for each of them. */
const WHO_EVERY_MS = 10_000;
const WHO_EACH_MS = 60;
/** People whose coming and going is told. */
const WATCHED_MOST = 30;
/** Reasons after which only the user connects again. */
const FINAL = ["too many failures", "logged in", "another login", "put out", "banned", "not a chat client"];

/** The names that begin lines of a list, by their keys. */
const namesOf = (lines) => new Map(lines.map(({ text }) => text.split(" ")[0]).map((name) => [keyOf(name), name]));

/** Puts a name among others, or takes it away. */
function setAmong(names, name, isIn) {
  if (isIn) names.set(keyOf(name), name);
  else names.delete(keyOf(name));
}

export class Session {
  ownCount = 0;
  peopleVersion = 0;

  /**
   * `saved`: {name, token, rooms, place, unsent}, what an earlier page has kept; `isCopy` if that page may still be
   * there. `random`: numbers from 0 to 1.
   */
  constructor(saved = {}, random = Math.random) {
    this.random = random;
    this.out = [];
    /** The time of what is being done, in milliseconds; the caller sets it before an intent that takes no time. */
    this.now = 0;
    this.me = saved.name ?? "";
    this.token = saved.token ?? "";
    /** Whose conversation this is. */
    this.who = saved.name;
    this.savedRooms = new Map((saved.rooms ?? []).map(({ name, password = "" }) => [keyOf(name), { name, password }]));
    this.reset();
    this.restore(saved.unsent ?? {}, saved.isCopy);
    this.current = this.place(saved.place ?? ALL).key;
  }

  /** As before any login. */
  reset() {
    Object.assign(this, {
      phase: "out", hasEntered: false, isCurrent: false, isOutdated: false,
      password: null, prompt: null, asked: "", error: "", reason: "", away: "",
      attempts: 0, retryAt: null, retryDelay: 0,
      requests: [], timers: new Map(), pauses: new Map(), online: new Map(),
      // Whether the server keeps what is said, and whether it can search in that.
      hasHistory: true, hasSearch: true,
    });
    this.version ??= "";
    this.forgetPlaces();
  }

  forgetPlaces() {
    this.places = new Map();
    this.current = keyOf(ALL);
    this.place(ALL);
    this.queue = [];
    this.top = null;
    this.liveTop = 0n;
    this.ignored = new Map();
    this.presence = new Map();
    this.watched = new Set();
  }

  /** What the next page of this tab gives to `restore`. */
  unsent() {
    const [lines, drafts] = [[], []];
    for (const { name, pending, draft } of this.all) {
      if (draft) drafts.push({ name, draft });
      for (const { text, time, state, note, sentTop } of pending) lines.push({ name, text, time, state, note, sentTop: String(sentTop ?? "") });
    }
    return lines.length + drafts.length === 0 ? null : { by: this.who, lines, drafts };
  }

  /** Texts that waited go on waiting. Whether those that were sent have arrived is looked up. A copy sends nothing. */
  restore({ by, lines = [], drafts = [] }, isCopy) {
    this.who ??= by;
    for (const { name, draft } of drafts) this.place(name).draft = draft;
    for (const { name, text, time, state, note, sentTop } of lines) {
      const message = this.write(this.place(name), text);
      Object.assign(message, { time, state: state === "sent" ? "unsure" : state, note, sentTop: idOf(sentTop) ?? undefined });
      if (state !== "queued") continue;
      if (isCopy) Object.assign(message, { state: "failed", note: "the page was closed" });
      else this.queue.push(message);
    }
  }

  /** The actions since the last call: {do: "connect" | "close" | "send" | "save" | "heard" | "missed" | "told" | "trouble", …}. */
  take() {
    const actions = this.out;
    this.out = [];
    return actions;
  }

  act(name, fields = {}) { this.out.push({ do: name, ...fields }); }
  get here() { return this.places.get(this.current); }
  /** Whether the user must give a name and a password. */
  get needsForm() { return this.phase === "out" || (!this.hasEntered && !this.token); }
  get isReady() { return this.phase === "ready"; }
  get all() { return [...this.places.values()]; }

  find(name) { return this.places.get(keyOf(name)); }

  /** The place of a name, made if it is new. */
  place(name) {
    let place = this.find(name);
    if (!place) {
      place = new Place(name);
      place.hasOlder &&= this.hasHistory;
      this.places.set(place.key, place);
      if (this.isCurrent) this.watch(place);
    }
    return place;
  }

  // Connecting and logging in.

  /** The page is there: with a token, the conversation goes on. */
  start() { if (this.token && this.me) this.connect(); }

  connect() {
    this.retryAt = null;
    this.reason = "";
    this.phase = "connecting";
    this.heardAt = this.now;
    this.after("greeting", GREETING_MS, () => this.giveUp());
    this.act("connect");
  }

  /** The user's name and password. */
  signIn(name, password) {
    [this.error, this.password, this.me, this.token] = ["", password, name.trim(), ""];
    if (!this.me || !password) return this.ask(this.me ? "a password is needed" : "a name is needed");
    if (this.phase === "out") return this.connect();
    if (this.prompt === "name") return this.sendName();
    if (this.prompt === "password") return this.asked === this.me ? this.answer(password) : this.send("C ");
  }

  sendName() {
    [this.asked, this.prompt, this.isNew] = [this.me, null, false];
    this.send(`C ${this.me} ${this.token}`.trim());
  }

  answer(password) {
    [this.password, this.prompt] = [null, null];
    this.send(`C ${password}`);
  }

  /** The connection has ended. */
  closed() {
    if (this.phase === "out") return;
    this.dropRequests();
    this.isCurrent = false;
    this.presence.clear();
    const { reason } = this;
    const isFinal = FINAL.some((words) => reason.startsWith(words));
    if (reason.startsWith("password was changed")) this.forgetToken();
    if (!this.token || (isFinal && !this.hasEntered)) {
      this.error = reason || this.error || "the server cannot be reached";
      if (reason.startsWith("login took too long")) this.error = "";
      [this.prompt, this.password, this.hasEntered] = [null, null, false];
      return void (this.phase = "out");
    }
    if (isFinal) return void (this.phase = "stopped");
    const told = retryIn(reason);
    const most = Math.min(60_000, 1000 * 2 ** Math.min(this.attempts, 6));
    this.retryDelay = told === null ? most / 2 + this.random() * (most / 2) : told * 1000 + this.random() * 1000;
    this.attempts += 1;
    this.retryAt = this.now + this.retryDelay;
    this.phase = "waiting";
  }

  /** The network is back, or the machine has woken up. */
  wake() {
    if (this.phase === "waiting") this.connect();
    else if (this.isReady && !this.timers.has("probe")) this.probe();
  }

  /** The user asks to connect. */
  retry() { if (this.phase === "waiting" || this.phase === "stopped") this.connect(); }

  probe() {
    this.after("probe", PROBE_MS, () => this.giveUp());
    this.request("NOOP");
  }

  signOut() {
    this.forgetToken(true);
    if (this.isReady) this.send("C EX");
    this.act("close");
    this.reset();
    this.me = "";
    this.savedRooms.clear();
  }

  /** Another tab may have a new token: that one is forgotten only if `isAll`. */
  forgetToken(isAll) {
    const old = this.token;
    this.token = "";
    this.save({ old, isAll });
  }

  save(fields) {
    const rooms = [...this.savedRooms.values()];
    this.act("save", { saved: { name: this.me, token: this.token, rooms, place: this.here?.name }, ...fields });
  }

  // Lines of the server.

  /** A line of the server. */
  line(text) {
    this.heardAt = this.now;
    this.timers.delete("probe");
    const frame = parse(text);
    if (!frame || frame.type === "other") return;
    if (frame.type !== "reply") return void (this.isReady && this[frame.type](frame));
    if (frame.code === 421) return void (this.reason = frame.text);
    if (!this.isReady) return frame.more ? undefined : this.loginReply(frame);
    const request = this.requests[0];
    if (!request) return;
    if (frame.more) return void request.lines.push(frame);
    this.requests.shift();
    const [next] = this.requests;
    if (next) next.until = Math.max(next.until, this.now + ANSWER_MS);
    request.done(frame.code, frame.text, request.lines);
    this.pump();
  }

  loginReply({ code, text }) {
    switch (code) {
      case 220: {
        const version = /^chatd (\S+)/.exec(text)?.[1] ?? "";
        if (this.version && version !== this.version) this.isOutdated = true;
        this.version ||= version;
        this.phase = "login";
        this.timers.delete("greeting");
        return this.sendName();
      }
      case 331: case 332:
        this.isNew = code === 332;
        this.prompt = "password";
        return this.password === null ? this.ask(text) : this.answer(this.password);
      case 230:
        return this.entered(/^welcome ([^;\s]+)/.exec(text)?.[1] ?? this.me);
      case 200:
        this.prompt = "name";
        return this.password === null ? undefined : this.sendName();
      case 531:
        this.forgetToken();
        // falls through: a password is asked for
      default:
        this.prompt = code === 553 || text.endsWith("your name?") ? "name" : "password";
        return this.ask(text);
    }
  }

  /** The form is shown, with the server's words; it asks itself. */
  ask(words) { [this.hasEntered, this.error, this.password] = [false, words.split("; your ")[0], null]; }

  entered(name) {
    this.me = name;
    if ((this.who ??= name) !== name) {
      this.who = name;
      this.savedRooms.clear();
      this.forgetPlaces();
    }
    const isReturn = this.top !== null;
    Object.assign(this, { phase: "ready", hasEntered: true, isCurrent: false, attempts: 0, error: "", prompt: null, password: null });
    this.request("WANT ids reads forgets own");
    this.renewToken();
    this.request("IGNORE", (code, text, lines) => {
      if (code === 211) this.ignored = namesOf(lines);
    });
    if (this.away) this.request(`AWAY ${this.away}`);
    if (this.isNew) this.note(this.place(ALL), `Welcome, ${name}. This account is new.`);
    this.isNew = false;
    this.askUnread(isReturn);
    this.watched.clear();
    this.refreshWho();
    if (!isReturn) this.ensure();
  }

  renewToken() {
    this.after("token", TOKEN_EVERY_MS, () => this.renewToken());
    this.request("TOKEN", (code, text) => {
      const token = /^(\S+) expires=/.exec(text)?.[1];
      if (code === 231 && token) {
        this.token = token;
        this.save();
      }
    });
  }

  // What was missed.

  askUnread(isReturn) {
    this.request("UNREAD", (code, text, lines) => {
      if (this.isLater("unread", code, () => this.askUnread(isReturn))) return;
      if (code !== 213) {
        this.hasHistory = this.hasSearch = false;
        for (const place of this.all) place.hasOlder = false;
      }
      this.learnUnread(lines);
      if (!isReturn) this.open(this.here.name);
      this.enterRooms();
      if (code !== 213) return this.endResume();
      this.missed = { count: 0, loud: 0, lines: 0 };
      if (!isReturn) this.top = this.all.reduce((top, { counted }) => (counted.last > top ? counted.last : top), this.top ?? 0n);
      if (isReturn || this.isUnsure) this.askMissed(this.resumeFrom());
      else this.endResume();
    });
  }

  learnUnread(lines) {
    for (const place of this.all) place.forgetCounts();
    for (const { text } of lines) {
      const unread = unreadLine(text);
      if (!unread) continue;
      const place = this.place(unread.place);
      place.learn(unread);
      if (place.isRoom && !this.savedRooms.has(place.key)) this.savedRooms.set(place.key, { name: place.name, password: "" });
    }
  }

  enterRooms() {
    for (const { name, password } of this.savedRooms.values()) {
      this.place(name).isJoined = true;
      this.enter("JOIN", name, password, true, () => {});
    }
    this.ensure();
  }

  /** C: everything up to here is known. */
  resumeFrom() {
    let from = this.top ?? 0n;
    for (const message of this.unconfirmed()) if (message.sentTop !== undefined && message.sentTop < from) from = message.sentTop;
    return from;
  }

  *unconfirmed() {
    for (const place of this.all) for (const message of place.pending) if (message.state !== "failed") yield message;
  }

  /** Whether something was sent of which nobody knows whether it has arrived. */
  get isUnsure() { return [...this.unconfirmed()].some((message) => message.state === "unsure"); }

  askMissed(after) {
    this.request(`HISTORY after ${after} ${PAGE}`, (code, text, lines) => {
      if (this.isLater("missed", code, () => this.askMissed(after))) return;
      const end = pageEnd(text);
      if (!end) return this.endResume();
      for (const { text: line } of lines) this.takeMissed(pastLine(line));
      if (end.next !== null && end.next > after) {
        if (this.missed.lines <= MISSED_MOST || this.isUnsure) return this.askMissed(end.next);
        this.clearLogs();
      }
      this.endResume();
    });
  }

  takeMissed(line) {
    if (!line) return;
    this.missed.lines += 1;
    this.raise(line.id);
    const place = this.place(line.place);
    if (this.isMe(line.from) && this.arrive(place, line)) return;
    const isNew = this.show(place, line);
    if (isNew && line.id > place.mark && !this.isMe(line.from) && !line.isHole && place.level !== "none") {
      this.missed.count += 1;
      if (this.isLoud(place, line)) this.missed.loud += 1;
    }
  }

  /** Whether this line of mine is one that was not confirmed. */
  arrive(place, line) {
    const message = place.pending.find(({ state, text }) => state === "unsure" && withoutInvisible(text) === line.text);
    if (message) place.confirm(message, line.id, "");
    return message;
  }

  /** So much was missed that the logs begin anew; they are fetched when somebody looks. */
  clearLogs() {
    for (const place of this.all) if (place.isStored) place.clear();
    this.ensure();
  }

  endResume() {
    this.isCurrent = true;
    if (this.top === null || this.liveTop > this.top) this.top = this.liveTop;
    for (const message of [...this.unconfirmed()]) {
      if (message.state === "unsure") this.fail(message, this.hasHistory && message.place.isStored ? "this has not arrived" : "this may not have arrived");
    }
    const missed = this.missed;
    if (missed?.count > 0) this.act("missed", missed);
    this.missed = undefined;
    for (const place of this.all) this.watch(place);
    this.ensure();
    this.markRead();
    this.pump();
  }

  /** Whether the server cannot answer now. Then it is asked again: after 1 s, then after twice as long, up to 30 s. */
  isLater(what, code, ask) {
    const pause = Math.min((this.pauses.get(what) ?? 500) * 2, 30_000);
    this.pauses.delete(what);
    if (code !== 450) return false;
    this.pauses.set(what, pause);
    this.after(what, pause, ask);
    return true;
  }

  // Messages.

  isMe(name) { return name === null || keyOf(name) === keyOf(this.me); }

  isLoud(place, message) {
    if (this.isMe(message.from) || place.level === "none" || this.ignored.has(keyOf(message.from ?? ""))) return false;
    return place.level === "all" || place.who !== "" || message.isMention === true;
  }

  said(frame) {
    const from = frame.from ?? this.me;
    const place = this.place(frame.place);
    const isMention = place.who !== "" || mentions(frame.text, this.me);
    const message = { id: frame.id, from, text: frame.text, isMention };
    this.raise(frame.id);
    if (this.isCurrent) this.top = frame.id;
    if (!this.show(place, message) || this.isMe(from)) return;
    place.hear(message.id, this.isLoud(place, message));
    if (!place.isRoom || !from.startsWith("~")) this.setOnline(from, true);
    this.act("heard", { place, message, isLoud: this.isLoud(place, message) });
    if (place !== this.here) return;
    if (!this.isSeeing) place.lineAt ??= place.mark;
    this.markRead();
  }

  /** A line with this id is here. */
  raise(id) { if (id > this.liveTop) this.liveTop = id; }

  /** Puts a message into its log. False if it is there, or before everything that is shown. */
  show(place, line) {
    if (!place.add(this.itemOf(line))) return false;
    this.trim(place);
    return true;
  }

  /** What the user reads stays. */
  trim(place) { place.trim(place === this.here && this.isLookingBack ? PLACE_MOST : undefined); }

  itemOf(line) {
    return { ...line, key: String(line.id), type: line.isHole ? "hole" : "message", isMention: line.isMention && !this.isMe(line.from) };
  }

  /** Says texts in a place. Those that are too long are not said: false, and nothing is. */
  say(place, texts) {
    if (texts.some((text) => this.excess(place, text) > 0)) return false;
    place.lineAt = null;
    this.newest(place);
    for (const text of texts) this.queue.push(this.write(place, text));
    this.pump();
    return true;
  }

  write(place, text) {
    const message = { key: `own ${(this.ownCount += 1)}`, type: "message", id: null, from: this.me, text, place, state: "queued", note: "", time: this.now };
    place.pending.push(message);
    return message;
  }

  /** The bytes by which a text is too long for a place; below 0: the room that is left. */
  excess(place, text) { return byteLength(`C ${this.verbFor(place)} ${text}\r\n`) - LINE_BYTES; }

  verbFor(place) {
    if (place.name === ALL) return "PM";
    return place.isRoom ? `RM ${place.word}` : `DM ${place.who}`;
  }

  /** Sends what waits, as much as may be unconfirmed at once. */
  pump() {
    if (!this.isReady || !this.isCurrent) return;
    let open = this.requests.filter((request) => request.message).length;
    while (open < IN_FLIGHT && this.queue.length > 0) {
      this.sendText(this.queue.shift());
      open += 1;
    }
  }

  sendText(message) {
    const { place, text } = message;
    [message.state, message.sentTop] = ["sent", this.top ?? 0n];
    const done = (code, words) => this.answered(message, code, words);
    if (!text.startsWith(" ")) return this.request(`${this.verbFor(place)} ${text}`, done, { message });
    // Behind its verb a text begins at the first character that is no space; at a prompt it is the line as it is.
    let isAsked = false;
    this.request(this.verbFor(place), (code, words) => {
      isAsked = code === 354;
      if (!isAsked) this.answered(message, code, words);
    }, { message });
    this.request(`D ${text}`, (code, words) => { if (isAsked) done(code, words); }, { message });
  }

  answered(message, code, words) {
    if (message.state === "gone") return;
    if (code !== 250) return this.fail(message, words);
    const { told, id } = confirmed(words);
    this.raise(id);
    if (this.isCurrent && id > (this.top ?? 0n)) this.top = id;
    message.place.confirm(message, id, noteOf(told));
  }

  fail(message, why) {
    [message.state, message.note] = ["failed", why];
    this.act("trouble", { text: `Not sent: ${why}` });
  }

  /** The user wants a failed message to be sent again, or not at all. */
  sendAgain(message) {
    [message.state, message.note, message.sentTop] = ["queued", "", undefined];
    this.queue.push(message);
    this.pump();
  }

  discard(message) {
    message.state = "gone";
    message.place.drop(message);
  }

  // Notices.

  notice({ code, text }) {
    const [first, second = "", ...rest] = text.split(" ");
    const tail = rest.join(" ");
    switch (code) {
      case 100:
        return this.noteAloud(this.place(ALL), `The operator: ${text}`);
      case 101: return this.setPresence(first, second === "back" ? "online" : second, tail);
      case 102: return tail === `${rest[0]} now` && this.renamed(first, rest[0]);
      case 103: return this.move(first, second, "entered");
      case 104: return this.move(first, second, tail === "left: kicked" ? "was put out" : "left");
      case 105: {
        const [, by, topic = ""] = /^\S+ by (\S+):(?: (.*))?$/s.exec(text) ?? [];
        const place = this.place(first);
        if (place.topic !== null && place.topic !== topic) this.note(place, topic ? `${by} set the topic: ${topic}` : `${by} removed the topic`);
        place.topic = topic;
        return;
      }
      case 106: return this.gone(first, `this room is closed: ${text.slice(first.length + 9)}`);
      case 107: return this.move(first, second, "is host now");
      case 108:
        for (const place of this.all) if (first === "-" || keyOf(first) === place.key) place.read(idOf(second) ?? 0n);
        return;
      case 109:
        if (second === "all") this.find(first)?.eraseAll(tail);
        else this.find(first)?.erase(idOf(second));
        return;
      case 111: return this.noteAloud(this.here, `${second} invites you: /join ${first}`);
      case 112: {
        const place = this.place(first);
        [place.kept, place.isStored] = second === "kept" ? [tail, true] : [null, false];
        return this.note(place, second === "kept" ? `this room is kept for ${tail} days` : "this room is not kept any more");
      }
      default: return;
    }
  }

  move(room, name, how) {
    const place = this.find(room);
    if (!place) return;
    place.move(name, how, this.now);
    this.trim(place);
    if (place.people) {
      const key = keyOf(name);
      if (how === "entered") {
        place.people.set(key, { name, isAbsent: false, isHost: false });
        // It may be the host of a kept room, who was away.
        if (place.kept !== null) this.after(`names ${place.key}`, 1000, () => this.refreshNames(place));
      } else if (how === "is host now") for (const person of place.people.values()) person.isHost = keyOf(person.name) === key;
      else if (place.kept !== null && how === "left" && !name.startsWith("~")) this.refreshNames(place);
      else place.people.delete(key);
      this.peopleChanged();
    }
    if (how === "was put out" && this.isMe(name)) this.gone(room, "you were put out of this room");
  }

  /** Somebody in a room of this session has another name. What is said to the old one may reach somebody else. */
  renamed(was, now) {
    const key = keyOf(was);
    for (const place of this.all) {
      const person = place.people?.get(key);
      if (person || place.key === `@${key}`) this.note(place, `${was} is ${now} now`);
      if (!person) continue;
      place.people.delete(key);
      place.people.set(keyOf(now), { ...person, name: now });
    }
    this.setOnline(was, false);
    this.setOnline(now, true);
  }

  note(place, text) {
    place.note(text, this.now);
    this.trim(place);
  }

  /** The same, of something that is no matter of one place. */
  noteAloud(place, text) {
    this.note(place, text);
    this.act("told", { text });
  }

  gone(room, why) {
    const place = this.find(room);
    this.savedRooms.delete(keyOf(room));
    this.save();
    if (!place) return;
    Object.assign(place, { isJoined: false, isStored: false, people: null, kept: null, hasOlder: false });
    this.note(place, why);
  }

  // Requests.

  send(line) { this.act("send", { line }); }

  /** Sends an operation. `done(code, text, lines)` gets its reply; `fields` may have a `message`, and `lost` for a break. */
  request(line, done = () => {}, fields = {}) {
    this.requests.push({ done, lines: [], until: this.now + (line.startsWith("FORGET") ? FORGET_MS : ANSWER_MS), ...fields });
    this.send(line.startsWith("D ") ? line : `C ${line}`);
  }

  dropRequests() {
    const open = this.requests;
    this.requests = [];
    for (const { message, lost } of open) {
      if (message?.state === "sent") message.state = "unsure";
      lost?.();
    }
    this.timers.clear();
    this.pauses.clear();
    for (const place of this.all) [place.isLoading, place.ahead] = [false, null];
  }

  /** Asks for something. `tell({code, text, lines})` gets the answer; after a 200, `effect` comes before that. */
  inquire(line, tell, effect = () => {}) {
    const lost = () => tell({ code: 0, text: "there is no connection", lines: [] });
    if (!this.isReady) return lost();
    this.request(line, (code, text, lines) => {
      if (code === 200) effect();
      tell({ code, text, lines: lines.map((frame) => frame.text) });
    }, { lost });
  }

  // Places.

  /** The user looks at a place, and there at the message `target`. */
  open(name, target = null) {
    const before = this.here;
    const place = this.place(name);
    before?.trim();
    this.current = place.key;
    if (before && before !== place) {
      before.lineAt = null;
      this.newest(before);
    }
    place.target = target;
    if (target === null) this.newest(place);
    else if (!place.ids.has(target)) {
      place.clear();
      place.hasNewer = true;
    }
    if (place.unread.count > 0) place.lineAt = place.mark;
    [this.isLookingBack, this.isSeeing] = [target !== null, false];
    if (this.isReady) this.save();
    this.ensure();
    this.withPeople(place);
  }

  /** Who has looked at a message of long ago sees what is new again. */
  newest(place) {
    if (!place.hasNewer) return;
    place.clear();
    this.ensure();
  }

  /** Forgets a direct conversation in the list. */
  close(place) {
    this.places.delete(place.key);
    if (this.current === place.key) this.open(ALL);
  }

  /** What is looked at has a first page. */
  ensure() {
    const place = this.here;
    if (place && place.items.length < 20) this.older(place);
  }

  /** Fetches what was said before the first message here. */
  older(place) {
    if (!place.hasOlder) return;
    const first = place.firstId() ?? (place.hasNewer ? place.target + 1n : null);
    this.page(place, first === null ? "" : `before ${first} `, place.items.length === 0 ? FIRST_PAGE : PAGE, (end, count) => {
      place.hasOlder = end && end.next !== null && count > 0 && place.items.length < PLACE_MOST;
      if (place.firstId() === null) this.newest(place);
    });
  }

  /** Fetches what was said after the last message here. */
  newer(place) {
    if (!place.hasNewer || place.lastId() === null) return;
    const isAsked = this.page(place, `after ${place.lastId()} `, PAGE, (end, count) => {
      if (!end || end.next === null || count === 0) {
        place.hasNewer = false;
        place.merge(place.ahead);
      }
      place.ahead = null;
      place.trim(PLACE_MOST);
    });
    if (isAsked) place.ahead = [];
  }

  page(place, bound, count, done) {
    if (!this.isReady || place.isLoading || !this.hasHistory) return false;
    const { epoch } = place;
    place.isLoading = true;
    this.request(`HISTORY ${place.word} ${bound}${count}`, (code, text, lines) => {
      if (place.epoch !== epoch) return;
      const again = () => {
        [place.isLoading, place.ahead] = [false, null];
        this.ensure();
      };
      if (this.isLater(`page ${place.key}`, code, again)) return;
      place.isLoading = false;
      const past = lines.map((line) => pastLine(line.text)).filter((line) => line);
      place.merge(past.map((line) => this.itemOf(line)));
      done(pageEnd(text), past.length);
      if (place === this.here) this.markRead();
    });
    return true;
  }

  /** Whether the user sees the newest line of this place; the view says so. */
  setSeeing(isSeeing) {
    this.isSeeing = isSeeing;
    if (isSeeing) this.markRead();
  }

  markRead() {
    const place = this.here;
    const last = place?.lastId() ?? null;
    if (!this.isSeeing || !place || last === null || last <= place.mark || place.hasNewer) return;
    place.read(last);
    place.toTell = last;
    const since = this.now - (this.toldAt ?? 0);
    if (since >= READ_EVERY_MS) this.tellRead();
    else if (!this.timers.has("read")) this.after("read", READ_EVERY_MS - since, () => this.tellRead());
  }

  tellRead() {
    if (!this.isReady) return;
    this.toldAt = this.now;
    for (const place of this.all) {
      if (place.toTell === null) continue;
      const told = place.toTell;
      place.toTell = null;
      if (place.isStored && this.hasHistory) this.request(`READ ${place.word} ${told}`);
    }
  }

  /** Enters a room (JOIN), or makes one (MAKE). `isQuiet`: as before the connection ended. `tell` gets "" or what is wrong. */
  enter(verb, name, password, isQuiet, tell) {
    this.request(`${verb} ${verb === "JOIN" ? placeWord(name) : name}${password && ` ${password}`}`, (code, text) => this.onRoom(name, password, isQuiet, code, text, tell), { lost: () => tell("the connection is lost") });
  }

  onRoom(name, password, isQuiet, code, text, tell) {
    if (code !== 227) {
      if (isQuiet && code === 550) {
        this.gone(name, "this room has ended");
        const place = this.find(name);
        if (place?.firstId() === null && place.pending.length === 0) {
          this.close(place);
          this.note(this.here, `the room ${name} has ended`);
        }
      } else if (isQuiet) {
        const place = this.place(name);
        place.isJoined = false;
        this.note(place, `you are not in this room: ${text}`);
      }
      return tell(text);
    }
    const shown = text.split(" ")[0];
    const place = this.place(shown);
    const kept = / kept=(\d+)/.exec(text)?.[1] ?? null;
    if (kept !== null && !place.isStored) [place.isStored, place.hasOlder] = [true, this.hasHistory];
    if (isQuiet && kept === null && place.items.length > 0) this.note(place, "what was said here meanwhile has not reached you");
    Object.assign(place, { isJoined: true, kept });
    this.savedRooms.set(keyOf(shown), { name: shown, password });
    this.save();
    place.people = null;
    if (!isQuiet) this.open(shown);
    else if (place === this.here) this.refreshNames(place);
    this.ensure();
    tell("");
  }

  leave(place) {
    this.request(`LEAVE ${place.word}`);
    this.savedRooms.delete(place.key);
    this.save();
    this.close(place);
  }

  setLevel(place, level, tell) {
    this.inquire(`NOTIFY ${place.word} ${level}`, tell, () => { place.level = level; });
  }

  setIgnored(name, isIgnored, tell) {
    this.inquire(`IGNORE ${name}${isIgnored ? "" : " off"}`, tell, () => setAmong(this.ignored, name, isIgnored));
  }

  setAway(text, tell) {
    this.inquire(`AWAY ${text}`.trim(), tell, () => { this.away = text; });
  }

  /** Whether the user may erase a message: an own one, or one in a room of theirs. */
  canErase({ id, from, place }) {
    return id !== null && place.isStored && this.hasHistory && (this.isMe(from) || this.isHost(place));
  }

  erase(message, tell) {
    this.inquire(`FORGET ${message.id}`, tell, () => message.place.erase(message.id));
  }

  /** A search: `tell({lines, next, error})`. */
  search(words, before, tell) {
    this.inquire(`SEARCH ${words}${before === null ? "" : ` before:${before}`}`, ({ code, text, lines }) => {
      if (code === 502 || text.startsWith("search is off")) this.hasSearch = false;
      const end = pageEnd(text);
      tell({ lines: lines.map(pastLine).filter((line) => line), next: end?.next ?? null, error: end ? "" : text });
    });
  }

  /** Changes the password. All lines go at once, so that nothing comes between; `tell` gets the reply that decides. */
  changePassword(old, next, tell) {
    let end = null;
    const unless = (wanted) => ({ code, text }) => { if (code !== wanted) end ??= { code, text }; };
    this.inquire("PASSWD", unless(331));
    this.inquire(`D ${old}`, unless(332));
    this.inquire(`D ${next}`, (reply) => {
      if (!end && reply.code === 200) this.renewToken();
      tell(end ?? reply);
    });
  }

  // People.

  /** Asks to be told when the other one of a direct conversation comes and goes. */
  watch({ key, who }) {
    if (!this.isReady || !/^~?[a-z]/i.test(who) || this.watched.has(key) || this.watched.size >= WATCHED_MOST) return;
    this.watched.add(key);
    this.request(`WATCH ${who}`, (code, text) => {
      const [, is, why] = /^\S+ is (online|away|offline)(?:: (.*))?$/s.exec(text) ?? [];
      if (is) this.setPresence(who, is, why);
    });
  }

  /** {is, text} of an account that is watched. */
  presenceOf(name) { return this.presence.get(keyOf(name)) ?? { is: "", text: "" }; }

  /** `is`: online, away (because of `text`) or offline. */
  setPresence(name, is, text = "") {
    this.presence.set(keyOf(name), { is, text });
    this.setOnline(name, is !== "offline");
    this.peopleChanged();
  }

  setOnline(name, isOnline) {
    if (this.online.has(keyOf(name)) === isOnline) return;
    setAmong(this.online, name, isOnline);
    this.peopleChanged();
  }

  /** Whether this is a guest of one room, as far as is known: it gets no direct messages. A guest who has logged in does. */
  hearsOneRoom(name) { return name.startsWith("~") && !this.online.has(keyOf(name)); }

  /** The view draws people again when this differs. */
  peopleChanged() { this.peopleVersion += 1; }

  refreshWho() {
    if (this.isVisible === false) return this.after("who", WHO_EVERY_MS, () => this.refreshWho());
    return this.request("WHO", (code, text, lines) => {
      if (code !== 211) return;
      this.online = namesOf(lines);
      this.onlineText = text.includes(" of ") ? text.split(";")[0] : "";
      this.after("who", Math.max(WHO_EVERY_MS, WHO_EACH_MS * (/(\d+) online/.exec(text)?.[1] ?? 0)), () => this.refreshWho());
      this.peopleChanged();
    });
  }

  /** Calls `act` when it is known who is in a place, as far as there is somebody to ask. */
  withPeople(place, act = () => {}) {
    if (place.isRoom && place.isJoined && !place.people) this.refreshNames(place, act);
    else act();
  }

  refreshNames(place, done = () => {}) {
    if (!this.isReady) return done();
    return this.request(`NAMES ${place.word}`, (code, text, lines) => {
      if (code !== 211) return done();
      place.people = new Map();
      for (const { text: line } of lines) {
        const [name, ...notes] = line.split(" ");
        place.people.set(keyOf(name), { name, isHost: notes.includes("host"), isAbsent: notes.includes("absent") });
      }
      this.peopleChanged();
      return done();
    }, { lost: done });
  }

  /** Who is in a place, in their order: {name, isHost, isAbsent}. */
  peopleOf(place) {
    const of = (name) => ({ name, isHost: false, isAbsent: false });
    if (place.who) return [{ ...of(place.who), isAbsent: this.presenceOf(place.who).is === "offline" }, of(this.me)];
    const people = place.isRoom ? [...(place.people ?? [])] : [...this.online].map(([key, name]) => [key, of(name)]);
    const byName = ([a, { isAbsent }], [b, other]) => isAbsent - other.isAbsent || (a < b ? -1 : 1);
    return people.sort(byName).map(([, person]) => person);
  }

  /** Whether the user is not in a place; one that is just entered again counts as entered. */
  isOutOf(place) { return this.isCurrent && !place.isJoined; }

  isHost(place) { return place.people?.get(keyOf(this.me))?.isHost === true; }

  // Time.

  /** Does something later. There is one thing of a name. */
  after(name, delay, act) { this.timers.set(name, { at: this.now + delay, act }); }

  /** When `tick` has something to do, or null. */
  due() {
    const times = [...this.timers.values()].map(({ at }) => at);
    if (this.retryAt !== null) times.push(this.retryAt);
    if (this.isReady) times.push(this.requests[0]?.until ?? this.heardAt + SILENCE_MS);
    return times.length === 0 ? null : Math.min(...times);
  }

  tick() {
    if (this.retryAt !== null && this.retryAt <= this.now) this.connect();
    if (this.isReady && this.requests.length === 0 && this.heardAt + SILENCE_MS <= this.now) this.probe();
    if (this.isReady && this.requests[0]?.until <= this.now) return this.giveUp();
    for (const [name, { at, act }] of [...this.timers]) if (at <= this.now && this.timers.delete(name)) act();
  }

  /** Nobody answers on this connection. */
  giveUp() {
    this.act("close");
    this.closed();
  }
}


