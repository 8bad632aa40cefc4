import assert from "node:assert/strict";
import { test } from "node:test";

import { Session } from "../session.js";

/** A session, with the lines that it has sent and a clock. */
class Bench {
  constructor(saved) {
    this.session = new Session(saved, () => 0.5);
    [this.now, this.sent, this.actions] = [1_000_000, [], []];
  }

  /** Calls a method of the session. */
  do(method, ...args) {
    this.session.now = this.now;
    const result = this.session[method](...args);
    this.collect();
    return result;
  }

  collect() {
    for (const action of this.session.take()) (action.do === "send" ? this.sent.push(action.line) : this.actions.push(action));
  }

  /** What the server says. */
  hear(...lines) { for (const line of lines) this.do("line", line); }

  /** The lines that were sent since the last call. */
  lines() { return this.sent.splice(0); }
  did(name) { return this.actions.splice(0).filter((action) => action.do === name); }
  texts(place = "*") { return this.session.places.get(place).items.filter((item) => item.type !== "move").map((item) => item.text); }

  /** Answers what is asked at a login. */
  login({ unread = ["C 213 0 places; what is said there is kept for 30 days"], joins = [] } = {}) {
    this.hear("C 220 chatd 0.1.0 ready; your name?");
    assert.match(this.lines()[0], /^C alice t1\./);
    this.hear("C 230 welcome alice; 2 online; HELP lists what you can do", "C 200 ids reads forgets own");
    this.hear("C 231 t1.2 expires=86400", "C 211 nobody", ...unread, "C 211-alice", "C 211 1 online", ...joins);
    return this.lines();
  }

  static ready(options) {
    const bench = new Bench({ name: "alice", token: "t1.1", rooms: options?.rooms });
    bench.do("start");
    assert.equal(bench.did("connect").length, 1);
    bench.first = bench.login(options);
    return bench;
  }

  /** The connection breaks, and there is a new one. */
  again(options) {
    this.do("closed");
    this.now = this.session.retryAt;
    this.lines();
    this.do("tick");
    return this.login(options);
  }
}

const id = (n) => String(BigInt(n) << 20n);

test("a name and a password, and what goes wrong", () => {
  const bench = new Bench();
  bench.do("signIn", " alice ", "wrong one");
  assert.ok(bench.session.needsForm && bench.did("connect").length === 1);
  bench.hear("C 220 chatd 0.1.0 ready; your name?");
  bench.hear("C 331 alice, your password?");
  assert.deepEqual(bench.lines(), ["C alice", "C wrong one"]);
  bench.hear("C 530 wrong password; 2 tries left");
  assert.equal(bench.session.error, "wrong password; 2 tries left");
  bench.do("signIn", "alice", "right one");
  assert.deepEqual(bench.lines(), ["C right one"]);
  bench.hear("C 501 a password has 8 to 128 bytes; your password?");
  bench.do("signIn", "bob", "another one");
  bench.hear("C 200 cancelled; your name?", "C 332 bob is new here; choose a password");
  assert.deepEqual(bench.lines(), ["C ", "C bob", "C another one"]);
  bench.hear("C 230 welcome Bob; 1 online; HELP lists what you can do");
  assert.ok(bench.session.isReady && bench.session.me === "Bob");
  assert.deepEqual(bench.lines().slice(0, 4), ["C WANT ids reads forgets own", "C TOKEN", "C IGNORE", "C UNREAD"]);
});

test("a refused token asks for the password", () => {
  const bench = new Bench({ name: "alice", token: "t1.1" });
  bench.do("start");
  assert.ok(!bench.session.needsForm);
  bench.hear("C 220 chatd 0.1.0 ready; your name?", "C 531 token refused; your password?");
  assert.ok(bench.session.needsForm && bench.session.error === "token refused");
  assert.equal(bench.did("save").at(-1).saved.token, "");
  bench.do("signIn", "alice", "right one");
  assert.deepEqual(bench.lines(), ["C alice t1.1", "C right one"]);
});

test("after a login: places, rooms, the first page", () => {
  const bench = Bench.ready({
    rooms: [{ name: "den", password: "pass word" }],
    unread: ["C 213-lobby 12 1 read=5 last=9 notify=none", "C 213-@dave 1 1 read=5 last=8 notify=all", "C 213-* 0 0 read=9 last=7 notify=mentions", "C 213 3 places; kept"],
  });
  assert.deepEqual(bench.first.slice(0, 5), ["C WANT ids reads forgets own", "C TOKEN", "C IGNORE", "C UNREAD", "C WHO"]);
  assert.ok(bench.first.includes("C JOIN den pass word") && bench.first.includes("C JOIN lobby") && bench.first.includes("C HISTORY * 60"));
  const { places } = bench.session;
  assert.deepEqual([places.get("lobby").unread, places.get("lobby").level, places.get("@dave").unread.count], [{ count: 12, loud: 1 }, "none", 1]);
  assert.equal(bench.did("save").at(-1).saved.token, "t1.2");
});

