// A conversation with the server: lines, the user's intents and time go in; actions and state for the view come out.
// No document, no clock, no connection.
//
//   out ─▶ connecting ─▶ login ─▶ ready ─▶ waiting ─▶ connecting …
//
// After each login: WANT ─▶ UNREAD ─▶ JOIN … ─▶ HISTORY after C ─▶ … ─▶ end. C is the highest id up to which everything
// is here. Live lines raise it only after the end, and an unconfirmed line of one's own holds it where it was.

import { EVERYBODY, confirmed, isRoom, keyOf, noteOf, pageEnd, parse, pastLine, idOf, placeWord, retryIn, unreadLine } from "./wire.js";
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
const TOKEN_EVERY_MS = 12 * 3_600_000;
const READ_EVERY_MS = 1000;
/** A server that has not answered a line for this long is not there. */
const ANSWER_MS = 30_000;
const PROBE_MS = 8_000;
/** After so much silence the connection is tried. */
const SILENCE_MS = 120_000;
const GREETING_MS = 15_000;
/** Who is online is asked for again after this time; with many of them, after the longer one. */
const WHO_EVERY_MS = 10_000;
const WHO_MANY_MS = 60_000;
const MANY = 50;
/** Reasons after which only the user connects again. */
const FINAL = ["too many failures", "logged in", "another login", "put out", "banned", "not a chat client"];

export class Session {
  /** `saved`: {name, token, rooms}, what an earlier page has kept. `random`: numbers from 0 to 1. */
  constructor(saved = {}, random = Math.random) {
    this.random = random;
    this.out = [];
    /** The time of what is being done, in milliseconds; the caller sets it before an intent that takes no time. */
    this.now = 0;
    this.me = saved.name ?? "";
    this.token = saved.token ?? "";
    this.savedPlace = saved.place;
    this.savedRooms = new Map((saved.rooms ?? []).map((room) => [keyOf(room.name), { name: room.name, password: room.password ?? "" }]));
    this.reset();
  }

  /** As before any login. */
  reset() {
    this.phase = "out";
    this.hasEntered = false;
    this.password = null;
    this.prompt = null;
    this.asked = "";
    this.error = "";
    this.requests = [];
    this.forgetPlaces();
    this.isCurrent = false;
    this.features = new Set(["history", "search", "notify", "ignore", "forget", "whois", "watch", "away", "keep"]);
    this.online = [];
    this.attempts = 0;
    this.retryAt = null;
    this.retryDelay = 0;
    this.reason = "";
    this.version ??= "";
    this.isOutdated = false;
    this.probeUntil = null;
    this.timers = new Map();
    this.pauses = new Map();
    this.agains = new Map();
    this.away = "";
  }

