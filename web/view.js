// The page: the form, the places, the log, the line in which one writes.

import { ask, details, joinRoom, search, settings, switchPlace } from "./dialogs.js";
import { bdi, h, icon, iconButton, small } from "./dom.js";
import { Log, hueOf } from "./log.js";
import { complete, linesOf } from "./text.js";
import { EVERYBODY, isRoom, keyOf } from "./wire.js";

const splitOnce = (text) => [text.split(" ")[0], text.split(" ").slice(1).join(" ").trimStart()];

export class View {
  constructor(app) {
    this.app = app;
    this.status = h("div", { role: "status", class: "unseen" });
    document.body.replaceChildren(this.makeForm(), this.makeChat(), this.status);
    document.addEventListener("keydown", (event) => this.key(event));
    this.icon = document.querySelector("link[rel=icon]");
    this.icons = [this.icon.href, this.icon.href.replace("icon.svg", "icon-new.svg")];
  }

  get session() { return this.app.session; }
  do(...args) { return this.app.do(...args); }
  announce(text) { this.status.textContent = text; }

  // The form.

  makeForm() {
    this.name = h("input", { id: "name", name: "username", autocomplete: "username", autocapitalize: "none", spellcheck: false, maxLength: 64, required: true });
    this.password = h("input", { id: "password", type: "password", name: "password", autocomplete: "current-password", maxLength: 256, required: true });
    this.stay = h("input", { id: "stay", type: "checkbox", checked: this.app.prefs.stay });
    this.submit = h("button", { type: "submit", class: "primary" }, "Log in");
    this.formAlert = h("p", { role: "alert", class: "alert", hidden: true });
    this.form = h("form", { class: "card", "aria-label": "Log in", noValidate: true, onsubmit: (event) => {
      event.preventDefault();
      this.app.setPref("stay", this.stay.checked);
      this.do("signIn", this.name.value, this.password.value);
    } },
    h("h1", {}, "chatd"), h("p", { class: "quiet" }, `Join the conversation at ${location.host}.`), this.formAlert,
    h("div", { class: "field" }, h("label", { htmlFor: "name" }, "Name"), this.name),
    h("div", { class: "field" }, h("label", { htmlFor: "password" }, "Password"), this.password),
    h("label", { class: "check" }, this.stay, "Stay signed in"), this.submit,
    small("New here? Choose a name and a password of 8 bytes or more. The account is made at once."));
    this.login = h("main", { class: "login" }, this.form);
    return this.login;
  }

  renderForm() {
    const { session } = this;
    const { needsForm } = session;
    const isNew = this.chat.hidden !== needsForm || !this.isDrawn;
    [this.isDrawn, this.login.hidden, this.chat.hidden] = [true, !needsForm, needsForm];
    if (!needsForm) {
      this.password.value = "";
      if (isNew) this.text.focus();
      return;
    }
    if (isNew) {
      this.name.value ||= session.me;
      document.querySelector("dialog")?.close();
    }
    this.formAlert.hidden = session.error === "";
    if (this.formAlert.textContent !== session.error) this.formAlert.textContent = session.error;
    const isBusy = session.error === "" && session.phase !== "out" && session.prompt === null;
    this.submit.disabled = isBusy;
    this.form.setAttribute("aria-busy", String(isBusy));
    if (isNew || (!isBusy && document.activeElement === document.body)) (this.name.value === "" ? this.name : this.password).focus();
  }

  // The frame of the conversation.