test("a message of one's own is unconfirmed until it has its id", () => {
  const bench = Bench.ready();
  bench.do("open", "*");
  bench.hear("C 212 0 end");
  const place = bench.session.here;
  bench.do("say", place, ["one", "  two"]);
  assert.deepEqual(bench.lines(), ["C PM one", "C PM", "D   two"]);
  assert.deepEqual(place.pending.map((message) => message.state), ["sent", "sent"]);
  bench.hear(`D PM ${id(3)} bob between`, `C 250 sent to 1 id=${id(2)}`, "C 354 your message?", "C 501 bad bytes");
  assert.deepEqual(bench.texts(), ["one", "between"]);
  assert.deepEqual([place.pending[0].state, place.pending[0].note], ["failed", "bad bytes"]);
  bench.do("sendAgain", place.pending[0]);
  bench.hear("C 450 not now", "C 503 no message was asked for");
  assert.equal(place.pending[0].note, "not now");
  bench.do("discard", place.pending[0]);
  assert.equal(place.pending.length, 0);
});

test("many lines go at the server's pace", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end");
  const place = bench.session.here;
  bench.do("say", place, Array.from({ length: 100 }, (_, n) => `line ${n}`));
  let sent = bench.lines();
  assert.equal(sent.length, 8);
  for (let n = 0; sent.length < 100; n += 1) {
    bench.hear(`C 250 sent to 1 id=${id(n + 1)}`);
    sent = [...sent, ...bench.lines()];
  }
  assert.deepEqual(sent, Array.from({ length: 100 }, (_, n) => `C PM line ${n}`));
  assert.equal(bench.do("say", place, ["x".repeat(4096)]), false);
  assert.equal(bench.session.excess(place, "x".repeat(4089)), 0);
});

test("a break: C, doubles, what arrived and what did not", () => {
  const bench = Bench.ready();
  bench.hear(`C 212-${id(1)} * bob - old`, "C 212 1 end", `D PM ${id(2)} bob heard`);
  const place = bench.session.here;
  bench.do("say", place, ["arrives", "is lost"]);
  bench.hear(`D PM ${id(3)} bob meanwhile`);
  assert.deepEqual(bench.lines(), ["C PM arrives", "C PM is lost"]);
  const asked = bench.again();
  assert.ok(asked.includes(`C HISTORY after ${id(2)} 200`), "C is where it was when the line was sent");
  assert.deepEqual(place.pending.map((message) => message.state), ["unsure", "unsure"]);
  bench.do("say", place, ["waits for the end"]);
  assert.deepEqual(bench.lines(), []);
  bench.hear(`D PM ${id(9)} bob live`);
  bench.hear(`C 212-${id(3)} * bob - meanwhile`, `C 212-${id(4)} * alice - arrives`, `C 212-${id(5)} * bob m missed, alice`, `C 212 3 next=${id(5)}`);
  assert.deepEqual(bench.lines(), [`C HISTORY after ${id(5)} 200`]);
  bench.hear(`C 212-${id(9)} * bob - live`, "C 212 1 end");
  assert.deepEqual(bench.texts(), ["old", "heard", "meanwhile", "arrives", "missed, alice", "live"]);
  assert.deepEqual(place.pending.map((message) => [message.text, message.state]), [["is lost", "failed"], ["waits for the end", "sent"]]);
  assert.deepEqual(bench.did("missed").map(({ count, loud }) => [count, loud]), [[1, 1]]);
  assert.deepEqual(bench.lines(), ["C PM waits for the end"]);
});

test("a break before the end of a resume begins where that one began", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end", `D PM ${id(2)} bob heard`);
  bench.again();
  bench.hear(`D PM ${id(20)} bob live`, `C 212-${id(3)} * bob - a`, `C 212 1 next=${id(3)}`);
  const asked = bench.again();
  assert.ok(asked.includes(`C HISTORY after ${id(2)} 200`), asked.join());
  bench.hear(`C 212-${id(3)} * bob - a`, `C 212-${id(4)} * bob - b`, `C 212-${id(20)} * bob - live`, "C 212 3 end");
  assert.deepEqual(bench.texts(), ["heard", "a", "b", "live"]);
});