  forgetPlaces() {
    this.places = new Map();
    this.current = keyOf(EVERYBODY);
    this.place(EVERYBODY);
    this.queue = [];
    this.top = null;
    this.liveTop = 0n;
    this.ignored = new Map();
    this.presence = new Map();
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
  get needsForm() { return this.phase === "out" || (!this.hasEntered && this.token === ""); }
  get isReady() { return this.phase === "ready"; }

  /** The place of a name, made if it is new. */
  place(name) {
    const key = keyOf(name);
    let place = this.places.get(key);
    if (!place) {
      place = new Place(name);
      this.places.set(key, place);
      if (name.startsWith("@")) this.watch(name.slice(1));
    }
    return place;
  }

  // Connecting and logging in.

  /** The page is there: with a token, the conversation goes on. */
  start() { if (this.token !== "" && this.me !== "") this.connect(); }

  connect() {
    this.retryAt = null;
    this.reason = "";
    this.phase = "connecting";
    this.heardAt = this.now;
    this.timers.set("greeting", this.now + GREETING_MS);
    this.act("connect");
  }

  /** The user's name and password. */
  signIn(name, password) {
    [this.error, this.password, this.me] = ["", password, name.trim()];
    if (this.me === "" || password === "") return this.ask(this.me === "" ? "a name is needed" : "a password is needed");
    if (this.phase === "login" && this.prompt === "password" && this.asked === this.me) return this.answer(password);
    if (this.phase === "login" && this.prompt === "password") return this.send("C ");
    if (this.phase === "login" && this.prompt === "name") return this.sendName();
    if (this.phase !== "login" && this.phase !== "connecting") this.connect();
  }

  sendName() {
    [this.asked, this.prompt, this.isNew] = [this.me, null, false];
    this.send(this.token === "" ? `C ${this.me}` : `C ${this.me} ${this.token}`);
  }

  answer(password) {
    [this.password, this.prompt] = [null, null];
    this.send(`C ${password}`);
  }

  /** The connection has ended. */
  closed() {
    if (this.phase === "out") return;
    this.timers.delete("greeting");
    this.probeUntil = null;
    this.dropRequests();
    this.isCurrent = false;
    const reason = this.reason;
    for (const place of this.places.values()) if (isRoom(place.name)) place.isJoined = false;
    const isFinal = FINAL.some((words) => reason.startsWith(words));
    if (reason.startsWith("password was changed")) this.forgetToken();
    if (this.token === "" || (isFinal && !this.hasEntered)) {
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
    else if (this.isReady && this.probeUntil === null) this.probe();
  }

  /** The user asks to connect. */
  retry() { if (this.phase === "waiting" || this.phase === "stopped") this.connect(); }

  probe() {
    this.probeUntil = this.now + PROBE_MS;
    this.request("NOOP", () => {});
  }

  signOut() {
    this.forgetToken();
    if (this.isReady) this.send("C EX");
    this.act("close");
    this.reset();
    this.me = "";
    this.savedRooms.clear();
  }

  forgetToken() {
    this.token = "";
    this.save();
  }

  save() {
    const rooms = [...this.savedRooms.values()];
    this.act("save", { saved: { name: this.me, token: this.token, rooms, place: this.here?.name } });
  }

  // Lines of the server.

  /** A line of the server. */
  line(text) {
    this.heardAt = this.now;
    this.probeUntil = null;
    const frame = parse(text);
    if (frame === null || frame.type === "other") return;
    if (frame.type === "said") return this.isReady ? this.said(frame) : undefined;
    if (frame.type === "notice") return this.isReady ? this.notice(frame) : undefined;
    if (frame.code === 421) return void (this.reason = frame.text);
    if (!this.isReady) return frame.more ? undefined : this.loginReply(frame);
    const request = this.requests[0];
    if (!request) return;
    if (frame.more) return void request.lines.push(frame);
    this.requests.shift();
    request.done(frame.code, frame.text, request.lines);
    this.pump();
  }

  loginReply({ code, text }) {
    switch (code) {
      case 220: {
        const version = /^chatd (\S+)/.exec(text)?.[1] ?? "";
        if (this.version !== "" && version !== this.version) this.isOutdated = true;
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
        this.prompt = "password";
        return this.ask(text);
      default:
        this.prompt = code === 553 || text.endsWith("your name?") ? "name" : "password";
        return this.ask(text);
    }
  }

  /** The form is shown, with the server's words. */
  ask(words) { [this.hasEntered, this.error, this.password] = [false, words, null]; }

  entered(name) {
    this.me = name;
    if ((this.who ??= name) !== name) {
      this.who = name;
      this.savedRooms.clear();
      this.forgetPlaces();
    }
    const isReturn = this.hasEntered && this.top !== null;
    Object.assign(this, { hasEntered: true, attempts: 0, error: "", prompt: null, password: null });
    this.phase = "ready";
    this.isCurrent = false;
    this.timers.set("who", this.now + WHO_EVERY_MS);
    this.request("WANT ids reads forgets own", () => {});
    this.renewToken();
    this.request("IGNORE", (code, text, lines) => {
      const names = lines.map((frame) => frame.text.split(" ")[0]);
      if (!this.isUnknown(code, "ignore")) this.ignored = new Map(names.map((other) => [keyOf(other), other]));
    });
    if (this.away !== "") this.request(`AWAY ${this.away}`, () => {});
    if (this.isNew) this.note(this.place(EVERYBODY), `Welcome, ${name}. This account is new: it was made just now.`);
    this.isNew = false;
    this.askUnread(isReturn);
    for (const place of this.places.values()) if (place.name.startsWith("@")) this.watch(place.name.slice(1));
    this.refreshWho();
    if (!isReturn) this.ensure();
  }

  renewToken() {
    this.timers.set("token", this.now + TOKEN_EVERY_MS);
    this.request("TOKEN", (code, text) => {
      const token = /^(\S+) expires=/.exec(text)?.[1];
      if (code === 231 && token) {
        this.token = token;
        this.save();
      }
    });
  }

  /** Whether an operation is not there; then its feature is not shown. */
  isUnknown(code, feature) {
    if (code !== 502) return false;
    this.features.delete(feature);
    return true;
  }

  // What was missed.

  askUnread(isReturn) {
    this.request("UNREAD", (code, text, lines) => {
      if (code === 450) return this.again("unread", () => this.askUnread(isReturn));
      this.pauses.delete("unread");
      if (code !== 213) {
        for (const feature of ["history", "search", "notify", "forget", "keep"]) this.features.delete(feature);
        for (const place of this.places.values()) place.hasOlder = false;
      }
      this.learnUnread(lines);
      if (this.savedPlace && this.savedPlace !== this.here.name) this.open(this.savedPlace);
      this.savedPlace = null;
      this.enterRooms();
      if (code !== 213) return this.endResume();
      this.missed = { count: 0, loud: 0, lines: 0 };
      if (isReturn) this.askMissed(this.resumeFrom());
      else {
        this.top = [...this.places.values()].reduce((top, place) => (place.counted.last > top ? place.counted.last : top), this.top ?? 0n);
        this.endResume();
      }
    });
  }

  learnUnread(lines) {
    const found = lines.map(({ text }) => unreadLine(text)).filter((line) => line !== null);
    for (const place of this.places.values()) place.forgetCounts();
    for (const unread of found) {
      const place = this.place(unread.place);
      place.learn(unread);
      if (isRoom(place.name) && !this.savedRooms.has(keyOf(place.name))) this.savedRooms.set(keyOf(place.name), { name: place.name, password: "" });
    }
  }

  enterRooms() {
    for (const { name, password } of this.savedRooms.values()) this.enter("JOIN", name, password, true, () => {});
    this.ensure();
  }

  /** C: everything up to here is known. */
  resumeFrom() {
    let from = this.top ?? 0n;
    for (const message of this.unconfirmed()) if (message.sentTop !== undefined && message.sentTop < from) from = message.sentTop;
    return from;
  }

  *unconfirmed() {
    for (const place of this.places.values()) for (const message of place.pending) if (message.state !== "failed") yield message;
  }

  askMissed(after) {
    this.request(`HISTORY after ${after} ${PAGE}`, (code, text, lines) => {
      if (code === 450) return this.again("missed", () => this.askMissed(after));
      this.pauses.delete("missed");
      const end = code === 212 ? pageEnd(text) : null;
      if (end === null) return this.endResume();
      for (const { text: line } of lines) this.takeMissed(pastLine(line));
      if (end.next !== null && end.next > after) {
        if (this.missed.lines <= MISSED_MOST || [...this.unconfirmed()].some((message) => message.state === "unsure")) {
          return this.askMissed(end.next);
        }
        this.clearLogs();
      }
      this.endResume();
    });
  }

  takeMissed(line) {
    if (line === null) return;
    this.missed.lines += 1;
    if (line.id > this.liveTop) this.liveTop = line.id;
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
    const isIt = (message) => message.state === "unsure" && withoutInvisible(message.text) === line.text;
    const message = place.pending.find(isIt);
    if (!message) return false;
    place.confirm(message, line.id, "");
    return true;
  }

  /** So much was missed that the logs begin anew; they are fetched when somebody looks. */
  clearLogs() {
    for (const place of this.places.values()) if (place.isStored) place.clear();
    this.ensure();
  }

  endResume() {
    this.isCurrent = true;
    if (this.top === null || this.liveTop > this.top) this.top = this.liveTop;
    for (const message of [...this.unconfirmed()]) {
      if (message.state === "unsure") this.fail(message, this.features.has("history") && message.place.isStored ? "this has not arrived" : "this may not have arrived");
    }
    const missed = this.missed;
    if (missed?.count > 0) this.act("missed", missed);
    this.missed = undefined;
    this.ensure();
    this.markRead();
    this.pump();
  }

  /** The server cannot answer now: after 1 s, then after twice as long, up to 30 s. */
  again(what, ask) {
    const pause = Math.min((this.pauses.get(what) ?? 500) * 2, 30_000);
    this.pauses.set(what, pause);
    this.timers.set(`again ${what}`, this.now + pause);
    this.agains.set(`again ${what}`, ask);
  }

  // Messages.

  isMe(name) { return name === null || keyOf(name) === keyOf(this.me); }

  isLoud(place, message) {
    if (this.isMe(message.from) || place.level === "none" || this.ignored.has(keyOf(message.from ?? ""))) return false;
    return place.level === "all" || place.name.startsWith("@") || message.isMention === true;
  }

  said(frame) {
    const from = frame.from ?? this.me;
    const place = this.place(frame.place);
    const isMention = frame.from !== null && (frame.place.startsWith("@") || mentions(frame.text, this.me)) && !this.isMe(from);
    const message = { id: frame.id, from, text: frame.text, isMention };
    if (frame.id > this.liveTop) this.liveTop = frame.id;
    if (this.isCurrent) this.top = frame.id;
    if (!this.show(place, message) || this.isMe(from)) return;
    place.hear(message.id, this.isLoud(place, message));
    if (!this.online.includes(from) && !from.startsWith("~")) this.timers.set("who", this.now + 1000);
    this.act("heard", { place, message, isLoud: this.isLoud(place, message) });
    if (place !== this.here) return;
    if (!this.isSeeing) place.lineAt ??= place.mark;
    this.markRead();
  }

  /** Puts a message into its log. False if it is there, or before everything that is shown. */
  show(place, line) {
    const isNew = place.add(this.itemOf(line));
    if (isNew) place.trim(place === this.here && this.isLookingBack ? PLACE_MOST : undefined);
    return isNew;
  }

  itemOf(line) {
    return { ...line, key: String(line.id), type: line.isHole ? "hole" : "message", isMention: line.isMention && !this.isMe(line.from) };
  }

  /** Says texts in a place. Those that are too long are not said: false, and nothing is. */
  say(place, texts) {
    if (texts.some((text) => this.excess(place, text) > 0)) return false;
    place.lineAt = null;
    for (const text of texts) {
      const message = { key: `own ${(this.ownCount = (this.ownCount ?? 0) + 1)}`, type: "message", id: null, from: this.me, text, place, state: "queued", note: "", time: this.now };
      place.pending.push(message);
      this.queue.push(message);
    }
    this.pump();
    return true;
  }

  /** The bytes by which a text is too long for a place; below 0: the room that is left. */
  excess(place, text) { return byteLength(`C ${this.verbFor(place)} ${text}\r\n`) - LINE_BYTES; }

  verbFor(place) {
    if (place.name === EVERYBODY) return "PM";
    return place.name.startsWith("@") ? `DM ${place.name.slice(1)}` : `RM ${placeWord(place.name)}`;
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
    if (!text.startsWith(" ")) return this.request(`${this.verbFor(place)} ${text}`, done, message);
    // Behind its verb a text begins at the first character that is no space; at a prompt it is the line as it is.
    let isAsked = false;
    this.request(this.verbFor(place), (code, words) => {
      isAsked = code === 354;
      if (!isAsked) this.answered(message, code, words);
    }, message);
    this.request(`D ${text}`, (code, words) => { if (isAsked) done(code, words); }, message);
  }

  answered(message, code, words) {
    if (message.state === "gone") return;
    if (code !== 250) return this.fail(message, words);
    const { told, id } = confirmed(words);
    if (id !== null && id > this.liveTop) this.liveTop = id;
    if (id !== null && this.isCurrent && id > (this.top ?? 0n)) this.top = id;
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
    message.place.pending = message.place.pending.filter((other) => other !== message);
  }

  // Notices.

  notice({ code, text }) {
    const [first, second = "", ...rest] = text.split(" ");
    const tail = rest.join(" ");
    switch (code) {
      case 100:
        this.note(this.place(EVERYBODY), `The operator: ${text}`);
        return this.act("told", { text: `The operator: ${text}` });
      case 101:
        this.presence.set(keyOf(first), second === "away" ? { is: "away", text: tail } : { is: second === "offline" ? "offline" : "online", text: "" });
        return undefined;
      case 103: return this.move(first, second, "entered");
      case 104: return this.move(first, second, tail === "left: kicked" ? "was put out" : "left");
      case 105: {
        const [, by, topic = ""] = /^\S+ by (\S+):(?: (.*))?$/s.exec(text) ?? [];
        const place = this.place(first);
        if (place.topic !== topic && place.knowsTopic) this.note(place, topic === "" ? `${by} removed the topic` : `${by} set the topic: ${topic}`);
        [place.topic, place.knowsTopic] = [topic, true];
        return undefined;
      }
      case 106: return this.gone(first, `this room is closed: ${text.slice(first.length + 9)}`);
      case 107: return this.move(first, second, "is host now");
      case 108:
        for (const place of this.places.values()) if (first === "-" || keyOf(first) === keyOf(place.name)) place.read(idOf(second) ?? 0n);
        return undefined;
      case 109:
        if (second === "all") this.places.get(keyOf(first))?.eraseAll(tail);
        else this.places.get(keyOf(first))?.erase(idOf(second));
        return undefined;
      case 112: {
        const place = this.place(first);
        [place.kept, place.isStored] = second === "kept" ? [tail, true] : [null, false];
        return this.note(place, second === "kept" ? `this room is kept for ${tail} days` : "this room is not kept any more");
      }
      default: return undefined;
    }
  }

  move(room, name, how) {
    const place = this.places.get(keyOf(room));
    if (!place) return;
    place.move(name, how, this.now);
    if (place.people) {
      const key = keyOf(name);
      if (how === "entered") place.people.set(key, { name, isAbsent: false, isHost: false });
      else if (how === "is host now") for (const person of place.people.values()) person.isHost = keyOf(person.name) === key;
      else if (place.kept !== null && how === "left" && !name.startsWith("~")) this.refreshNames(place);
      else place.people.delete(key);
    }
    if (how === "was put out" && this.isMe(name)) this.gone(room, "you were put out of this room");
  }

  note(place, text) { place.note(text, this.now); }

  gone(room, why) {
    const place = this.places.get(keyOf(room));
    this.savedRooms.delete(keyOf(room));
    this.save();
    if (!place) return;
    Object.assign(place, { isJoined: false, isStored: false, people: null, kept: null });
    this.note(place, why);
  }

  // Requests.

  send(line) { this.act("send", { line }); }

  /** Sends an operation. `done(code, text, lines)` gets its reply. */
  request(line, done, message) {
    this.requests.push({ done, lines: [], message, at: this.now });
    this.send(line.startsWith("D ") ? line : `C ${line}`);
  }

  dropRequests() {
    const open = this.requests;
    this.requests = [];
    for (const { message } of open) if (message?.state === "sent") message.state = "unsure";
    this.timers.clear();
    this.pauses.clear();
    for (const place of this.places.values()) place.isLoading = false;
  }

  /** Asks for something. `tell({code, text, lines})` gets the answer; after a 200, `effect` comes before that. */
  inquire(line, tell, effect = () => {}) {
    if (!this.isReady) return tell({ code: 0, text: "there is no connection", lines: [] });
    this.request(line, (code, text, lines) => {
      if (code === 200) effect();
      tell({ code, text, lines: lines.map((frame) => frame.text) });
    });
  }

  // Places.

  /** The user looks at a place. */
  open(name) {
    const before = this.here;
    const place = this.place(name);
    if (before && before !== place) before.lineAt = null;
    this.current = keyOf(place.name);
    if (place.unread.count > 0) place.lineAt = place.mark;
    [this.isLookingBack, this.isSeeing] = [false, false];
    before?.trim();
    if (this.isReady) this.save();
    this.ensure();
    if (isRoom(place.name) && place.isJoined && !place.people) this.refreshNames(place);
  }

  /** Forgets a direct conversation in the list. */
  close(place) {
    this.places.delete(keyOf(place.name));
    if (this.current === keyOf(place.name)) this.open(EVERYBODY);
  }

  /** What is looked at has a first page. */
  ensure() {
    const place = this.here;
    if (place && place.items.length < 20) this.older(place);
  }

  /** Fetches what was said before the first message here. */
  older(place) {
    if (!this.isReady || !place.hasOlder || place.isLoading || !this.features.has("history") || place.loadAt > this.now) return;
    place.isLoading = true;
    const first = place.firstId();
    const before = first === null ? "" : `before ${first} `;
    this.request(`HISTORY ${placeWord(place.name)} ${before}${first === null ? FIRST_PAGE : PAGE}`, (code, text, lines) => {
      place.isLoading = false;
      const end = code === 212 ? pageEnd(text) : null;
      if (code === 450) {
        place.loadAt = this.now + 1000;
        this.timers.set("older", place.loadAt);
        return void this.agains.set("older", () => this.ensure());
      }
      if (end === null) return void (place.hasOlder = false);
      const past = lines.map(({ text: line }) => pastLine(line)).filter((line) => line !== null);
      place.prepend(past.map((line) => this.itemOf(line)));
      place.hasOlder = end.next !== null && past.length > 0 && place.items.length < PLACE_MOST;
      if (place === this.here) this.markRead();
    });
  }

  /** Whether the user sees the newest line of this place; the view says so. */
  setSeeing(isSeeing) {
    this.isSeeing = isSeeing;
    if (isSeeing) this.markRead();
  }

  markRead() {
    const place = this.here;
    const last = place?.lastId() ?? null;
    if (!this.isSeeing || !place || last === null || last <= place.mark) return;
    place.read(last);
    place.toTell = last;
    if (!this.timers.has("read")) this.timers.set("read", (this.toldAt ?? 0) + READ_EVERY_MS);
    if (this.timers.get("read") <= this.now) this.tellRead();
  }

  tellRead() {
    this.timers.delete("read");
    if (!this.isReady) return;
    this.toldAt = this.now;
    for (const place of this.places.values()) {
      if (place.toTell === null) continue;
      const told = place.toTell;
      place.toTell = null;
      if (place.isStored && this.features.has("history")) this.request(`READ ${placeWord(place.name)} ${told}`, () => {});
    }
  }

  /** Enters a room (JOIN), or makes one (MAKE). `isQuiet`: as before the connection ended. `tell` gets "" or what is wrong. */
  enter(verb, name, password, isQuiet, tell) {
    this.request(`${verb} ${verb === "JOIN" ? placeWord(name) : name}${password === "" ? "" : ` ${password}`}`, (code, text) => this.onRoom(name, password, isQuiet, code, text, tell));
  }

  onRoom(name, password, isQuiet, code, text, tell) {
    if (code !== 227) {
      if (isQuiet && code === 550) {
        this.gone(name, "this room has ended");
        const place = this.places.get(keyOf(name));
        if (place?.firstId() === null) {
          this.close(place);
          this.note(this.here, `the room ${name} has ended`);
        }
      } else if (isQuiet) this.note(this.place(name), `you are not in this room: ${text}`);
      return tell(text);
    }
    const shown = text.split(" ")[0];
    const place = this.place(shown);
    const kept = / kept=(\d+)/.exec(text)?.[1] ?? null;
    if (kept !== null && !place.isStored) [place.isStored, place.hasOlder] = [true, this.features.has("history")];
    if (isQuiet && kept === null && place.items.length > 0) this.note(place, "what was said here meanwhile has not reached you");
    Object.assign(place, { isJoined: true, kept });
    this.savedRooms.set(keyOf(shown), { name: shown, password });
    this.save();
    this.refreshNames(place);
    if (!isQuiet) this.open(shown);
    this.ensure();
    tell("");
  }

  leave(place) {
    this.request(`LEAVE ${placeWord(place.name)}`, () => {});
    this.savedRooms.delete(keyOf(place.name));
    this.save();
    this.close(place);
  }

  setLevel(place, level, tell) {
    this.inquire(`NOTIFY ${placeWord(place.name)} ${level}`, tell, () => { place.level = level; });
  }

  setIgnored(name, isIgnored, tell) {
    this.inquire(`IGNORE ${name}${isIgnored ? "" : " off"}`, tell, () => {
      if (isIgnored) this.ignored.set(keyOf(name), name);
      else this.ignored.delete(keyOf(name));
    });
  }

  setAway(text, tell) {
    this.inquire(`AWAY ${text}`.trim(), tell, () => { this.away = text; });
  }

  eraseOwn(message, tell) {
    this.inquire(`FORGET ${message.id}`, tell, () => message.place.erase(message.id));
  }

  /** A search: `tell({lines, next, error})`. */
  search(words, before, tell) {
    this.inquire(`SEARCH ${words}${before === null ? "" : ` before:${before}`}`, ({ code, text, lines }) => {
      if (this.isUnknown(code, "search") || (code === 554 && text.startsWith("search is off"))) this.features.delete("search");
      const end = code === 212 ? pageEnd(text) : null;
      if (end === null) return tell({ lines: [], next: null, error: text });
      return tell({ lines: lines.map(pastLine).filter((line) => line !== null), next: end.next, error: "" });
    });
  }

  // People.

  watch(name) {
    if (!this.isReady || name.startsWith("~") || name.startsWith("-") || !this.features.has("watch")) return;
    this.request(`WATCH ${name}`, (code, text) => {
      if (this.isUnknown(code, "watch") || code !== 200) return;
      const [, is, why] = /^\S+ is (online|away|offline)(?:: (.*))?$/s.exec(text) ?? [];
      if (is) this.presence.set(keyOf(name), { is, text: why ?? "" });
    });
  }

  refreshWho() {
    if (!this.isReady) return;
    this.request("WHO", (code, text, lines) => {
      if (code !== 211) return;
      this.online = lines.map((frame) => frame.text.split(" ")[0]);
      this.onlineText = text;
    });
  }

  refreshNames(place) {
    if (!this.isReady) return;
    this.request(`NAMES ${placeWord(place.name)}`, (code, text, lines) => {
      if (code !== 211) return;
      place.people = new Map();
      for (const { text: line } of lines) {
        const [name, ...notes] = line.split(" ");
        place.people.set(keyOf(name), { name, isHost: notes.includes("host"), isAbsent: notes.includes("absent") });
      }
    });
  }

  /** Who is in a place: {name, isHost, isAbsent}. */
  peopleOf(place) {
    const of = (name) => ({ name, isHost: false, isAbsent: false });
    if (place.name === EVERYBODY) return this.online.map(of);
    if (isRoom(place.name)) return [...(place.people?.values() ?? [])].sort((a, b) => a.isAbsent - b.isAbsent || keyOf(a.name).localeCompare(keyOf(b.name)));
    const with_ = place.name.slice(1);
    return [{ ...of(with_), isAbsent: this.presence.get(keyOf(with_))?.is === "offline" }, of(this.me)];
  }

  isHost(place) { return place.people?.get(keyOf(this.me))?.isHost === true; }

  // Time.

  /** When `tick` has something to do, or null. */
  due() {
    const times = [...this.timers.values()];
    if (this.retryAt !== null) times.push(this.retryAt);
    if (this.probeUntil !== null) times.push(this.probeUntil);
    if (this.isReady) times.push(this.requests.length > 0 ? this.requests[0].at + ANSWER_MS : this.heardAt + SILENCE_MS);
    return times.length === 0 ? null : Math.min(...times);
  }

  tick() {
    if (this.retryAt !== null && this.retryAt <= this.now) this.connect();
    const isOver = (at) => at !== null && at <= this.now;
    if (isOver(this.timers.get("greeting") ?? null) || isOver(this.probeUntil)) return this.giveUp();
    if (this.isReady) {
      if (this.requests.length > 0 && this.requests[0].at + ANSWER_MS <= this.now) return this.giveUp();
      if (this.requests.length === 0 && this.heardAt + SILENCE_MS <= this.now) this.probe();
    }
    for (const [name, at] of [...this.timers]) {
      if (at > this.now) continue;
      this.timers.delete(name);
      if (name === "token") this.renewToken();
      else if (name === "read") this.tellRead();
      else if (name === "who") {
        this.timers.set("who", this.now + (this.online.length < MANY ? WHO_EVERY_MS : WHO_MANY_MS));
        if (this.isVisible !== false) this.refreshWho();
      } else this.agains.get(name)?.();
    }
  }

  /** Nobody answers on this connection. */
  giveUp() {
    this.act("close");
    this.closed();
  }
}