  makeChat() {
    const { app } = this;
    this.rooms = h("ul", { class: "places" });
    this.directs = h("ul", { class: "places" });
    this.directsHead = h("h2", {}, "Direct");
    this.who = h("span", { class: "who" });
    this.nav = h("nav", { "aria-label": "Rooms and people", class: "side" },
      h("div", { class: "brand" }, h("strong", {}, "chatd"), h("span", { class: "quiet" }, location.host)),
      h("div", { class: "scroll" }, h("h2", {}, "Rooms"), this.rooms,
        h("button", { class: "place quiet", onclick: () => joinRoom(app) }, icon("plus"), "Join or make a room"),
        this.directsHead, this.directs),
      h("div", { class: "foot" }, this.who, iconButton("gear", "Settings", () => settings(app))));
    this.people = h("ul", { class: "people", "aria-label": "People" });
    this.peopleHead = h("h2", {});
    this.aside = h("aside", { class: "side", "aria-label": "Who is here" }, h("div", { class: "scroll", tabIndex: 0 }, this.peopleHead, this.people));
    this.title = h("h1", {});
    this.topic = h("p", { class: "quiet topic", dir: "auto" });
    this.menu = iconButton("menu", "Menu", () => this.drawer("nav"), { class: "icon-button narrow" });
    this.searchButton = iconButton("search", "Search", () => search(app));
    this.detailsButton = iconButton("more", "About this place", () => details(app, this.session.here));
    const head = h("header", {}, this.menu, h("div", { class: "grow" }, this.title, this.topic),
      this.searchButton, iconButton("people", "Show people", () => this.drawer("people")), this.detailsButton);
    this.bannerText = h("span", {});
    this.bannerButton = h("button", { onclick: () => this.bannerAct() });
    this.banner = h("div", { role: "alert", class: "banner", hidden: true }, this.bannerText, this.bannerButton);
    this.log = new Log({
      older: () => this.do("older", this.session.here),
      seeing: (isAtEnd) => {
        const isSeeing = isAtEnd && !document.hidden && !this.chat.hidden;
        this.session.isLookingBack = !isAtEnd;
        if (isSeeing !== this.session.isSeeing) this.do("setSeeing", isSeeing);
      },
      again: (message) => this.do("sendAgain", message),
      discard: (message) => this.do("discard", message),
      canErase: (item) => keyOf(item.from) === keyOf(this.session.me) && item.id !== null && item.place.isStored && this.session.features.has("forget"),
      erase: (item) => this.erase(item),
    });
    this.text = h("textarea", { "aria-label": "Message", rows: 1, autocomplete: "off", enterKeyHint: "send", dir: "auto", oninput: () => this.typed(), onkeydown: (event) => this.write(event) });
    this.send = h("button", { type: "submit", class: "send", "aria-label": "Send", title: "Send" }, icon("send"));
    this.hint = h("p", { class: "hint", hidden: true });
    this.composer = h("form", { class: "composer", onsubmit: (event) => {
      event.preventDefault();
      this.say();
    } }, h("div", { class: "box" }, this.text, this.send), this.hint);
    this.chat = h("div", { class: "app", hidden: true }, this.nav,
      h("main", {}, head, this.banner, h("div", { class: "logbox" }, this.log.element, this.log.jump), this.composer), this.aside,
      h("div", { class: "shade", onclick: () => this.drawer(null) }));
    return this.chat;
  }

  drawer(which) {
    if (which === null || this.chat.dataset.drawer === which) delete this.chat.dataset.drawer;
    else {
      this.chat.dataset.drawer = which;
      (which === "nav" ? this.nav : this.aside).querySelector("button")?.focus();
    }
  }

  render() {
    const { session } = this;
    this.renderForm();
    this.renderTitle();
    if (session.needsForm) return;
    this.renderBanner();
    this.renderPlaces();
    this.renderHead();
    this.renderPeople();
    this.log.show(session.here, session.me);
  }

  renderTitle() {
    const { session } = this;
    let [count, loud] = [0, 0];
    for (const place of session.places.values()) {
      if (place.level === "none") continue;
      count += place.unread.count;
      loud += place.unread.loud;
    }
    const name = session.needsForm ? "chatd" : `${session.here.label} · chatd`;
    document.title = count === 0 || session.needsForm ? name : `(${count}) ${name}`;
    const href = this.icons[loud > 0 ? 1 : 0];
    if (this.icon.href !== href) this.icon.href = href;
  }

  // The banner: what is wrong with the connection, else what went wrong.

  tell(text) {
    this.trouble = text;
    clearTimeout(this.troubleTimer);
    if (text !== "") this.troubleTimer = setTimeout(() => this.tell(""), 10_000);
    this.renderBanner();
  }

  renderBanner() {
    const { session } = this;
    const [text, button = ""] = this.bannerOf(session);
    this.banner.hidden = text === "";
    if (this.bannerText.textContent !== text) this.bannerText.textContent = text;
    this.bannerButton.hidden = button === "";
    this.bannerButton.textContent = button;
  }

  bannerOf(session) {
    const why = session.reason === "" ? "The connection is lost" : `The server closed the connection (${session.reason})`;
    switch (session.phase) {
      case "waiting": return [`${why}; reconnecting in ${Math.max(1, Math.ceil(session.retryDelay / 1000))} s`, "Now"];
      case "stopped": return [why, "Connect again"];
      case "ready":
        if (this.trouble) return [this.trouble, "Close"];
        if (session.isOutdated) return ["The server has a new version.", "Reload"];
        return [""];
      default: return [this.banner.hidden ? "" : "Connecting …"];
    }
  }

  bannerAct() {
    const { session } = this;
    if (session.phase !== "ready") return this.do("retry");
    if (this.trouble) return this.tell("");
    return location.reload();
  }