test("450 to a resume: again, after longer and longer", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end", `D PM ${id(2)} bob heard`);
  bench.again();
  const asked = () => {
    const lines = bench.lines();
    if (lines.includes("C WHO")) bench.hear("C 211 1 online");
    return lines.filter((line) => line.includes("HISTORY"));
  };
  for (const pause of [1000, 2000, 4000, 8000, 16000, 30000, 30000]) {
    bench.hear("C 450 not now");
    bench.now += pause - 1;
    bench.do("tick");
    assert.deepEqual(asked(), []);
    bench.now += 1;
    bench.do("tick");
    assert.deepEqual(asked(), [`C HISTORY after ${id(2)} 200`]);
  }
});

test("more than can be shown was missed: logs begin anew", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end", `D PM ${id(1)} bob heard`);
  bench.again();
  let n = 2;
  for (let page = 0; page < 6; page += 1) {
    const lines = Array.from({ length: 200 }, () => `C 212-${id(n++)} * bob - line`);
    bench.hear(...lines, `C 212 200 next=${id(n - 1)}`);
  }
  assert.ok(bench.lines().includes("C HISTORY * 60"));
  assert.deepEqual([bench.session.here.items.length, bench.session.here.hasOlder], [0, true]);
});

test("reasons: waiting, obeying, stopping", () => {
  const bench = Bench.ready();
  bench.hear("C 421 shutting down, retry in 7 s");
  bench.do("closed");
  assert.deepEqual([bench.session.phase, bench.session.retryAt - bench.now], ["waiting", 7500]);
  bench.do("wake");
  assert.equal(bench.session.phase, "connecting");
  for (const most of [2000, 4000, 8000, 16000, 32000, 60000, 60000]) {
    bench.do("closed");
    assert.equal(bench.session.retryAt - bench.now, most * 0.75);
    bench.do("connect");
  }
  bench.hear("C 220 chatd 0.2.0 ready; your name?");
  assert.ok(bench.session.isOutdated);
  bench.hear("C 421 logged in 4 times already");
  bench.do("closed");
  assert.deepEqual([bench.session.phase, bench.session.due()], ["stopped", null]);
  bench.do("retry");
  assert.equal(bench.session.phase, "connecting");
  bench.hear("C 421 password was changed");
  bench.do("closed");
  assert.deepEqual([bench.session.phase, bench.session.error], ["out", "password was changed"]);
});

test("nobody answers: the connection is given up", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end");
  bench.do("wake");
  assert.deepEqual(bench.lines(), ["C NOOP"]);
  bench.now += 8000;
  bench.do("tick");
  assert.deepEqual([bench.did("close").length, bench.session.phase], [1, "waiting"]);
});

test("a token is renewed each 12 hours", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end");
  bench.now += 12 * 3_600_000;
  bench.session.heardAt = bench.now;
  bench.do("tick");
  assert.ok(bench.lines().includes("C TOKEN"));
});

test("marks are told once a second, and other devices' marks count", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end");
  bench.do("setSeeing", true);
  bench.hear(`D PM ${id(2)} bob one`);
  assert.deepEqual(bench.lines(), [`C READ * ${id(2)}`]);
  bench.hear("C 200 done", `D PM ${id(3)} bob two`, `D PM ${id(4)} bob three`);
  assert.deepEqual(bench.lines(), []);
  bench.now += 1000;
  bench.do("tick");
  assert.ok(bench.lines().includes(`C READ * ${id(4)}`));
  bench.hear(`D DM ${id(5)} dave psst`);
  assert.deepEqual(bench.session.places.get("@dave").unread, { count: 1, loud: 1 });
  bench.hear(`C 108 @dave ${id(5)}`);
  assert.equal(bench.session.places.get("@dave").unread.count, 0);
});

test("rooms: notices, kicked, closed, erased", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end");
  bench.do("enter", "MAKE", "lobby", "", false, () => {});
  bench.hear("C 227 lobby token=A", "C 211-alice host", "C 211 1 in lobby");
  const place = bench.session.here;
  assert.ok(place.name === "lobby" && bench.session.isHost(place));
  bench.hear("C 103 lobby bob entered", `D RM ${id(2)} lobby bob hi`, "C 105 lobby by alice: tea", "C 107 lobby bob is host now");
  assert.deepEqual([bench.session.peopleOf(place).map((person) => person.name), place.topic], [["alice", "bob"], "tea"]);
  bench.hear(`C 109 lobby ${id(2)}`);
  assert.deepEqual(bench.texts("lobby").filter((text) => text === "hi"), []);
  bench.hear("C 104 lobby alice left: kicked");
  assert.deepEqual([place.isJoined, bench.did("save").at(-1).saved.rooms], [false, []]);
});

