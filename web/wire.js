// Lines of the typed dialect, to values and back. Nothing here trusts the server: what makes no sense is null.
//
// A place is a string: "*" is everybody, "lobby" a room, "@bob" one's direct messages with bob. Two spellings are one
// place if their keys are equal. Ids are BigInts, because they have 64 bits.

/** The place where everybody is. */
export const ALL = "*";

/** What two spellings of a place or a name have in common. */
export const keyOf = (place) => place.toLowerCase();

export const isRoom = (place) => place !== ALL && !place.startsWith("@");

/** A place as people read it. */
export const placeName = (place) => (place === ALL ? "everybody" : place);

/** An id, of digits alone. */
export function idOf(digits) {
  return /^\d{1,20}$/.test(digits ?? "") ? BigInt(digits) : null;
}

/** The place that a word of the server names. */
export function placeOf(word) {
  if (word === ALL) return word;
  if (word.startsWith("@")) return word.length > 1 ? word : null;
  const room = word.startsWith("#") ? word.slice(1) : word;
  return room && !/^[#@*]/.test(room) ? room : null;
}

/** The word for a place in a command. A room that could be something else there has a # in front. */
export function placeWord(place) {
  if (!isRoom(place)) return place;
  const isOther = ["before", "after", "all", "off", "to"].includes(place.toLowerCase());
  return isOther || /^[\p{N}-]/u.test(place) ? `#${place}` : place;
}

/** The first `count` words of a text, and the rest of it. */
function words(text, count) {
  const found = [];
  let rest = text;
  for (let n = 0; n < count; n += 1) {
    const at = rest.indexOf(" ");
    if (at < 0) return null;
    found.push(rest.slice(0, at));
    rest = rest.slice(at + 1);
  }
  return [...found, rest];
}

/**
 * A line of the server: {type: "reply", code, more, text}, {type: "notice", code, text}, or {type: "said", id, place,
 * from, text}, where `from` is null for what another session of mine has said. {type: "other"}: a kind that this version
 * does not know.
 */
export function parse(line) {
  const reply = /^C (\d{3})(?:([ -])(.*))?$/s.exec(line);
  if (reply) {
    const [, code, sign, text] = reply;
    const isNotice = code.startsWith("1");
    return { type: isNotice ? "notice" : "reply", code: Number(code), more: sign === "-", text: text ?? "" };
  }
  if (!line.startsWith("D ")) return null;
  const kind = /^D ([A-Z]+) /.exec(line)?.[1];
  const rest = line.slice(3 + (kind?.length ?? 0));
  if (kind && !["PM", "DM", "TO", "RM"].includes(kind)) return { type: "other" };
  const fields = words(rest, kind === "RM" ? 3 : 2);
  const id = idOf(fields?.[0]);
  if (!kind || id === null) return null;
  const [, first, second] = fields;
  const said = (place, from) => ({ type: "said", id, place, from, text: fields.at(-1) });
  switch (kind) {
    case "PM": return said(ALL, first);
    case "DM": return said(`@${first}`, first);
    case "TO": return said(`@${first}`, null);
    default: return said(first, second);
  }
}

/** A line of a page (212): `ID place from flags text`. */
export function pastLine(text) {
  const fields = words(text, 4) ?? words(`${text} `, 4);
  if (!fields) return null;
  const [digits, word, from, flags] = fields;
  const [id, place] = [idOf(digits), placeOf(word)];
  if (id === null || !place || !from || !/^[a-z-]+$/.test(flags)) return null;
  return { id, place, from, isMention: flags.includes("m"), isHole: flags.includes("g"), text: text.slice(fields.slice(0, 4).join(" ").length + 1) };
}

/** The last line of a page (212): `50 next=ID` or `7 end`; {next: null} at the end. Null for any other reply. */
export function pageEnd(text) {
  const last = /^\d+ (?:.* )?(?:end|next=(\d{1,20}))$/.exec(text);
  return last && { next: last[1] === undefined ? null : BigInt(last[1]) };
}

/** The line of a place (213): `place COUNT MENTIONS read=ID last=ID notify=LEVEL`. */
export function unreadLine(text) {
  const [word, count, mentions, ...fields] = text.split(" ").filter((part) => part);
  const place = placeOf(word ?? "");
  if (!place || ![count, mentions].every((number) => /^\d{1,4}$/.test(number ?? ""))) return null;
  const named = new Map(fields.map((field) => field.split("=")));
  const [read, last] = [idOf(named.get("read") ?? "0"), idOf(named.get("last") ?? "0")];
  if (read === null || last === null) return null;
  const level = named.get("notify");
  return { place, count: Number(count), mentions: Number(mentions), read, last, level: LEVELS.includes(level) ? level : null };
}

/** How loud a place can be. */
const LEVELS = ["all", "mentions", "none"];

/** A confirmation (250): its words, and the id of the message. */
export function confirmed(text) {
  const parts = /^(.*) id=(\d{1,20})$/s.exec(text);
  return parts ? { told: parts[1], id: BigInt(parts[2]) } : { told: text, id: null };
}

/** What a confirmation adds for the one who said it, in a few words. */
export function noteOf(told) {
  const away = /^sent to \S+ \(away: (.*)\)$/s.exec(told);
  if (away) return `away: ${away[1]}`;
  if (told.startsWith("kept for ")) return `${told}, who is not there`;
  return told.endsWith(", not kept") ? "not kept in the history" : "";
}

/** The seconds in `retry in N s`. */
export function retryIn(reason) {
  const found = /retry in (\d{1,6}) s/.exec(reason);
  return found ? Number(found[1]) : null;
}
