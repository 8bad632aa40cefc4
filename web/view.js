// The page: the form, the places, the log, the line in which one writes.

import { ask, details, joinRoom, search, settings, switchPlace } from "./dialogs.js";
import { arrange, bdi, face, field, h, icon, iconButton, put, small, submitted } from "./dom.js";
import { makeLog } from "./log.js";
import { Place } from "./place.js";
import { complete, linesOf } from "./text.js";
import { ALL, keyOf } from "./wire.js";

/** People who are listed. */
const PEOPLE_MOST = 300;

/** Makes the page: {render, tell, follow, announce, seen}. */
export function makeView(app) {
  const { session } = app;
  const status = h("div.unseen", { role: "status" });

  // The form.

  const input = (id, props) => h("input", { id, maxLength: 256, required: true, ...props });
  const name = input("name", { name: "username", autocomplete: "username", autocapitalize: "none", spellcheck: false });
  const password = input("password", { type: "password", name: "password", autocomplete: "current-password" });
  const stay = h("input", { id: "stay", type: "checkbox", checked: app.prefs.stay });
  const submit = h("button.primary", { type: "submit" }, "Log in");
  const formAlert = h("p.alert", { role: "alert", hidden: true });
  const form = h("form.card", { label: "Log in", noValidate: true, onsubmit: submitted(() => {
    app.setPref("stay", stay.checked);
    app.do("signIn", name.value, password.value);
    // Another one replaces it.
    password.select();
  }) },
  h("h1", icon("talk"), "chatd"), h("p.quiet", `Join the conversation at ${location.host}.`), formAlert,
  field("Name", name), field("Password", password),
  h("label.check", stay, "Stay signed in"), submit,
  small("New here? A new name makes an account."));
  const login = h("main.login", form);

  function renderForm() {
    const { needsForm } = session;
    const isNew = chat.hidden !== needsForm || login.hidden === needsForm;
    [login.hidden, chat.hidden] = [!needsForm, needsForm];
    if (!needsForm) {
      password.value = "";
      if (isNew) text.focus();
      return;
    }
    if (isNew) {
      name.value ||= session.me;
      document.querySelector("dialog")?.close();
    }
    put(formAlert, session.error);
    submit.disabled = !session.error && session.phase !== "out" && session.prompt === null;
    if (isNew || (!submit.disabled && document.activeElement === document.body)) (name.value ? password : name).focus();
    form.setAttribute("aria-busy", submit.disabled);
  }

  // The frame of the conversation.

  const [rooms, directs] = [h("ul"), h("ul")];
  const directsHead = h("h2", "Direct");
  const who = h("button.place.who", { onclick: () => about(session.me) });
  const nav = h("nav.side", { label: "Rooms and people" },
    h("div.brand", icon("talk"), h("strong", "chatd"), h("span.quiet", location.host)),
    h("div.scroll", h("h2", "Rooms"), rooms,
      h("button.place.quiet", { onclick: () => joinRoom(app) }, icon("plus"), "Join or make a room"),
      directsHead, directs),
    h("div.foot", who, iconButton("gear", "Settings", () => settings(app))));
  const people = h("ul.people", { role: "list", label: "People" });
  const peopleHead = h("h2");
  const aside = h("aside.side", { label: "Who is here" }, h("div.scroll", { tabIndex: 0 }, peopleHead, people, h("button.place.quiet", { onclick: goTo }, icon("plus"), "Write to somebody")));
  const title = h("h1");
  const topic = h("p.topic", { dir: "auto" });
  const searchButton = iconButton("search", "Search", () => search(app, open));
  const menuButton = iconButton("menu", "Menu", () => drawer("nav"), ".narrow");
  const peopleButton = iconButton("people", "Show people", () => drawer("people"));
  const head = h("header", menuButton, h("div.grow", title, topic),
    searchButton, peopleButton, iconButton("about", "About this place", aboutPlace));
  const bannerText = h("span.grow");
  const bannerButton = h("button", { onclick: () => bannerAct() });
  const banner = h("div.banner", { role: "alert", hidden: true }, bannerText, bannerButton);
  const log = makeLog({
    // Each drawing asks for what is missing: what cannot be fetched now must not draw again.
    fetch: (which, place) => { if (session.isReady && !place.isLoading) app.do(which, place); },
    newest: (place) => app.do("newest", place),
    seeing: (isAtEnd) => {
      const isSeeing = isAtEnd && !document.hidden && !chat.hidden;
      session.isLookingBack = !isAtEnd;
      if (isSeeing !== session.isSeeing) app.do("setSeeing", isSeeing);
    },
    again: (message) => app.do("sendAgain", message),
    discard: (message) => app.do("discard", message),
    actions: (item) => [
      !session.isMe(item.from) && iconButton("answer", `Answer ${item.from}`, () => answer(item.from)),
      session.canErase(item) && iconButton("erase", `Erase: ${item.text.slice(0, 40)}`, () => erase(item)),
    ].filter(Boolean),
    about,
  });
  const text = h("textarea", { label: "Message", rows: 1, autocomplete: "off", enterKeyHint: "send", dir: "auto", oninput: typed, onkeydown: write });
  const send = h("button.send", { type: "submit", label: "Send", title: "Send" }, icon("send"));
  const hint = h("p.hint", { hidden: true });
  const main = h("main", head, banner, h("div.logbox", log.element, log.jump), h("form.composer", { onsubmit: submitted(say) }, h("div.box", text, send), hint));
  const chat = h("div.app", { hidden: true, "data-drawer": "" }, nav, main, aside,
    h("div.shade", { onclick: () => drawer(null) }));
  document.body.replaceChildren(login, chat, status);

  const narrow = matchMedia("(max-width: 899px)");
  narrow.onchange = () => drawer(null);
  let opener = null;

  function drawer(which) {
    const isClosed = which === null || chat.dataset.drawer === which;
    chat.dataset.drawer = isClosed ? "" : which;
    main.inert = !isClosed && narrow.matches;
    if (isClosed) opener?.focus();
    opener = isClosed ? null : document.activeElement;
    menuButton.ariaExpanded = chat.dataset.drawer === "nav";
    peopleButton.ariaExpanded = (chat.dataset.drawer === "people") === narrow.matches;
    if (!isClosed) (which === "nav" ? nav : aside).querySelector("button")?.focus();
  }

  function render() {
    renderForm();
    renderTitle();
    if (session.needsForm) return;
    renderBanner();
    renderPlaces();
    renderHead();
    renderPeople();
    log.show(session.here, session.me);
  }

  const favicon = document.querySelector("link[rel=icon]");
  const icons = [favicon.href, favicon.href.replace("icon.svg", "icon-new.svg")];

  function renderTitle() {
    const heard = session.all.filter((place) => place.level !== "none").map((place) => place.unread);
    const count = heard.reduce((sum, unread) => sum + unread.count, 0);
    const where = session.needsForm ? "" : `${count === 0 ? "" : `(${count}) `}${session.here.label} · `;
    document.title = `${where}chatd`;
    const href = icons[heard.some((unread) => unread.loud > 0) ? 1 : 0];
    if (favicon.href !== href) favicon.href = href;
  }

  // The banner: what is wrong with the connection, else what went wrong.

  let [trouble, troubleTimer] = ["", 0];

  function tell(words) {
    trouble = words;
    clearTimeout(troubleTimer);
    if (words) troubleTimer = setTimeout(tell, 10_000, "");
    renderBanner();
  }

  function renderBanner() {
    const [words, button = ""] = bannerOf();
    banner.hidden = !words;
    put(bannerText, words);
    put(bannerButton, button);
  }

  function bannerOf() {
    const why = session.reason ? `The server closed the connection (${session.reason})` : "The connection is lost";
    switch (session.phase) {
      case "waiting": return [`${why}; reconnecting in ${Math.max(1, Math.ceil(session.retryDelay / 1000))} s`, "Now"];
      case "stopped": return [why, "Connect again"];
      case "ready":
        if (trouble) return [trouble, "Close"];
        return session.isOutdated ? ["The server has a new version.", "Reload"] : [""];
      default: return [banner.hidden ? "" : "Connecting …"];
    }
  }

  function bannerAct() {
    if (session.phase !== "ready") app.do("retry");
    else if (trouble) tell("");
    else location.reload();
  }

  // Places and people.

  let order = [];

  function renderPlaces() {
    const places = session.all.sort((a, b) => (a.key < b.key ? -1 : 1));
    const shown = [session.places.get(ALL), ...places.filter((place) => place.isRoom)];
    const others = places.filter((place) => place.who);
    order = [...shown, ...others];
    fill(rooms, shown);
    fill(directs, others);
    directsHead.hidden = others.length === 0;
    const words = session.away && "away";
    if (who.dataset.of !== session.me + words) who.replaceChildren(face(session.me), bdi(session.me, ".label"), h("span.tag", words));
    who.dataset.of = session.me + words;
  }

  function fill(list, places) {
    const known = new Map([...list.children].map((item) => [item.dataset.place, item]));
    const items = places.map((place) => {
      const item = known.get(place.name) ?? placeItem(place);
      const { count, loud } = place.unread;
      const button = item.firstChild;
      const [sign, , badge] = button.children;
      const number = count >= 1000 ? "1000+" : String(count);
      const label = count === 0 ? place.label : `${place.label}, ${number} unread`;
      if (button.ariaLabel !== label) button.ariaLabel = label;
      button.ariaCurrent = place === session.here ? "page" : null;
      badge.dataset.count = number;
      badge.className = count === 0 ? "" : loud > 0 ? "badge loud" : "badge";
      button.classList.toggle("unread", count > 0 && place.level !== "none");
      button.classList.toggle("absent", session.isOutOf(place));
      sign.dataset.is = session.presenceOf(place.who).is;
      return item;
    });
    arrange(list, items);
  }

  const placeItem = (place) => h("li", { "data-place": place.name }, h("button.place", { onclick: () => open(place.name) },
    place.who ? face(place.who) : h("span.sign", { "aria-hidden": "true" }, place.isRoom ? "#" : "∗"),
    bdi(place.who || place.label, ".label"), h("span")));

  function goTo() { switchPlace(app, order, open); }

  /** Shows a place; `target`: a message there. */
  function open(place, target = null) {
    drawer(null);
    app.do("open", place, target);
    focusText();
  }

  let wasHere = null;

  /** What one has begun to write stays in its place, however another one is opened. */
  function follow() {
    if (session.here === wasHere) return;
    wasHere = session.here;
    drawer(null);
    text.value = wasHere.draft;
    typed();
    focusText();
  }

  /** A message that is shown has the focus, and a small screen has no room for a keyboard. */
  function focusText() { if (session.here.target === null && innerWidth >= 640) text.focus(); }

  function renderHead() {
    const place = session.here;
    if (title.textContent !== place.label) title.replaceChildren(bdi(place.label));
    const { is, text: why } = session.presenceOf(place.who);
    topic.textContent = place.who ? [is, why].filter(Boolean).join(": ") : place.isRoom ? place.topic : session.isReady ? session.onlineText || `${session.online.size} online` : "";
    searchButton.hidden = !session.hasSearch;
    text.disabled = send.disabled = session.isOutOf(place);
    text.placeholder = `${text.disabled ? "You are not in" : "Message"} ${place.label}`;
  }

  let peopleMark = "";

  function renderPeople() {
    const place = session.here;
    const mark = [place.name, session.isReady, session.peopleVersion, ...session.ignored.keys()].join();
    if (mark === peopleMark) return;
    peopleMark = mark;
    const all = session.peopleOf(place);
    const here = all.filter((person) => !person.isAbsent).length;
    // Without a connection these are the people of before.
    peopleHead.textContent = !session.isReady ? "Not connected" : place.who ? "Here" : `${here} here`;
    people.classList.toggle("absent", !session.isReady);
    const known = new Map([...people.children].map((item) => [item.dataset.of, item]));
    arrange(people, all.slice(0, PEOPLE_MOST).map((person) => {
      const of = JSON.stringify([person, session.ignored.has(keyOf(person.name))]);
      return known.get(of) ?? personItem(person, of);
    }));
  }

  const personItem = ({ name: person, isHost, isAbsent }, of) => h(isAbsent ? "li.absent" : "li", { "data-of": of },
    h("button.place", { onclick: () => (session.isMe(person) || session.hearsOneRoom(person) ? about(person) : open(`@${person}`)) },
      face(person), bdi(person, ".label"), h("span.tag", isHost ? "host" : session.ignored.has(keyOf(person)) ? "ignored" : "")),
    iconButton("more", `About ${person}`, () => about(person)));

  function aboutPlace() {
    const place = session.here;
    app.do("withPeople", place, () => details(app, place, open));
  }

  function about(person) { details(app, session.find(`@${person}`) ?? new Place(`@${person}`), open); }

  // Writing.

  function typed() {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, 200)}px`;
    session.here.draft = text.value;
    const lines = linesOf(text.value);
    const excess = lines.reduce((most, line) => Math.max(most, session.excess(session.here, line)), -Infinity);
    put(hint, excess > 0 ? `${excess} bytes too long` : lines.length > 1 ? `${lines.length} lines: ${lines.length} messages` : excess > -200 ? `${-excess} bytes left` : "");
    hint.classList.toggle("over", excess > 0);
  }

  function setText(words) {
    text.value = words;
    typed();
    text.focus();
  }

  const answer = (person) => setText(text.value ? `${text.value.trimEnd()} ${person} ` : `${person}: `);

  /** The completion that stands there: {text, at, from, turn}. */
  let tab = null;

  function write(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key !== "Tab") tab = null;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      say();
    } else if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey && !event.altKey) completeName(event);
  }

  function completeName(event) {
    if (text.selectionStart !== text.selectionEnd) return;
    const isSame = tab?.text === text.value && tab.at === text.selectionStart;
    const from = isSame ? tab.from : { text: text.value, at: text.selectionStart };
    const speakers = session.here.items.slice(-200).reverse().flatMap((item) => item.from ?? []);
    const names = new Set([...speakers, ...session.peopleOf(session.here).map((person) => person.name), ...session.online.values()]);
    const turn = isSame ? tab.turn + 1 : 0;
    const done = complete(from.text, from.at, [...names].filter((person) => !session.isMe(person)), turn);
    if (!done || done.text === text.value) return;
    event.preventDefault();
    setText(done.text);
    text.setSelectionRange(done.at, done.at);
    tab = { ...done, from, turn };
  }

  async function say() {
    const place = session.here;
    const lines = linesOf(text.value);
    if (lines.length === 0 || text.disabled) return;
    const [first] = lines;
    if (lines.length > 1) {
      if (!(await ask(`Send ${lines.length} messages`, h("p", `Each line is a message to ${place.label}.`)))) return text.focus();
    } else if (first.startsWith("//")) lines[0] = first.slice(1);
    else if (/^\/(?!me )/.test(first)) return command(first);
    if (!app.do("say", place, lines)) return tell("Too long for one message.");
    place.draft = "";
    if (place === session.here) setText("");
    log.toEnd();
  }

  /** `/join lobby`: an operation of the server, whose answer is noted in the log. */
  function command(line) {
    const place = session.here;
    const [, verb, rest, first, words] = /^\/(\S*) *([@#]?(\S*) *(.*))$/s.exec(line);
    setText("");
    if (/^(join|make)$/i.test(verb)) return app.do("enter", verb.toUpperCase(), first, words, false, tell);
    if (/^\/dm +@?~?[a-z]/i.test(line)) {
      open(`@${first}`);
      return words && setText(words);
    }
    if (/^(pm|bm|dm|rm|passwd|missed|history|want|ex|quit|exit|bye|token|part|leave|)$/i.test(verb)) return tell(`Not here: /${verb}. Begin with // for a slash.`);
    return app.do("inquire", `${verb.toUpperCase()} ${rest}`.trim(), ({ text: last, lines }) => {
      for (const told of [...lines, last]) if (told && told !== "done") session.note(place, told);
    });
  }

  async function erase(item) {
    const isSure = await ask("Erase this message", h("p.quote", { dir: "auto" }, item.text), h("p", "It leaves the history, for everybody."));
    if (isSure) app.do("erase", item, ({ code, text: words }) => { if (code !== 200) tell(words); });
  }

  // Keys.

  document.addEventListener("keydown", (event) => {
    const { altKey, ctrlKey, metaKey, key } = event;
    if (chat.hidden || document.querySelector("dialog")) return;
    const step = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (key === "Escape") {
      if (chat.dataset.drawer) return drawer(null);
      log.toEnd();
      text.focus();
    } else if (ctrlKey && key.toLowerCase() === "k" && !event.shiftKey) {
      event.preventDefault();
      goTo();
    } else if (altKey && !ctrlKey && (step || event.code === "KeyA")) {
      event.preventDefault();
      const at = order.indexOf(session.here);
      const ring = [...order.slice(at + 1), ...order.slice(0, at)];
      const next = step ? ring.at(step === 1 ? 0 : -1) : ring.find((place) => place.unread.loud > 0) ?? ring.find((place) => place.unread.count > 0 && place.level !== "none");
      if (next) open(next.name);
    } else if (key.length === 1 && key !== " " && !altKey && !ctrlKey && !metaKey && document.activeElement.matches("body, .log, .message")) text.focus();
  });

  // A keyboard on the screen makes the page smaller, where the browser does not do that itself.
  visualViewport?.addEventListener("resize", () => {
    const height = visualViewport.height * visualViewport.scale;
    chat.style.height = height < innerHeight - 1 ? `${height}px` : "";
  });

  const announce = (words) => { status.textContent = status.textContent === words ? `${words}\u00a0` : words; };
  return { render, tell, follow, announce, seen: log.scrolled };
}