test("guests who have logged in, other names, invitations", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end");
  bench.do("enter", "JOIN", "lobby", "", false, () => {});
  bench.hear("C 227 lobby token=A", "C 211-alice host", "C 211-~bob", "C 211-~eve", "C 211 3 in lobby");
  const place = bench.session.here;
  bench.do("refreshWho");
  bench.hear("C 211-alice", "C 211-~bob", "C 211 2 online");
  assert.deepEqual(["~bob", "~eve", "bob"].map((name) => bench.session.hearsOneRoom(name)), [false, true, false]);
  bench.hear(`D DM ${id(2)} ~bob psst`, "C 102 ~bob is ~rob now");
  assert.deepEqual(bench.session.peopleOf(place).map((person) => person.name), ["alice", "~eve", "~rob"]);
  assert.deepEqual([bench.texts("lobby").at(-1), bench.texts("@~bob").at(-1)], ["~bob is ~rob now", "~bob is ~rob now"]);
  assert.deepEqual(["~bob", "~rob"].map((name) => bench.session.hearsOneRoom(name)), [true, false]);
  bench.hear("C 111 den ~rob invites you");
  assert.deepEqual([bench.texts("lobby").at(-1), bench.did("told").at(-1).text], ["~rob invites you: /join den", "~rob invites you: /join den"]);
  bench.hear("C 102 ~rob is Rob now");
  assert.deepEqual([bench.session.peopleOf(place).map((person) => person.name), bench.session.online.has("~rob"), bench.session.online.get("rob")],
    [["alice", "Rob", "~eve"], false, "Rob"]);
  for (const line of ["C 102 ~rob", "C 102 ~rob is", "C 102 ~rob is x y now", "C 102 ", "C 111 ", "C 111 den"]) bench.hear(line);
  assert.ok(place.people.has("rob"));
});

test("a guest who speaks to me or to everybody is online, one in a room may not be", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end", `D PM ${id(2)} ~a hi`, `D DM ${id(3)} ~b psst`, `D RM ${id(4)} lobby ~c hello`);
  assert.deepEqual(["~a", "~b", "~c"].map((name) => bench.session.hearsOneRoom(name)), [false, false, true]);
  assert.ok(bench.lines().includes("C WATCH ~b"), "whether it is still there is told, as of an account");
});

test("what comes while nobody looks is under a line, until one speaks", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end", `D PM ${id(2)} bob unseen`);
  assert.equal(bench.session.here.lineAt, 0n);
  bench.do("setSeeing", true);
  assert.deepEqual([bench.session.here.unread.count, bench.session.here.lineAt], [0, 0n]);
  bench.do("say", bench.session.here, ["hi"]);
  assert.equal(bench.session.here.lineAt, null);
});

test("where one was, one is after a reload", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end");
  bench.do("open", "@dave");
  const { saved } = bench.did("save").at(-1);
  assert.equal(saved.place, "@dave");
  const next = new Bench(saved);
  next.do("start");
  next.login();
  assert.equal(next.session.here.name, "@dave");
});

test("somebody else logs in: nothing of the one before is there", () => {
  const bench = Bench.ready({ rooms: [{ name: "den", password: "" }] });
  bench.hear("C 227 den token=A", "C 212 0 end", `D PM ${id(2)} bob for alice`, "C 421 password was changed");
  bench.do("closed");
  assert.ok(bench.session.needsForm);
  bench.do("signIn", "eve", "right one");
  bench.hear("C 220 chatd 0.1.0 ready; your name?", "C 331 eve, your password?");
  bench.lines();
  bench.hear("C 230 welcome eve; 1 online; HELP lists what you can do", "C 200 ids", "C 231 t1.3 expires=86400", "C 211 nobody", "C 213 0 places");
  assert.deepEqual([bench.texts(), bench.lines().filter((line) => /JOIN|after/.test(line))], [[], []]);
});

test("an older server: what it does not know is not there", () => {
  const bench = Bench.ready({ unread: ["C 502 unknown operation"] });
  assert.deepEqual([bench.session.hasHistory, bench.session.hasSearch], [false, false]);
  bench.do("say", bench.session.here, ["hi"]);
  assert.ok(bench.lines().includes("C PM hi"));
});

test("whatever the server sends, nothing breaks", () => {
  let seed = 1;
  const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
  const words = ["C", "D", "PM", "RM", "DM", "TO", "212-", "212", "213-*", "250", "227", "103", "109", "421", "*", "@bob", "lobby", "1", id(7), "id=9", "next=3", "end", "\u202e", "<img>", "all", "__proto__", "constructor", ""];
  for (let run = 0; run < 200; run += 1) {
    const bench = Bench.ready();
    for (let n = 0; n < 60; n += 1) {
      const line = Array.from({ length: random(7) }, () => words[random(words.length)]).join(" ");
      bench.hear(random(2) === 0 ? line : `C ${100 + random(500)}${random(2) === 0 ? "-" : " "}${line}`);
      if (random(20) === 0) bench.do("say", bench.session.here, ["hi"]);
    }
  }
});

