// Dialogs: a room, settings, a search, a place, a person, a question.

import { bdi, face, field, h, iconButton, put, small, submitted } from "./dom.js";
import { moment, rich } from "./log.js";
import { timeOf } from "./text.js";
import { ALL, keyOf, placeName } from "./wire.js";

/** Opens a dialog; `content(close)` makes what is in it. The promise is what it was closed with, else null. */
function openDialog(title, content, kind = "") {
  return new Promise((resolve) => {
    let result = null;
    const close = (value = null) => {
      result = value;
      dialog.close();
    };
    const dialog = h(`dialog${kind}`, { label: title, onclose: () => {
      dialog.remove();
      resolve(result);
    }, onclick: (event) => { if (event.target === dialog) close(); } });
    dialog.append(h("div.sheet", h("div.dialog-head", h("h2", bdi(title)), iconButton("close", "Close", () => close())), ...content(close)));
    document.body.append(dialog);
    dialog.showModal();
  });
}

const button = (text, onclick, kind = "") => h(`button${kind}`, { onclick }, text);
/** A button that closes the dialog before it does anything. */
const lastly = (close, text, act, kind) => button(text, () => {
  close();
  act();
}, kind);
const submit = (text) => h("button.primary", { type: "submit" }, text);
const buttons = (...children) => h("div.buttons", ...children);
const input = (props) => h("input", { autocomplete: "off", dir: "auto", ...props });

const form = (act, ...children) => h("form", { onsubmit: submitted(act) }, ...children);

/** A line for what is wrong, and what shows the reply of the server there. */
function alertLine() {
  const line = h("p.alert", { role: "alert", hidden: true });
  const say = (text) => put(line, text);
  return [line, say, ({ code, text }) => say(code === 200 ? "" : text)];
}

/** Asks whether `what` shall be done: true, or something else. */
export const ask = (what, ...words) => openDialog(`${what}?`, (close) => [
  ...words, buttons(button("Cancel", () => close()), h("button.primary", { autofocus: true, onclick: () => close(true) }, what)),
]);