  // Places and people.

  renderPlaces() {
    const { session } = this;
    const places = [...session.places.values()];
    const byName = (a, b) => keyOf(a.name).localeCompare(keyOf(b.name));
    const rooms = places.filter((place) => isRoom(place.name)).sort(byName);
    const directs = places.filter((place) => place.name.startsWith("@")).sort(byName);
    this.order = [session.places.get(EVERYBODY), ...rooms, ...directs];
    this.fill(this.rooms, [session.places.get(EVERYBODY), ...rooms]);
    this.fill(this.directs, directs);
    this.directsHead.hidden = directs.length === 0;
    this.who.replaceChildren(bdi(session.me), session.away === "" ? "" : h("span", { class: "quiet" }, " away"));
  }

  fill(list, places) {
    const known = new Map([...list.children].map((item) => [item.dataset.place, item]));
    const items = places.map((place) => {
      const item = known.get(place.name) ?? this.placeItem(place);
      const { count, loud } = place.unread;
      const [button, dot, badge] = [item.firstChild, item.firstChild.firstChild, item.firstChild.lastChild];
      const shown = count >= 1000 ? "1000+" : String(count);
      button.setAttribute("aria-label", count === 0 ? place.label : `${place.label}, ${shown} unread`);
      if (place === this.session.here) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
      badge.dataset.count = shown;
      badge.className = count === 0 ? "" : loud > 0 ? "badge loud" : "badge";
      button.classList.toggle("unread", count > 0 && place.level !== "none");
      button.classList.toggle("absent", this.session.isReady && !place.isJoined);
      dot.className = `dot ${this.session.presence.get(keyOf(place.name.slice(1)))?.is ?? ""}`;
      return item;
    });
    if (items.some((item, n) => list.children[n] !== item) || list.children.length !== items.length) list.replaceChildren(...items);
  }

  placeItem(place) {
    const sign = place.name === EVERYBODY ? "∗" : isRoom(place.name) ? "#" : "";
    const label = bdi(sign === "" ? place.name.slice(1) : place.label, { class: "label" });
    return h("li", { "data-place": place.name }, h("button", { class: "place", onclick: () => this.open(place.name) },
      h("span", { "aria-hidden": "true" }), h("span", { class: "sign", "aria-hidden": "true" }, sign), label, h("span", {})));
  }

  open(name) {
    this.do("open", name);
    this.drawer(null);
    if (innerWidth >= 640) this.text.focus();
  }

  /** What one has begun to write stays in its place, however another one is opened. */
  follow() {
    const { here } = this.session;
    if (here === this.wasHere) return;
    if (this.wasHere) this.wasHere.draft = this.text.value;
    this.wasHere = here;
    this.text.value = here.draft;
    this.typed();
    if (innerWidth >= 640) this.text.focus();
  }

  renderHead() {
    const { session } = this;
    const place = session.here;
    if (this.title.textContent !== place.label) this.title.replaceChildren(bdi(place.label));
    const { is = "", text = "" } = session.presence.get(keyOf(place.name.slice(1))) ?? {};
    this.topic.textContent = place.name === EVERYBODY ? session.onlineText ?? "" : isRoom(place.name) ? place.topic : text === "" ? is : `${is}: ${text}`;
    this.searchButton.hidden = !session.features.has("search");
    this.text.disabled = this.send.disabled = session.isReady && !place.isJoined;
    this.text.placeholder = `${this.text.disabled ? "You are not in" : "Message"} ${place.label}`;
  }

  renderPeople() {
    const { session } = this;
    const people = session.peopleOf(session.here);
    const mark = JSON.stringify([people, [...session.ignored], session.here.name]);
    if (mark === this.peopleMark) return;
    this.peopleMark = mark;
    this.peopleHead.textContent = session.here.name.startsWith("@") ? "Here" : `${people.filter((person) => !person.isAbsent).length} here`;
    this.people.replaceChildren(...people.map(({ name, isHost, isAbsent }) => h("li", {},
      h("button", { class: isAbsent ? "place absent" : "place", onclick: () => (keyOf(name) === keyOf(session.me) || name.startsWith("~") ? details(this.app, { name: `@${name}` }) : this.open(`@${name}`)) },
        h("span", { class: `face ${hueOf(name)}`, "aria-hidden": "true" }, name.replace("~", "").slice(0, 1).toUpperCase()),
        bdi(name, { class: "label" }),
        isHost ? h("span", { class: "tag" }, "host") : session.ignored.has(keyOf(name)) ? h("span", { class: "tag" }, "ignored") : null))));
  }