test("what waits and what was sent survive a reload: nothing is lost, nothing is sent twice", () => {
  const bench = Bench.ready();
  bench.hear(`C 212-${id(1)} * bob - old`, "C 212 1 end", `D PM ${id(2)} bob heard`);
  bench.do("say", bench.session.here, ["arrives", "is lost"]);
  bench.session.place("@dave").draft = "half a";
  bench.do("closed");
  bench.do("say", bench.session.here, ["waits"]);
  const saved = JSON.parse(JSON.stringify({ name: "alice", token: "t1.1", unsent: bench.session.unsent() }));
  const next = new Bench(saved);
  assert.deepEqual(next.session.here.pending.map(({ text, state }) => [text, state]), [["arrives", "unsure"], ["is lost", "unsure"], ["waits", "queued"]]);
  next.do("start");
  const sent = next.login({ unread: [`C 213-* 2 0 read=${id(2)} last=${id(9)} notify=mentions`, "C 213 1 places; kept"] });
  assert.ok(sent.includes(`C HISTORY after ${id(2)} 200`) && !sent.some((line) => line.startsWith("C PM")), sent.join());
  next.hear(`C 212-${id(9)} * bob - newest`, `C 212 1 next=${id(9)}`);
  next.hear(`C 212-${id(4)} * alice - arrives`, `C 212-${id(9)} * bob - newest`, "C 212 2 end");
  assert.deepEqual(next.lines().filter((line) => line.startsWith("C PM")), ["C PM waits"]);
  assert.deepEqual(next.session.here.pending.map(({ text, state }) => [text, state]), [["is lost", "failed"], ["waits", "sent"]]);
  assert.deepEqual([next.texts(), next.session.place("@dave").draft], [["newest"], "half a"], "no gap between what arrived and the first page");
  next.hear("C 200 dave is offline", "C 212 0 end", `C 250 sent to 1 id=${id(10)}`);
  next.do("discard", next.session.here.pending[0]);
  next.session.place("@dave").draft = "";
  assert.equal(next.session.unsent(), null);
});

test("a copy of a tab sends nothing by itself, and another account gets nothing of it", () => {
  const unsent = { by: "alice", lines: [{ name: "*", text: "waits", state: "queued", note: "", time: 1, sentTop: "" }], drafts: [] };
  const copy = new Bench({ name: "alice", token: "t1.1", unsent, isCopy: true });
  copy.do("start");
  copy.login();
  assert.deepEqual([copy.session.here.pending[0].state, copy.lines().filter((line) => line.startsWith("C PM"))], ["failed", []]);
  const other = new Bench({ unsent });
  other.do("signIn", "eve", "right one");
  other.hear("C 220 chatd 0.1.0 ready; your name?", "C 331 eve, your password?", "C 230 welcome eve; 1 online; HELP lists what you can do");
  assert.deepEqual([other.session.here.pending, other.session.queue], [[], []]);
});

test("a message of long ago: its page, then on to the newest, without a gap", () => {
  const bench = Bench.ready();
  bench.hear(`C 212-${id(900)} * bob - newest`, `C 212 1 next=${id(900)}`);
  bench.lines();
  bench.do("open", "*", BigInt(id(100)));
  assert.deepEqual(bench.lines(), [`C HISTORY * before ${BigInt(id(100)) + 1n} 60`]);
  bench.hear(`D PM ${id(901)} bob live, elsewhere`, `C 212-${id(99)} * bob - before`, `C 212-${id(100)} * bob - found`, `C 212 2 next=${id(99)}`);
  const place = bench.session.here;
  assert.deepEqual([bench.texts(), place.hasNewer, place.hasOlder, place.unread.count], [["before", "found"], true, true, 1]);
  bench.do("newer", place);
  assert.deepEqual(bench.lines(), [`C HISTORY * after ${id(100)} 200`]);
  bench.hear(`C 212-${id(300)} * bob - between`, `C 212 1 next=${id(300)}`);
  bench.do("newer", place);
  bench.hear(`D PM ${id(902)} bob while it is fetched`, `C 212-${id(900)} * bob - newest`, `C 212-${id(901)} * bob - live, elsewhere`, "C 212 2 end");
  assert.deepEqual([bench.texts(), place.hasNewer], [["before", "found", "between", "newest", "live, elsewhere", "while it is fetched"], false]);
  bench.do("open", "*", BigInt(id(50)));
  bench.hear(`C 212-${id(50)} * bob - found`, `C 212 1 next=${id(50)}`);
  bench.lines();
  bench.do("say", place, ["now"]);
  assert.deepEqual(bench.lines(), ["C HISTORY * 60", "C PM now"]);
  bench.hear(`C 212-${id(902)} * bob - while it is fetched`, `C 212 1 next=${id(902)}`, `C 250 sent to 1 id=${id(903)}`);
  assert.deepEqual(bench.texts(), ["while it is fetched", "now"]);
});