export const joinRoom = (app) => openDialog("Join or make a room", (close) => {
  const [error, say] = alertLine();
  const room = input({ autocapitalize: "none", spellcheck: false, autofocus: true, oninput: () => look() });
  const password = input({ spellcheck: false });
  const list = h("ul.choices", { label: "Rooms on this server" });
  const done = (words) => {
    if (!words) return close();
    say(words);
    room.focus();
  };
  const named = () => room.value.trim().replace(/^#/, "");
  const go = (verb) => {
    if (!named()) return done("a room needs a name");
    if (!app.session.isReady) return done("there is no connection");
    return app.do("enter", verb, named(), password.value, false, done);
  };
  const look = () => app.do("inquire", `ROOMS ${named()}`.trim(), ({ lines }) => list.replaceChildren(...lines.map((line) => {
    const [name, ...rest] = line.split(" ");
    return h("li", h("button.place", { onclick: () => {
      room.value = name;
      if (rest.includes("password")) password.focus();
      else go("JOIN");
    } }, h("span.sign", "#"), bdi(name, ".label"), h("span.tag", rest.join(" "))));
  })));
  look();
  return [form(() => go("JOIN"), error, field("Room", room), field("Room password", password), buttons(button("Make", () => go("MAKE")), submit("Join"))), list];
});

const options = (values, chosen) => Object.entries(values).map(([value, text]) => h("option", { value, selected: value === chosen }, text));

export const settings = (app) => openDialog("Settings", (close) => {
  const { session, prefs } = app;
  const [error, , tell] = alertLine();
  const theme = h("select", { autofocus: true, onchange: () => app.setPref("theme", theme.value) }, options({ system: "As the system", light: "Light", dark: "Dark" }, prefs.theme));
  const why = !isSecureContext ? "Only https and localhost may show notifications."
    : !("Notification" in window) ? "This browser has no notifications."
      : Notification.permission === "denied" ? "The browser forbids notifications here." : "";
  const hint = small(why || "Direct messages and mentions while the page is hidden.");
  hint.id = "why";
  const notices = h("input", { type: "checkbox", role: "switch", checked: prefs.notify && !why, disabled: why, "aria-describedby": "why", onchange: async () => {
    const isAllowed = notices.checked && (await Notification.requestPermission()) === "granted";
    if (notices.checked && !isAllowed) hint.textContent = "The browser does not allow it.";
    notices.checked = isAllowed;
    app.setPref("notify", isAllowed);
  } });
  const away = input({ value: session.away, placeholder: "What others are told", onchange: () => app.do("setAway", away.value.trim(), tell) });
  return [error, field("Theme", theme), h("label.check", notices, "Notifications"), hint,
    field("Away", away),
    buttons(lastly(close, "Change password", () => newPassword(app)), lastly(close, "Sign out", () => app.do("signOut")))];
});

const newPassword = (app) => openDialog("Change password", (close) => {
  const [error, say] = alertLine();
  const secret = (autocomplete) => h("input", { type: "password", autocomplete, maxLength: 256 });
  const [old, next] = [secret("current-password"), secret("new-password")];
  old.autofocus = true;
  return [form(() => app.do("changePassword", old.value, next.value, ({ code, text }) => {
    if (code !== 200) return say(text);
    close();
    app.tell(text);
  }), h("input", { hidden: true, autocomplete: "username", value: app.session.me }), error, field("Old password", old), field("New password", next), small("Your other sessions end."), buttons(submit("Change")))];
});

/** A line that was found. */
const hit = (line, go) => h("li", h("button.hit", { onclick: () => go(line) }, face(line.from), h("span.grow",
  bdi(line.from, ".from"), " ", h("span.quiet.small", bdi(placeName(line.place)), ` · ${moment(timeOf(line.id))}`),
  h("span.quote", { dir: "auto" }, line.text))));

export const search = (app, open) => openDialog("Search", (close) => {
  const words = input({ autofocus: true, placeholder: "green tea from:bob in:lobby" });
  const state = h("p.quiet.small", { role: "status" }, "All of these words; wor* and \"exact words\" too.");
  const list = h("ol", { label: "Found" });
  const more = h("button", { hidden: true, onclick: () => go(more.next) }, "Show older");
  let asked = "";
  const go = (before) => app.do("search", asked, before, ({ lines, next, error }) => {
    list.append(...lines.reverse().map((line) => hit(line, () => {
      close();
      open(line.place, line.id);
    })));
    state.textContent = error || (list.children.length === 0 && next === null ? "Nothing was found." : `${list.children.length} found`);
    [more.next, more.hidden] = [next, next === null];
  });
  return [form(() => {
    asked = words.value.trim();
    list.replaceChildren();
    if (asked) go(null);
  }, field("Search", words), state), list, more];
}, ".wide");

/** Ctrl+K: to a place or a person, by some letters of the name. */
export const switchPlace = (app, places, open) => openDialog("Go to", (close) => {
  const { session } = app;
  const name = input({ autofocus: true, oninput: () => {
    fill(session.online.values());
    app.do("inquire", `WHO ${letters()}`, ({ lines }) => fill(lines));
  } });
  const list = h("ul.choices", { label: "Places" });
  let found = [];
  const letters = () => keyOf(name.value.trim().replace(/^[@#]/, ""));
  const go = (place) => {
    close();
    open(place);
  };
  const fill = (online) => {
    const known = places.filter((place) => keyOf(place.label).includes(letters())).sort((a, b) => b.unread.count - a.unread.count).map((place) => place.name);
    // Somebody who is away is found by the whole name.
    const named = /^[a-z]\S*$/.test(letters()) ? [session.online.get(letters()) ?? letters()] : [];
    const people = [...new Set([...online, ...named])].map((person) => `@${person}`).filter((person) => keyOf(person).includes(letters()) && !session.places.has(keyOf(person)));
    const isBegun = (place) => keyOf(placeName(place)).replace("@", "").startsWith(letters());
    found = [...known, ...people].sort((a, b) => isBegun(b) - isBegun(a)).slice(0, 12);
    list.replaceChildren(...found.map((place) => h("li", button(bdi(placeName(place)), () => go(place), ".place"))));
  };
  fill(session.online.values());
  return [form(() => { if (found.length > 0) go(found[0]); }, field("Place or person", name)), list];
});

/** About a place: what it is, how loud it is, what its host may do; or about a person. */
export const details = (app, place, open) => openDialog(place.who || place.label, (close) => {
  const { session } = app;
  const [error, , tell] = alertLine();
  const set = (line) => app.do("inquire", line, tell);
  const known = session.places.get(place.key);
  const level = h("select", { onchange: () => app.do("setLevel", known, level.value, tell) }, options({ all: "Everything", mentions: "Mentions of me", none: "Nothing" }, known?.level));
  const context = { app, place, known, open, close, set, tell };
  return [error, ...(place.who ? personParts(context) : []), session.hasHistory && known?.isStored ? field("Notify me of", level) : null,
    ...(place.isRoom ? roomParts(context) : place.name === ALL ? [small("Everybody on this server reads this.")] : [])];
});

function roomParts({ app, place, close, set }) {
  const { session } = app;
  const isHost = session.isHost(place);
  const topic = input({ value: place.topic, disabled: !isHost, onchange: () => set(`TOPIC ${place.word} ${topic.value.trim() || "-"}`) });
  const lock = input({ placeholder: "none", onchange: () => set(`LOCK ${place.word} ${lock.value || "-"}`) });
  const isSure = (what) => place.kept === null || ask(what, h("p", "What was said there is erased for everybody."));
  const keep = h("input", { type: "checkbox", checked: place.kept !== null, onchange: async () => {
    if (await isSure("Erase the history")) set(`KEEP ${place.word}${keep.checked ? "" : " off"}`);
    else keep.checked = true;
  } });
  return [
    field("Topic", topic),
    small(place.kept === null ? "Nothing is kept; the room ends with its last member." : `What is said here is kept for ${place.kept} days.`),
    ...(isHost ? [session.hasHistory && h("label.check", keep, "Keep this room"), field("New room password", lock)] : []),
    buttons(
      isHost && lastly(close, "Close the room", async () => {
        if (await isSure("Close the room")) set(`CLOSE ${place.word}`);
      }),
      lastly(close, "Leave", () => app.do("leave", place))),
  ];
}

/** What WHOIS tells: seconds and times as people read them. */
function factOf(key, value) {
  if (key === "idle") return `${Math.floor(value / 60)} min`;
  const time = key === "seen" ? Date.parse(`${value}Z`) : NaN;
  return isNaN(time) ? rich(value) : moment(time);
}

function personParts({ app, place, known, open, close, tell }) {
  const { session } = app;
  const { who } = place;
  const facts = h("dl");
  app.do("inquire", `WHOIS ${who}`, ({ code, text, lines }) => {
    if (code !== 215) return tell({ code, text });
    return facts.append(...lines.map((line) => /^(\S+) ?(.*)$/s.exec(line)).flatMap(([, key, value]) => [h("dt", key), h("dd", { dir: "auto" }, factOf(key, value))]));
  });
  if (session.isMe(who)) return [facts];
  const room = session.here;
  const isHosted = session.isHost(room) && room.people.has(keyOf(who));
  const isIgnored = session.ignored.has(keyOf(who));
  const done = (reply) => (reply.code === 200 ? close() : tell(reply));
  const asHost = (text, line) => isHosted && button(text, () => app.do("inquire", line, done));
  return [facts, buttons(
    asHost(`Put out of ${room.name}`, `KICK ${room.word} ${who}`),
    asHost(`Make host of ${room.name}`, room.kept === null ? `HOST ${room.word} ${who}` : `KEEP ${room.word} TO ${who}`),
    known && lastly(close, "Remove from the list", () => app.do("close", known)),
    !who.startsWith("~") && session.hasHistory && button(isIgnored ? "Stop ignoring" : "Ignore", () => app.do("setIgnored", who, !isIgnored, done)),
    !session.hearsOneRoom(who) && place.key !== room.key && lastly(close, "Message", () => open(place.name), ".primary"))];
}
