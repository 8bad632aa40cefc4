// Dialogs: a room, settings, a search, a place, a person, a question.

import { bdi, field, h, iconButton, small } from "./dom.js";
import { clock, dayName, rich } from "./log.js";
import { timeOf } from "./text.js";
import { EVERYBODY, LEVELS, isRoom, keyOf, placeName, placeWord } from "./wire.js";

/** Opens a dialog; `content(close)` makes what is in it. The promise is what it was closed with, else null. */
export function openDialog(title, content, props = {}) {
  return new Promise((resolve) => {
    let result = null;
    const close = (value = null) => {
      result = value;
      dialog.close();
    };
    const dialog = h("dialog", { "aria-label": title, ...props, onclose: () => {
      dialog.remove();
      resolve(result);
    }, onclick: (event) => { if (event.target === dialog) close(); } });
    dialog.append(h("div", { class: "sheet" }, h("div", { class: "dialog-head" }, h("h2", {}, title), iconButton("close", "Close", () => close())), ...content(close)));
    document.body.append(dialog);
    dialog.showModal();
  });
}

const button = (text, onclick, props = {}) => h("button", { onclick, ...props }, text);
const alertLine = () => h("p", { role: "alert", class: "alert", hidden: true });
const say = (line, text) => {
  line.hidden = text === "";
  line.textContent = text;
};

const buttons = (...children) => h("div", { class: "buttons" }, ...children);

/** Asks whether `what` shall be done: true, or something else. */
export const ask = (what, ...words) => openDialog(`${what}?`, (close) => [
  ...words, buttons(button("Cancel", () => close()), button(what, () => close(true), { class: "primary", autofocus: true })),
]);