test("a page that was asked for before the log began anew is not shown in it", () => {
  const bench = Bench.ready();
  const place = bench.session.here;
  bench.do("open", "*", BigInt(id(100)));
  bench.hear(`C 212-${id(900)} * bob - newest`, "C 212 1 end", `C 212-${id(100)} * bob - found`, "C 212 1 end");
  assert.deepEqual([bench.texts(), place.hasNewer], [["found"], true]);
});

test("a new password", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end");
  const told = [];
  bench.do("changePassword", "old one 1", "new one 1", (reply) => told.push(reply.code));
  assert.deepEqual(bench.lines(), ["C PASSWD", "D old one 1", "D new one 1"]);
  bench.hear("C 331 your old password?", "C 332 choose a new password", "C 200 password changed");
  assert.deepEqual([told, bench.lines()], [[200], ["C TOKEN"]]);
  bench.hear("C 231 t1.9 expires=86400");
  bench.do("changePassword", "wrong one", "new one 2", (reply) => told.push(reply.code, reply.text));
  bench.hear("C 331 your old password?", "C 530 wrong password", "C 503 not at this point");
  assert.deepEqual(told, [200, 530, "wrong password"]);
  bench.do("changePassword", "new one 1", "new one 2", (reply) => told.push(reply.code));
  bench.do("closed");
  assert.equal(told.at(-1), 0, "who waits for an answer is told of the break");
});

test("a password at the form is what counts, and another tab's token stays", () => {
  const bench = new Bench({ name: "alice", token: "t1.1" });
  bench.do("start");
  bench.hear("C 220 chatd 0.1.0 ready; your name?", "C 421 logged in 4 times already");
  bench.do("closed");
  bench.lines();
  bench.do("signIn", "alice", "right one");
  bench.hear("C 220 chatd 0.1.0 ready; your name?");
  assert.deepEqual(bench.lines(), ["C alice"]);
  const other = Bench.ready();
  other.hear("C 212 0 end", "C 421 password was changed");
  other.do("closed");
  assert.deepEqual(other.did("save").at(-1), { do: "save", saved: { name: "alice", token: "", rooms: [], place: "*" }, old: "t1.2", isAll: undefined });
});

test("slow answers one after another are no break", () => {
  const bench = Bench.ready({ rooms: [{ name: "a", password: "x" }, { name: "b", password: "x" }] });
  for (const line of ["C 554 wrong password", "C 554 wrong password", "C 212 0 end"]) {
    bench.now += 20_000;
    bench.do("tick");
    assert.ok(bench.session.isReady, line);
    bench.hear(line);
  }
  while (bench.session.requests.length > 0) bench.hear("C 200 done");
  bench.do("erase", { id: 5n, place: bench.session.here }, () => {});
  bench.now += 60_000;
  bench.do("tick");
  assert.ok(bench.session.isReady, "an erasure may take a minute");
});

test("who is online follows what is told, and thousands are not asked for again and again", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end", `D PM ${id(2)} zoe hi`, "C 101 carol online", "C 101 carol offline");
  assert.deepEqual(bench.session.peopleOf(bench.session.here).map(({ name }) => name), ["alice", "zoe"]);
  bench.now += 10_000;
  bench.do("tick");
  assert.deepEqual(bench.lines().filter((line) => line === "C WHO").length, 1);
  bench.hear("C 211-alice", "C 211 200 of 5000 online; WHO prefix narrows it");
  for (let n = 0; n < 9; n += 1) {
    bench.now += 10_000;
    bench.do("tick");
    bench.hear(`D PM ${id(n + 3)} bob${n} hi`);
  }
  bench.now += 10_000;
  bench.do("tick");
  assert.deepEqual(bench.lines().filter((line) => line === "C WHO").length, 0);
});

test("many direct conversations: few are watched, and after the resume", () => {
  const unread = Array.from({ length: 60 }, (_, n) => `C 213-@dave${n} 0 0 read=1 last=1 notify=all`);
  const bench = Bench.ready({ unread: [...unread, "C 213 60 places; kept"] });
  const at = (word) => bench.first.findIndex((line) => line.startsWith(word));
  assert.equal(bench.first.filter((line) => line.startsWith("C WATCH")).length, 30);
  assert.ok(at("C WATCH") > at("C HISTORY"));
});