  // Writing.

  typed() {
    const { text, session } = this;
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, 200)}px`;
    const lines = linesOf(text.value);
    const excess = Math.max(...lines.map((line) => session.excess(session.here, line)), -Infinity);
    const words = excess > 0 ? `${excess} bytes too long` : lines.length > 1 ? `${lines.length} lines: ${lines.length} messages` : excess > -200 ? `${-excess} bytes left` : "";
    this.hint.hidden = words === "";
    this.hint.textContent = words;
    this.hint.classList.toggle("over", excess > 0);
  }

  write(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key !== "Tab") this.tab = null;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.say();
    } else if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey && !event.altKey) this.completeName(event);
  }

  completeName(event) {
    const { text, session } = this;
    const isSame = this.tab?.text === text.value && this.tab.at === text.selectionStart;
    const from = isSame ? this.tab.from : { text: text.value, at: text.selectionStart };
    if (text.selectionStart !== text.selectionEnd) return;
    const speakers = session.here.items.slice(-200).reverse().filter((item) => item.type === "message" && keyOf(item.from) !== keyOf(session.me)).map((item) => item.from);
    const names = [...new Set([...speakers, ...session.peopleOf(session.here).map((person) => person.name), ...session.online])].filter((name) => keyOf(name) !== keyOf(session.me));
    const turn = isSame ? this.tab.turn + 1 : 0;
    const done = complete(from.text, from.at, names, turn);
    if (!done || done.text === text.value) return;
    event.preventDefault();
    text.value = done.text;
    text.setSelectionRange(done.at, done.at);
    this.tab = { ...done, from, turn };
    this.typed();
  }

  async say() {
    const { text, session } = this;
    const place = session.here;
    const lines = linesOf(text.value);
    if (lines.length === 0 || text.disabled) return;
    if (lines.length === 1 && /^\/(?!me )/.test(lines[0]) && !/^\/\//.test(lines[0])) return this.command(lines[0]);
    if (lines.length > 1 && !(await ask(`Send ${lines.length} messages`, h("p", {}, `Each line is a message to ${place.label}.`)))) return text.focus();
    const texts = lines.length === 1 && lines[0].startsWith("//") ? [lines[0].slice(1)] : lines;
    if (!this.do("say", place, texts)) return this.tell("This is too long for one message.");
    text.value = "";
    this.typed();
    this.log.toEnd();
  }

  /** `/join lobby`: an operation of the server, whose answer is noted in the log. */
  command(line) {
    const { session } = this;
    const place = session.here;
    const [, verb, rest] = /^\/(\S*) *(.*)$/s.exec(line);
    const tell = (words) => this.tell(words);
    this.text.value = "";
    this.typed();
    if (/^(join|make)$/i.test(verb)) return this.do("enter", verb.toUpperCase(), ...splitOnce(rest), false, tell);
    if (/^(pm|bm|dm|rm|passwd|missed|history|want|ex|quit|exit|bye|token|part|leave|)$/i.test(verb)) return tell(`Not here: /${verb}. With // a line begins with a slash.`);
    return this.do("inquire", `${verb.toUpperCase()} ${rest}`.trim(), ({ text, lines }) => {
      for (const words of [...lines, text]) if (words !== "") session.note(place, words);
    });
  }

  async erase(item) {
    const isSure = await ask("Erase this message", h("p", { class: "quote", dir: "auto" }, item.text), h("p", {}, "It is removed from the history for everybody."));
    if (isSure) this.do("eraseOwn", item, ({ code, text }) => { if (code !== 200) this.tell(text); });
  }

  // Keys.

  key(event) {
    if (this.chat.hidden) return undefined;
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
      if (this.chat.dataset.drawer) return this.drawer(null);
      this.log.toEnd();
      return this.text.focus();
    }
    if (event.ctrlKey && event.key.toLowerCase() === "k" && !event.shiftKey) {
      event.preventDefault();
      return switchPlace(this.app, this.order, (name) => this.open(name));
    }
    if (!event.altKey || event.ctrlKey || document.querySelector("dialog[open]")) return undefined;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const at = this.order.indexOf(this.session.here);
    const ring = [...this.order.slice(at + 1), ...this.order.slice(0, at)];
    let next = null;
    if (step) next = this.order[(at + step + this.order.length) % this.order.length];
    else if (event.code === "KeyA") next = ring.find((place) => place.unread.loud > 0) ?? ring.find((place) => place.unread.count > 0 && place.level !== "none");
    else return undefined;
    event.preventDefault();
    return next ? this.open(next.name) : undefined;
  }
}
