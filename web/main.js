// The shell around the core: the connection, the clock, what is saved, notices of the browser.

import { clip } from "./text.js";
import { Session } from "./session.js";
import { View } from "./view.js";

const KEY = `chatd ${location.pathname}`;
const PREFS = `${KEY} prefs`;

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
const session = new Session(load(sessionStorage, KEY) ?? load(localStorage, KEY) ?? {});
let [socket, timer, isDrawing] = [null, 0, false];
let fresh = [];

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
    if (name === "stay" && session.token !== "") session.save();
    flush();
  },
  flush,
};

function theme() {
  const { dataset } = document.documentElement;
  if (prefs.theme === "system") delete dataset.theme;
  else dataset.theme = prefs.theme;
}

function flush() {
  for (const action of session.take()) perform(action);
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

function perform(action) {
  switch (action.do) {
    case "connect": return connect();
    case "close": return disconnect();
    case "send": return socket?.readyState === WebSocket.OPEN ? socket.send(action.line) : undefined;
    case "save": return save(action.saved);
    case "heard": return heard(action);
    case "missed": return announce(`${action.count} missed, ${action.loud} for you`);
    case "trouble": return view.tell(action.text);
    case "told": return fresh.push(action.text);
    default: return undefined;
  }
}

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
function save(saved) {
  const isKnown = saved.token !== "";
  store(sessionStorage, KEY, isKnown ? saved : null);
  store(localStorage, KEY, isKnown && prefs.stay ? { ...saved, rooms: saved.rooms.map(({ name }) => ({ name })) } : null);
}

// What is new.

function heard({ place, message, isLoud }) {
  const isSeen = place === session.here && !document.hidden;
  if (isSeen || isLoud) fresh.push(`${message.from}: ${clip(message.text, 200)}`);
  if (isLoud && document.hidden && prefs.notify && "Notification" in window && Notification.permission === "granted") notify(place, message);
}

function notify(place, message) {
  const where = place.name.startsWith("@") ? message.from : `${message.from} in ${place.label}`;
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

const announce = (text) => view.announce(text);

setInterval(() => {
  const news = fresh.splice(0);
  if (news.length > 0) announce(news.length === 1 ? news[0] : `${news.length} new`);
}, 1000);

theme();
const view = new View(app);
addEventListener("online", () => app.do("wake"));
document.addEventListener("visibilitychange", () => {
  session.isVisible = !document.hidden;
  if (isDrawing) draw();
  view.log.afterMove();
  if (!document.hidden) app.do("wake");
});
app.do("start");
