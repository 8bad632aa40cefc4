import assert from "node:assert/strict";
import { test } from "node:test";

import { Place } from "../place.js";
import { movesText, rowsOf } from "../rows.js";
import { byteLength, clip, complete, dayOf, linesOf, mentions, pieces } from "../text.js";
import { confirmed, noteOf, pageEnd, parse, pastLine, placeOf, placeWord, retryIn, unreadLine } from "../wire.js";

test("lines of the server", () => {
  assert.deepEqual(parse("C 250 sent to 2"), { type: "reply", code: 250, more: false, text: "sent to 2" });
  assert.deepEqual(parse("C 211-alice"), { type: "reply", code: 211, more: true, text: "alice" });
  assert.deepEqual(parse("C 103 lobby bob entered"), { type: "notice", code: 103, more: false, text: "lobby bob entered" });
  assert.deepEqual(parse("D PM 1882416070839500800 erin  two spaces"), { type: "said", id: 1882416070839500800n, place: "*", from: "erin", text: " two spaces" });
  assert.deepEqual(parse("D DM 7 erin psst"), { type: "said", id: 7n, place: "@erin", from: "erin", text: "psst" });
  assert.deepEqual(parse("D TO 8 bob hi"), { type: "said", id: 8n, place: "@bob", from: null, text: "hi" });
  assert.deepEqual(parse("D RM 9 lobby ~guest a b"), { type: "said", id: 9n, place: "lobby", from: "~guest", text: "a b" });
  assert.deepEqual(parse("D NEW 1 2 3"), { type: "other" });
  for (const line of ["", "C", "C x", "D", "D PM", "D PM x alice hi", "D pm 1 a b", "X 250 a", "C 25 a"]) assert.equal(parse(line), null, line);
});

test("every cut of a line is a value or nothing", () => {
  for (const line of ["D RM 1882416070839500802 lobby alice hi room", "C 212-1882416070839500802 lobby erin m are you there?"]) {
    for (let n = 0; n <= line.length; n += 1) assert.doesNotThrow(() => parse(line.slice(0, n)));
  }
  for (const text of ["18446744073709551615 #größe erin mg are you there", "50 next=17", "größe 1000 12 read=1 last=2 notify=all"]) {
    for (let n = 0; n <= text.length; n += 1) assert.doesNotThrow(() => [pastLine(text.slice(n)), pageEnd(text.slice(n)), unreadLine(text.slice(0, n))]);
  }
});

test("lines of a page", () => {
  assert.deepEqual(pastLine("17 lobby erin m are you there, bob?"), { id: 17n, place: "lobby", from: "erin", isMention: true, isHole: false, text: "are you there, bob?" });
  assert.deepEqual(pastLine("19 * -eve -   three"), { id: 19n, place: "*", from: "-eve", isMention: false, isHole: false, text: "  three" });
  assert.equal(pastLine("20 lobby server g 12 messages").isHole, true);
  assert.equal(pastLine("21 #5 a - ").text, "");
  assert.equal(pastLine("21 #5 a -").text, "");
  for (const text of ["", "17", "17 lobby", "17 lobby erin", "x * a - t", "17 @ a - t", "17 ##b a - t", "17 *  - t", "17 * a M t"]) assert.equal(pastLine(text), null, text);
  assert.deepEqual([pageEnd("50 next=17"), pageEnd("7 end"), pageEnd("50 messages; next"), pageEnd("7")], [{ next: 17n }, { next: null }, null, null]);
});

test("places, counts, confirmations", () => {
  assert.deepEqual(["*", "#lobby", "@bob", "@", "#", "##a"].map(placeOf), ["*", "lobby", "@bob", null, null, null]);
  assert.deepEqual(["*", "lobby", "@bob", "5a", "Before", "offen"].map(placeWord), ["*", "lobby", "@bob", "#5a", "#Before", "offen"]);
  assert.deepEqual(unreadLine("@dave 3 1 read=17 last=19 notify=all"), { place: "@dave", count: 3, mentions: 1, read: 17n, last: 19n, level: "all" });
  assert.deepEqual(["* 3", "* x 1", "* 3 1 read=x", "@ 1 1"].map(unreadLine), [null, null, null, null]);
  assert.deepEqual(confirmed("sent to bob (away: my id=5) id=6"), { told: "sent to bob (away: my id=5)", id: 6n });
  assert.deepEqual(confirmed("sent to 3"), { told: "sent to 3", id: null });
  assert.deepEqual([noteOf("sent to 3"), noteOf("sent to bob (away: lunch)"), noteOf("kept for bob"), noteOf("sent to 2, not kept")], ["", "away: lunch", "kept for bob, who is not there", "not kept in the history"]);
  assert.deepEqual([retryIn("shutting down, retry in 2 s"), retryIn("too slow")], [2, null]);
});

test("a name is a word", () => {
  for (const text of ["bob", "BOB: look", "ask Bob.", "@bob", "bob's", "-bob-", "hey,bob", "你好bob上海", "bobさん", "👋bob👋", "\u0301bob"]) assert.ok(mentions(text, "bob"), text);
  for (const text of ["", "bobby", "b.o.b", "bob2", "bob.smith", "ébob", "bobß", "бbob", "ｂob"]) assert.ok(!mentions(text, "bob"), text);
  assert.ok(mentions("ask bob_. now", "bob_") && !mentions("ask bob now", "bob_") && !mentions("...", "..."));
  assert.ok(mentions(`${"._-".repeat(1000)}bob${"._-".repeat(1000)}`, "bob") && !mentions(`a${".".repeat(4000)}bob`, "bob"));
});

