// The shell around the core: the connection, the clock, what is saved, notices of the browser.

import { clip } from "./text.js";
import { Session } from "./session.js";
import { makeView } from "./view.js";

const KEY = `chatd ${location.pathname}`;
const PREFS = `${KEY} prefs`;
const UNSENT = `${KEY} unsent`;

function load(storage, key) {
  try {
    return JSON.parse(storage.getItem(key)) ?? null;
  } catch {
    return null;
  }
}

function store(storage, key, value) {
  try {
    if (value === null) storage.removeItem(key);
    else storage.setItem(key, JSON.stringify(value));
  } catch {
    // A browser that saves nothing forgets at the next load.
  }
}

const prefs = { theme: "system", notify: false, stay: load(localStorage, KEY) !== null, ...load(localStorage, PREFS) };
const saved = load(sessionStorage, KEY) ?? load(localStorage, KEY);
// A tab that was copied, or closed and opened again, comes "back": the one that it is a copy of may be there.
const isCopy = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
const session = new Session({ ...saved, unsent: load(sessionStorage, UNSENT), isCopy });
let [socket, timer, isDrawing] = [null, 0, false];
/** What is new and was not told yet: how much, and the last of it. */
let fresh = { count: 0, text: "" };

const app = {
  session,
  prefs,
  /** Calls a method of the session, and does what it wants. */
  do(method, ...args) {
    session.now = Date.now();
    const result = session[method](...args);
    flush();
    return result;
  },
  setPref(name, value) {
    prefs[name] = value;
    store(localStorage, PREFS, prefs);
    if (name === "theme") theme();
    if (name === "stay" && session.token) session.save();
    flush();
  },
  tell: (text) => view.tell(text),
};

const theme = () => { document.documentElement.dataset.theme = prefs.theme; };

function flush() {
  for (const action of session.take()) actions[action.do](action);
  view.follow();
  clearTimeout(timer);
  const due = session.due();
  if (due !== null) timer = setTimeout(() => app.do("tick"), Math.max(0, due - Date.now()));
  if (isDrawing) return;
  isDrawing = true;
  if (document.hidden) setTimeout(draw, 200);
  else requestAnimationFrame(draw);
}

function draw() {
  isDrawing = false;
  view.render();
}

const actions = {
  connect,
  close: disconnect,
  send: ({ line }) => { if (socket?.readyState === WebSocket.OPEN) socket.send(line); },
  save,
  heard,
  missed: ({ count, loud }) => view.announce(`${count} missed, ${loud} for you`),
  trouble: ({ text }) => view.tell(text),
  told: ({ text }) => isNew(text),
};

function connect() {
  disconnect();
  const url = new URL("ws", document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  const own = new WebSocket(url, "chatd.v1");
  socket = own;
  own.onmessage = ({ data }) => { if (own === socket) app.do("line", String(data)); };
  own.onclose = () => {
    if (own !== socket) return;
    socket = null;
    app.do("closed");
  };
}

function disconnect() {
  const old = socket;
  socket = null;
  old?.close();
}

/** A token is kept for this tab, or for this browser; passwords of rooms for this tab alone. */
function save({ saved: now, old, isAll }) {
  const isKnown = now.token;
  store(sessionStorage, KEY, isKnown ? now : null);
  if (isKnown && prefs.stay) store(localStorage, KEY, { ...now, rooms: now.rooms.map(({ name }) => ({ name })) });
  else if (isKnown || isAll || load(localStorage, KEY)?.token === old) store(localStorage, KEY, null);
}

const saveUnsent = () => store(sessionStorage, UNSENT, session.unsent());

// What is new.

const isNew = (text) => { fresh = { count: fresh.count + 1, text }; };

function heard({ place, message, isLoud }) {
  const isSeen = place === session.here && !document.hidden;
  if (isSeen || isLoud) isNew(`${message.from}: ${clip(message.text, 200)}`);
  if (isLoud && document.hidden && prefs.notify && window.Notification?.permission === "granted") notify(place, message);
}

function notify(place, message) {
  const where = place.who ? message.from : `${message.from} in ${place.label}`;
  try {
    const notice = new Notification(where, { body: clip(message.text, 200), tag: `${KEY} ${place.name}` });
    notice.onclick = () => {
      window.focus();
      app.do("open", place.name);
      notice.close();
    };
  } catch {
    // Some browsers show notices from service workers alone.
  }
}

setInterval(() => {
  const { count, text } = fresh;
  if (count > 0) view.announce(count === 1 ? text : `${count} new`);
  fresh = { count: 0, text: "" };
  saveUnsent();
}, 1000);

theme();
const view = makeView(app);
addEventListener("pagehide", saveUnsent);
addEventListener("online", () => app.do("wake"));
document.addEventListener("visibilitychange", () => {
  session.isVisible = !document.hidden;
  if (isDrawing) draw();
  saveUnsent();
  view.seen();
  if (!document.hidden) app.do("wake");
});
app.do("start");