export const joinRoom = (app) => openDialog("Join or make a room", (close) => {
  const room = h("input", { autocomplete: "off", autocapitalize: "none", spellcheck: false, autofocus: true, required: true, dir: "auto" });
  const password = h("input", { autocomplete: "off", spellcheck: false });
  const error = alertLine();
  const list = h("ul", { class: "choices-list", "aria-label": "Rooms on this server" });
  const done = (words) => {
    if (words === "") return close();
    say(error, words);
    return room.focus();
  };
  const go = (verb) => {
    const name = room.value.trim().replace(/^#/, "");
    if (name === "") return done("a room needs a name");
    if (!app.session.isReady) return done("there is no connection");
    return app.do("enter", verb, name, password.value, false, done);
  };
  app.do("inquire", "ROOMS", ({ lines }) => list.append(...lines.map((line) => {
    const [name, ...rest] = line.split(" ");
    return h("li", {}, button(name, () => {
      room.value = name;
      if (rest.includes("password")) password.focus();
      else go("JOIN");
    }, { class: "place", dir: "auto" }), h("span", { class: "quiet" }, rest.join(" ")));
  })));
  return [h("form", { onsubmit: (event) => {
    event.preventDefault();
    go("JOIN");
  } }, error, field("Room", room), field("Room password", password),
  buttons(button("Make", () => go("MAKE")), h("button", { type: "submit", class: "primary" }, "Join"))), list];
});

export const settings = (app) => openDialog("Settings", (close) => {
  const { session, prefs } = app;
  const theme = h("select", { autofocus: true, onchange: () => app.setPref("theme", theme.value) },
    ...[["system", "As the system"], ["light", "Light"], ["dark", "Dark"]].map(([value, text]) => h("option", { value, selected: prefs.theme === value }, text)));
  const why = !isSecureContext ? "Only pages by https or from localhost may show notifications."
    : !("Notification" in window) ? "This browser has no notifications."
      : Notification.permission === "denied" ? "The browser's settings forbid notifications for this page." : "";
  const hint = small(why || "For direct messages and mentions, while this page is hidden.");
  hint.id = "why";
  const notices = h("input", { type: "checkbox", role: "switch", checked: prefs.notify && why === "", disabled: why !== "", "aria-describedby": "why", onchange: async () => {
    const isAllowed = notices.checked && (await Notification.requestPermission()) === "granted";
    if (notices.checked && !isAllowed) hint.textContent = "The browser does not allow it.";
    notices.checked = isAllowed;
    app.setPref("notify", isAllowed);
  } });
  const away = h("input", { value: session.away, placeholder: "What others are told", dir: "auto", onchange: () => app.do("setAway", away.value.trim(), ({ code, text }) => { if (code !== 200) say(error, text); }) });
  const error = alertLine();
  return [error, field("Theme", theme), h("label", { class: "check" }, notices, "Notifications"), hint,
    session.features.has("away") ? field("Away", away) : null,
    buttons(h("span", { class: "grow quiet" }, "You are ", bdi(session.me)), button("Sign out", () => {
      close();
      app.do("signOut");
    }))];
});

/** A line that was found. */
function hit(app, line, close) {
  const time = timeOf(line.id);
  return h("li", {}, h("div", { class: "quiet small" }, bdi(placeName(line.place)), ` · ${dayName(time)}, ${clock(time)}`),
    h("div", { class: "text", dir: "auto" }, bdi(line.from, { class: "from" }), " ", ...rich(line.text)),
    button("Open", () => {
      close();
      app.do("open", line.place);
    }, { class: "link", "aria-label": `Open ${placeName(line.place)}` }));
}

export const search = (app) => openDialog("Search", (close) => {
  const words = h("input", { autocomplete: "off", autofocus: true, placeholder: "green tea from:bob in:lobby", dir: "auto" });
  const state = h("p", { role: "status", class: "quiet small" }, "All of these words, in any order; wor* and \"exact words\" too.");
  const list = h("ol", { class: "hits", "aria-label": "Found" });
  const more = button("Show older", () => go(more.next), { hidden: true });
  let asked = "";
  const go = (before) => app.do("search", asked, before, ({ lines, next, error }) => {
    list.append(...lines.reverse().map((line) => hit(app, line, close)));
    state.textContent = error !== "" ? error : list.children.length === 0 && next === null ? "Nothing was found." : `${list.children.length} found`;
    [more.next, more.hidden] = [next, next === null];
  });
  return [h("form", { role: "search", onsubmit: (event) => {
    event.preventDefault();
    asked = words.value.trim();
    list.replaceChildren();
    if (asked !== "") go(null);
  } }, field("Search", words), state), list, more];
}, { class: "wide" });

/** Ctrl+K: to a place, by some of its letters. */
export const switchPlace = (app, places, open) => document.querySelector("dialog[open]") ? null : openDialog("Go to", (close) => {
  const input = h("input", { autocomplete: "off", autofocus: true, dir: "auto", oninput: () => fill() });
  const list = h("ul", { class: "choices-list", "aria-label": "Places" });
  const go = (name) => {
    close();
    open(name);
  };
  const matches = () => {
    const words = keyOf(input.value.trim());
    const known = places.filter((place) => keyOf(place.label).includes(words)).sort((a, b) => b.unread.count - a.unread.count).map((place) => place.name);
    const people = app.session.online.map((name) => `@${name}`).filter((name) => words !== "" && keyOf(name).includes(words) && !known.some((place) => keyOf(place) === keyOf(name)));
    const isBegun = (name) => keyOf(placeName(name)).replace("@", "").startsWith(words);
    return [...known, ...people].sort((a, b) => isBegun(b) - isBegun(a)).slice(0, 12);
  };
  const fill = () => list.replaceChildren(...matches().map((name) => h("li", {}, button(placeName(name), () => go(name), { class: "place", dir: "auto" }))));
  fill();
  return [h("form", { onsubmit: (event) => {
    event.preventDefault();
    const [first] = matches();
    if (first) go(first);
  } }, field("Place or person", input)), list];
});

/** About a place: what it is, how loud it is, what its host may do; or about a person. */
export const details = (app, place) => openDialog(placeName(place.name), (close) => {
  const { session } = app;
  const word = placeWord(place.name);
  const error = alertLine();
  const tell = ({ code, text }) => say(error, code === 200 ? "" : text);
  const ask = (line) => app.do("inquire", line, tell);
  const level = h("select", { autofocus: true, onchange: () => app.do("setLevel", place, level.value, tell) },
    ...LEVELS.map((value) => h("option", { value, selected: place.level === value }, { all: "Everything", mentions: "Mentions of me", none: "Nothing" }[value])));
  const parts = [error];
  if (session.features.has("notify") && place.isStored) parts.push(field("Notify me of", level));
  if (isRoom(place.name)) parts.push(...roomParts(app, place, word, ask, close));
  else if (place.name !== EVERYBODY) parts.push(...personParts(app, place, tell, close));
  return parts;
});

function roomParts(app, place, word, ask, close) {
  const { session } = app;
  const isHost = session.isHost(place);
  const topic = h("input", { value: place.topic, dir: "auto", disabled: !isHost, onchange: () => ask(`TOPIC ${word} ${topic.value.trim() || "-"}`) });
  const lock = h("input", { autocomplete: "off", placeholder: "none", onchange: () => ask(`LOCK ${word} ${lock.value || "-"}`) });
  const keep = h("input", { type: "checkbox", checked: place.kept !== null, onchange: () => ask(`KEEP ${word}${keep.checked ? "" : " off"}`) });
  return [
    field("Topic", topic),
    small(place.kept === null ? "This room is not kept: it ends with its last member, and nothing that is said is stored." : `What is said here is kept for ${place.kept} days.`),
    ...(isHost ? [session.features.has("keep") ? h("label", { class: "check" }, keep, "Keep this room") : null, field("New room password", lock)] : []),
    buttons(
      isHost ? button("Close the room", () => {
        ask(`CLOSE ${word}`);
        close();
      }) : null,
      button("Leave", () => {
        close();
        app.do("leave", place);
      })),
  ];
}

function personParts(app, place, tell, close) {
  const { session } = app;
  const name = place.name.slice(1);
  const facts = h("dl", {});
  app.do("inquire", `WHOIS ${name}`, ({ code, text, lines }) => {
    if (code !== 215) return code === 502 ? undefined : tell({ code, text });
    return facts.append(...lines.flatMap((line) => {
      const at = line.indexOf(" ");
      const [key, value] = at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
      return [h("dt", {}, key), h("dd", { dir: "auto" }, rich(value))];
    }));
  });
  if (keyOf(name) === keyOf(session.me)) return [facts];
  const isIgnored = session.ignored.has(keyOf(name));
  return [facts, buttons(
    session.places.has(keyOf(place.name)) ? button("Remove from the list", () => {
      close();
      app.do("close", place);
    }) : null,
    session.features.has("ignore") && !name.startsWith("~") ? button(isIgnored ? "Stop ignoring" : "Ignore", () => app.do("setIgnored", name, !isIgnored, (reply) => (reply.code === 200 ? close() : tell(reply)))) : null)];
}
