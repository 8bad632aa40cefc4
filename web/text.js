// What a text is to a reader: mentions, links, lengths, days. Pure functions.

/** Whether a text has an account's name as a word, in any case: the rule that the server has. */
export function mentions(text, name) {
  const [before, core, after] = trim(name);
  return core !== "" && wholeWords(text).some((word) => {
    const [left, inner, right] = trim(word);
    return asciiLower(inner) === asciiLower(core) && left.endsWith(before) && right.startsWith(after);
  });
}

/** A word's signs before and after, and what is between. By steps: a regular expression takes the square of the length. */
function trim(word) {
  let start = 0;
  let end = word.length;
  while (start < end && "._-".includes(word[start])) start += 1;
  while (end > start && "._-".includes(word[end - 1])) end -= 1;
  return [word.slice(0, start), word.slice(start, end), word.slice(end)];
}

const asciiLower = (text) => text.replace(/[A-Z]+/g, (part) => part.toLowerCase());

/** Letters of scripts without upper and lower case end a word: people write no space between them and a name. */
const wholeWords = (text) => text.match(/[A-Za-z0-9._\-\p{Lowercase}\p{Uppercase}]+/gu) ?? [];

const encoder = new TextEncoder();

/** The bytes of a text in UTF-8. */
export const byteLength = (text) => encoder.encode(text).length;

const LINK = /https?:\/\/[^\s<>"'`\u0000-\u0020]+/giu;

/** A line may be hundreds of addresses, and a log of such lines is more than a browser can lay out. */
const PIECES_MOST = 60;

/** A text as pieces: {text} or {text, url}. Only http and https are links, and only if the browser can read them. */
export function pieces(text) {
  const found = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    if (found.length >= PIECES_MOST) break;
    const raw = trimLink(match[0]);
    const url = /[\p{L}\p{N}_]$/u.test(text.slice(Math.max(0, match.index - 2), match.index)) ? null : urlOf(raw);
    if (!url) continue;
    if (match.index > at) found.push({ text: text.slice(at, match.index) });
    found.push({ text: raw, url });
    at = match.index + raw.length;
  }
  if (at < text.length) found.push({ text: text.slice(at) });
  return found;
}

/** Signs at the end of a link belong to the sentence; a bracket too, unless it was opened in the link. */
function trimLink(raw) {
  const closers = { ")": "(", "]": "[", "}": "{" };
  const extra = {};
  for (const sign in closers) extra[sign] = raw.split(sign).length - raw.split(closers[sign]).length;
  let end = raw.length;
  while (extra[raw[end - 1]]-- > 0 || ".,:;!?…»”’".includes(raw[end - 1])) end -= 1;
  return raw.slice(0, end);
}

function urlOf(raw) {
  try {
    const url = new URL(raw);
    const isWeb = url.protocol === "https:" || url.protocol === "http:";
    return isWeb && url.hostname && !url.username && !url.password ? url.href : null;
  } catch {
    return null;
  }
}

/** The lines of a text that are worth saying. */
export const linesOf = (text) => text.split(/\r\n|[\n\r\u2028\u2029]/).filter((line) => line.trim());

/** What the server takes out of every text. */
export const withoutInvisible = (text) => text.replace(/[\u061c\u200b\u200e\u200f\u2060-\u2064\ufeff]/g, "");

/** The time of an id, in milliseconds since 1970. */
export const timeOf = (id) => Number(id >> 20n);

/** The local day of a time, as a number that differs from day to day. */
export function dayOf(ms) {
  const date = new Date(ms);
  return date.getFullYear() * 372 + date.getMonth() * 31 + date.getDate();
}

/** One of eight hues, by name. */
export function hueOf(name) {
  let sum = 0;
  for (const char of name.toLowerCase()) sum = (sum * 31 + char.codePointAt(0)) % 8191;
  return `hue${sum % 8}`;
}

/** A text of at most `most` characters. */
export const clip = (text, most) => (text.length <= most ? text : `${[...text.slice(0, most)].slice(0, -1).join("")}…`);

/**
 * Completes the word before the caret: {text, at} or null. `names` are tried in their order from the `turn`-th match on.
 */
export function complete(text, caret, names, turn) {
  const begun = /(^|\s)(@?)([\p{L}\p{N}_.~-]+)$/u.exec(text.slice(0, caret));
  if (!begun) return null;
  const prefix = begun[3].toLowerCase();
  const matches = names.filter((name) => name.toLowerCase().startsWith(prefix));
  if (matches.length === 0) return null;
  const name = matches[turn % matches.length];
  const start = caret - begun[3].length;
  const tail = start - begun[2].length === 0 && !begun[2] ? ": " : " ";
  return { text: text.slice(0, start) + name + tail + text.slice(caret), at: start + name.length + tail.length };
}