test("the rooms of one account are not those of another", () => {
  const bench = new Bench({ name: "alice", token: "t1.1", rooms: [{ name: "den", password: "secret" }], place: "den" });
  bench.do("start");
  bench.hear("C 220 chatd 0.1.0 ready; your name?", "C 531 token refused; your password?");
  bench.do("signIn", "eve", "right one");
  bench.hear("C 200 cancelled; your name?", "C 331 eve, your password?", "C 230 welcome eve; 1 online; HELP lists what you can do");
  bench.hear("C 200 ids", "C 231 t1.3 expires=86400", "C 211 nobody", "C 213 0 places");
  assert.ok(!bench.lines().some((line) => /JOIN|secret/.test(line)));
  assert.equal(bench.session.here.name, "*");
});

test("a text that waits for a room that has ended is given back", () => {
  const unsent = { by: "alice", lines: [{ name: "den", text: "waits", state: "queued", note: "", time: 1, sentTop: "" }], drafts: [] };
  const bench = new Bench({ name: "alice", token: "t1.1", rooms: [{ name: "den" }], place: "den", unsent });
  bench.do("start");
  const sent = bench.login({ joins: ["C 550 no such room"] });
  assert.ok(sent.includes("C RM den waits"), sent.join());
  while (bench.session.requests.length > 0) bench.hear("C 550 you are not in den");
  assert.deepEqual(bench.session.here.pending.map(({ state, note }) => [state, note]), [["failed", "you are not in den"]]);
});

test("a host may erase what others have said in a room that is kept", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end");
  bench.do("enter", "MAKE", "lobby", "", false, () => {});
  bench.hear("C 227 lobby token=A", "C 211-alice host", "C 211 1 in lobby", `D RM ${id(2)} lobby bob hi`);
  const [item] = bench.session.here.items;
  assert.equal(bench.session.canErase(item), false);
  bench.hear("C 112 lobby kept 30");
  assert.equal(bench.session.canErase(item), true);
  bench.hear("C 107 lobby bob is host now");
  assert.equal(bench.session.canErase(item), false);
});

test("450 to a page: again, and only one at a time", () => {
  const bench = Bench.ready();
  bench.hear("C 450 not now");
  bench.do("older", bench.session.here);
  assert.deepEqual(bench.lines(), []);
  bench.now += 1000;
  bench.do("tick");
  assert.deepEqual(bench.lines(), ["C HISTORY * 60"]);
  bench.hear("C 450 not now");
  bench.do("open", "@dave");
  bench.hear("C 200 dave is offline", "C 450 not now");
  bench.now += 2000;
  bench.do("tick");
  bench.lines();
  bench.do("open", "*");
  assert.deepEqual(bench.lines(), ["C HISTORY * 60"], "each place by itself");
});

test("a hidden page does not ask who is online", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end");
  bench.session.isVisible = false;
  bench.now += 10_000;
  bench.do("tick");
  assert.deepEqual(bench.lines(), []);
  bench.session.isVisible = true;
  bench.now += 10_000;
  bench.do("tick");
  assert.deepEqual(bench.lines(), ["C WHO"]);
});

test("a message that is no longer in memory is fetched, also in the place that is shown", () => {
  const bench = Bench.ready();
  bench.session.isLookingBack = true;
  bench.hear("C 212 0 end", ...Array.from({ length: 1200 }, (_, n) => `D PM ${id(n + 1)} bob line`));
  const place = bench.session.here;
  assert.equal(place.items.length, 1200);
  bench.lines();
  bench.do("open", "*", BigInt(id(100)));
  assert.deepEqual([bench.lines(), place.hasNewer], [[`C HISTORY * before ${BigInt(id(100)) + 1n} 60`], true]);
  bench.hear(`C 212-${id(100)} * bob - line`, `C 212 1 next=${id(100)}`);
  bench.do("open", "*", BigInt(id(100)));
  assert.deepEqual([bench.lines(), place.target, bench.texts()], [[`C HISTORY * before ${id(100)} 200`], BigInt(id(100)), ["line"]], "what is there stays");
});