test("links are http and https alone", () => {
  const urls = (text) => pieces(text).filter((piece) => piece.url).map((piece) => piece.text);
  assert.deepEqual(urls(`(http://a/${")".repeat(4000)} http://b/(x)${")]}".repeat(900)}.`), ["http://a/", "http://b/(x)"]);
  assert.deepEqual(urls("see https://a.example/x_(y), (http://b.example/) or http://c.example."), ["https://a.example/x_(y)", "http://b.example/", "http://c.example"]);
  for (const text of ["javascript:alert(1)", "data:text/html,x", "xhttp://a.example", "https://", "http://user:pw@a.example", "https:// a", "JAVASCRIPT://https", "<https", "file:///etc"]) assert.deepEqual(urls(text), [], text);
  for (const text of ["", "a", "x https://a.example y", "https://a.example/\u202ehttps://b.example"]) assert.equal(pieces(text).map((piece) => piece.text).join(""), text);
  const long = `https://a.example/${")".repeat(4000)}`;
  assert.equal(pieces(long).map((piece) => piece.text).join(""), long);
});

test("texts", () => {
  assert.equal(byteLength("größe 👋"), 12);
  assert.deepEqual(linesOf("a\r\n\n  \nb\u2028c"), ["a", "b", "c"]);
  assert.deepEqual([clip("abc", 3), clip("abcd", 3)], ["abc", "ab…"]);
  assert.notEqual(dayOf(0), dayOf(86_400_000));
  const names = ["alice", "albert", "bob"];
  assert.deepEqual(complete("al", 2, names, 1), { text: "albert: ", at: 8 });
  assert.deepEqual(complete("hi @b there", 5, names, 0), { text: "hi @bob  there", at: 8 });
  assert.deepEqual(complete("hi ~z", 5, ["zoe", "~zed"], 0), { text: "hi ~zed ", at: 8 });
  assert.deepEqual([complete("", 0, names, 0), complete("hi ", 3, names, 0), complete("zz", 2, names, 0)], [null, null, null]);
});

const said = (id, from, text = "x") => ({ key: String(id), type: "message", id: BigInt(id) << 20n, from, text });

test("rows of a log", () => {
  const place = new Place("lobby");
  for (const item of [said(1, "a"), said(2, "a"), said(3, "b", "/me waves")]) place.add(item);
  place.move("c", "entered", 4);
  place.move("c", "left", 5);
  place.add(said(6, "b"));
  const rows = rowsOf(place.items, { lineAt: 2n << 20n, me: "z" });
  assert.deepEqual(rows.map((row) => row.type), ["day", "message", "message", "new", "message", "moves", "message"]);
  assert.deepEqual(rows.filter((row) => row.type === "message").map((row) => row.isFollowing), [false, true, false, false]);
  assert.equal(new Set(rows.map((row) => row.key)).size, rows.length);
  assert.equal(movesText(rows[5].moves), "c came and went");
  assert.ok(rowsOf([said(3, "z")], { lineAt: 2n << 20n, me: "z" }).every((row) => row.type !== "new"), "one's own words are not new");
  const move = (name, how) => ({ name, how });
  assert.equal(movesText([..."abcdef"].map((name) => move(name, "entered"))), "a, b, c and 3 others entered");
  assert.equal(movesText([move("a", "left"), move("a", "entered"), move("b", "is host now")]), "a left and came back · b is host now");
});

test("a place drops doubles, and keeps the order of ids", () => {
  const place = new Place("*");
  assert.ok(place.add(said(5, "a")) && place.add(said(3, "a") ) === false, "before the first one there may be more");
  assert.ok(place.add(said(9, "a")) && place.add(said(7, "b")) && !place.add(said(7, "b")));
  place.merge([said(1, "a"), said(2, "a"), said(5, "a")]);
  assert.deepEqual(place.items.map((item) => Number(item.id >> 20n)), [1, 2, 5, 7, 9]);
  const own = { key: "own 1", type: "message", id: null, from: "me", text: "hi", place };
  place.pending.push(own);
  place.confirm(own, 8n << 20n, "");
  assert.deepEqual([place.items.map((item) => Number(item.id >> 20n)), place.pending.length], [[1, 2, 5, 7, 8, 9], 0]);
  place.erase(7n << 20n);
  place.eraseAll("A");
  assert.deepEqual(place.items.map((item) => item.from), ["me"]);
});

test("a place is bounded, and knows that there is more", () => {
  const place = new Place("*");
  place.hasOlder = false;
  for (let n = 1; n <= 3000; n += 1) place.add(said(n, "a"));
  place.trim();
  assert.deepEqual([place.items.length, place.ids.size, place.hasOlder], [1000, 1000, true]);
});

test("counted and heard and read", () => {
  const place = new Place("lobby");
  place.learn({ count: 3, mentions: 1, read: 10n, last: 20n, level: "all" });
  place.hear(20n, true);
  place.hear(21n, true);
  assert.deepEqual([place.unread, place.level], [{ count: 4, loud: 2 }, "all"]);
  place.read(20n);
  assert.deepEqual(place.unread, { count: 1, loud: 1 });
  place.read(30n);
  assert.deepEqual(place.unread, { count: 0, loud: 0 });
});

test("of hundreds of links in a text only the first ones are made", () => {
  const text = "http://a.example/ ".repeat(400).trim();
  const found = pieces(text);
  assert.ok(found.length <= 62 && found.filter(({ url }) => url).length >= 20, `${found.length} pieces`);
  assert.equal(found.map((piece) => piece.text).join(""), text);
});