test("a token that has ended leaves no gap in the log", () => {
  const bench = Bench.ready();
  bench.hear("C 212 0 end", `D PM ${id(2)} bob heard`);
  bench.do("closed");
  bench.now = bench.session.retryAt;
  bench.do("tick");
  bench.lines();
  bench.hear("C 220 chatd 0.1.0 ready; your name?", "C 531 token refused; log in with your password");
  bench.do("signIn", "alice", "right one");
  bench.hear("C 230 welcome alice; 1 online; HELP lists what you can do", "C 200 ids", "C 231 t1.3 expires=86400", "C 211 nobody", `C 213-* 1 0 read=${id(2)} last=${id(3)}`, "C 213 1 places");
  assert.ok(bench.lines().includes(`C HISTORY after ${id(2)} 200`));
  bench.hear("C 211 1 online", `C 212-${id(3)} * bob - missed`, "C 212 1 end", `D PM ${id(4)} bob live`);
  assert.deepEqual(bench.texts(), ["heard", "missed", "live"]);
});

test("what was missed stands before what came meanwhile, comings and goings too", () => {
  const bench = Bench.ready({ rooms: [{ name: "den", password: "" }] });
  bench.hear("C 212 0 end", "C 227 den token=A kept=30", `D RM ${id(2)} den bob heard`);
  bench.again();
  bench.hear("C 227 den token=A kept=30", `D RM ${id(9)} den bob live`, "C 103 den carol", `C 212-${id(3)} den bob - missed`, `C 212-${id(9)} den bob - live`, "C 212 2 end");
  assert.deepEqual(bench.texts("den"), ["heard", "missed", "live"]);
});

test("comings and goings take nothing from the one who looks back", () => {
  const bench = Bench.ready({ rooms: [{ name: "den", password: "" }] });
  bench.hear("C 212 0 end", "C 227 den token=A kept=30");
  const den = bench.session.places.get("den");
  bench.do("open", "den");
  bench.session.isLookingBack = true;
  for (let n = 1; n <= 1500; n += 1) bench.hear(`D RM ${id(n)} den bob line`);
  bench.hear("C 103 den carol", "C 105 den by bob: tea");
  assert.equal(den.ids.size, 1500);
  bench.do("open", "*");
  bench.hear("C 104 den carol left: quit");
  assert.ok(den.items.length <= 1000);
});

test("without a history a new direct conversation waits for none", () => {
  const bench = Bench.ready({ unread: ["C 502 unknown operation"] });
  bench.do("open", "@bob");
  assert.equal(bench.session.here.hasOlder, false);
});

test("a room is not left while it is entered again", () => {
  const bench = Bench.ready({ rooms: [{ name: "den", password: "" }] });
  bench.hear("C 212 0 end", "C 227 den token=A kept=30");
  const den = bench.session.places.get("den");
  bench.again();
  assert.ok(den.isJoined);
  bench.hear("C 535 den needs another password");
  assert.ok(!den.isJoined);
});

test("who is online is not known any more after a break", () => {
  const bench = Bench.ready();
  bench.do("open", "@bob");
  bench.hear("C 212 0 end", "C 200 bob is online");
  assert.equal(bench.session.presence.get("bob")?.is, "online");
  bench.do("closed");
  assert.equal(bench.session.presence.size, 0);
});

test("all that somebody has said is erased at once", () => {
  const place = new Session({}).here;
  for (let n = 1; n <= 30_000; n += 1) place.add({ id: BigInt(n) << 20n, type: "message", from: n % 3 === 0 ? "eve" : "bob", text: "" });
  const begun = performance.now();
  place.eraseAll("Bob");
  assert.equal(place.items.length, 10_000);
  assert.equal(place.ids.size, 10_000);
  assert.ok(performance.now() - begun < 2000, `${performance.now() - begun} ms`);
});

test("who is the host is known before it matters", () => {
  const bench = Bench.ready({ rooms: [{ name: "den", password: "" }] });
  bench.hear("C 212 0 end", "C 227 den token=A");
  bench.lines();
  const [den, told] = [bench.session.places.get("den"), []];
  const ask = () => bench.do("withPeople", den, () => told.push(bench.session.isHost(den)));
  ask();
  assert.deepEqual([bench.lines(), told], [["C NAMES den"], []]);
  bench.hear("C 211-alice host", "C 211 1 in den");
  ask();
  assert.deepEqual([bench.lines(), told], [[], [true, true]]);
  den.people = null;
  ask();
  bench.do("closed");
  assert.deepEqual(told, [true, true, false]);
});

test("what is newer is not asked for without end when it cannot be read any more", () => {
  const bench = Bench.ready({ rooms: [{ name: "den", password: "" }] });
  bench.hear("C 212 0 end", "C 227 den token=A kept=30");
  const den = bench.session.places.get("den");
  bench.do("open", "den", 5n << 20n);
  bench.lines();
  bench.hear(`C 212-${id(5)} den bob - old`, "C 212 1 end", "C 211-alice", "C 211 1 in den");
  assert.ok(den.hasNewer);
  bench.do("newer", den);
  bench.hear("C 550 no room den");
  assert.ok(!den.hasNewer);
});
