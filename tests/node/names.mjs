// Name comparison by the published steps, in JavaScript: an implementation for verification.vectors_check.
// Unicode's properties and normal forms are Node's; radicals are read from Unicode's file, the loose form of
// names.v2 from its published table, that of names.v1 from OpenCC's dictionaries, given as JSON.
// Arguments: EquivalentUnifiedIdeograph.txt, names.v2.json, dictionaries.json.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [radicalsFile, tablesFile, dictionariesFile] = process.argv.slice(2);
const tables = JSON.parse(readFileSync(tablesFile, "utf8"));
const { phrases, characters } = JSON.parse(readFileSync(dictionariesFile, "utf8"));

const radicals = new Map();
for (const line of readFileSync(radicalsFile, "utf8").split("\n")) {
  const entry = /^([0-9A-F]+)(?:\.\.([0-9A-F]+))?\s*;\s*([0-9A-F]+)/.exec(line);
  if (!entry) continue;
  const [first, last, to] = [entry[1], entry[2] ?? entry[1], entry[3]].map((code) => parseInt(code, 16));
  for (let code = first; code <= last; code++) radicals.set(String.fromCodePoint(code), String.fromCodePoint(to));
}

// GB 18030-2022 against -2005, then GBK by Node's own decoder.
const assigned = new Map();
const run = (first, points) => points.forEach((point, i) => assigned.set(String.fromCodePoint(first + i), String.fromCodePoint(point)));
const gbk = new TextDecoder("gb18030");
const decoded = (lead, trail) => gbk.decode(new Uint8Array([lead, trail]));
for (let i = 0; i < 80; i++) {
  const trail = 0x50 + i;
  assigned.set(String.fromCodePoint(0xe815 + i), decoded(0xfe, trail + (trail >= 0x7f ? 1 : 0)));
}
for (let i = 0; i < 13; i++) assigned.set(String.fromCodePoint(0xe7e7 + i), decoded(0xa9, 0x89 + i));
run(0xe7c7, [0x1e3f, 0x01f9]);
run(0xe76c, [0x20ac]);
run(0xe78d, [0xfe10, 0xfe12, 0xfe11, 0xfe13, 0xfe14, 0xfe15, 0xfe16, 0xfe17, 0xfe18, 0xfe19]);
for (const [from, to] of [[0xe81e, 0x9fb4], [0xe826, 0x9fb5], [0xe82b, 0x9fb6], [0xe82c, 0x9fb7], [0xe832, 0x9fb8],
  [0xe843, 0x9fb9], [0xe854, 0x9fba], [0xe864, 0x9fbb], [0xe816, 0x20087], [0xe817, 0x20089], [0xe818, 0x200cc],
  [0xe831, 0x215d7], [0xe83b, 0x2298f], [0xe855, 0x241fe]]) run(from, [to]);

const each = (text, map) => Array.from(text, (char) => map.get(char) ?? char).join("");
const stable = (step, text) => {
  for (let pass = 0; pass < 8; pass++) {
    const next = step(text);
    if (next === text) break;
    text = next;
  }
  return text;
};

// Full case folding (CaseFolding.txt, C and F): lower case, but for what folds otherwise.
const fold = (text) => Array.from(text.normalize("NFD").replaceAll("\u0345", "ι").normalize("NFC"), (char) => {
  if (char === "ß" || char === "ẞ") return "ss";
  if (char === "ς") return "σ";
  if (/[\u13a0-\u13f5]/.test(char)) return char;
  if (/[\u13f8-\u13fd\uab70-\uabbf]/.test(char)) return char.toUpperCase();
  return char.toLowerCase();
}).join("");

const like = new Map([..."〔(〕)【(】)（(）)•·・·‧·⋅·○〇"].reduce((pairs, char, i, all) => (i % 2 ? pairs : [...pairs, [char, all[i + 1]]]), []));
const spaces = /[\p{White_Space}\x1c-\x1f]+/gu;

function onePass(text) {
  text = each(text, assigned).replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  text = each(fold(text.normalize("NFKC")).normalize("NFKC"), like);
  return text.replace(spaces, (run, at) => {
    const [before, after] = [text[at - 1] ?? "", text[at + run.length] ?? ""];
    return /[0-9a-z]/.test(before) && /[0-9a-z]/.test(after) ? " " : "";
  });
}
const strict1 = (text) => stable(onePass, text);

const han = String.raw`[〇々\u3400-\u4dbf\u4e00-\u9fff\ue000-\ufaff\u{20000}-\u{3ffff}\u{f0000}-\u{10ffff}]`;
const dotBetweenHan = new RegExp(`(?<=${han})\\.(?=${han})`, "gu");
const strict2 = (text) => stable((form) => strict1(each(form, radicals))
  .replace(/[\u2022\u2027\u2219\u22c5\u30fb\u1427\u16eb\u2e31\u2e33\ua78f\u{10101}]/gu, "·")
  .replace(/[‘’ʼ]/g, "'").replace(/[\u2010-\u2015\u2212]/g, "-").replace(/◯/g, "〇")
  .replace(dotBetweenHan, "·"), text);

// OpenCC's t2s: the longest phrase from the left, else the character.
const longest = Math.max(...Object.keys(phrases).map((phrase) => Array.from(phrase).length));
function simplify(text) {
  const chars = Array.from(text);
  let out = "";
  for (let at = 0; at < chars.length;) {
    let length = Math.min(longest, chars.length - at);
    while (length > 0 && phrases[chars.slice(at, at + length).join("")] === undefined) length--;
    out += length ? phrases[chars.slice(at, at + length).join("")] : (characters[chars[at]] ?? chars[at]);
    at += length || 1;
  }
  return out;
}
const loose1 = (text) => stable((form) => strict1(simplify(form)), strict1(text));

const pairs = (text) => {
  const chars = Array.from(text);
  return chars.flatMap((char, i) => (i % 2 ? [] : [[char, chars[i + 1]]]));
};
const simplified = new Map(pairs(tables.simplified.join("")));
const second = new Map([...simplified, ...pairs(tables.also)]);

const standIn = { "names.v1": /[?*〓□\ufffd\u303e\u2ff0-\u2fff\ue000-\uf8ff\u{f0000}-\u{10ffff}]/u };
standIn["names.v2"] = new RegExp(standIn["names.v1"].source.replace("[", "[●■▢▣▯◻◼"), "u");

const rules = {
  "names.v1": { strict: strict1, readings: (form) => [loose1(form)] },
  "names.v2": { strict: strict2, readings: (form) => [each(form, simplified), each(form, second)] },
};

function reply({ id, version, attribute, held, asserted }) {
  const { strict, readings } = rules[version];
  const [theirs, ours] = [strict(held.name), strict(asserted)];
  const appointed = version === "names.v2" && attribute === "legal_representative_name"
    ? /^(.+)\(委派代表:([^()]+)\)$/u.exec(theirs) : null;
  const names = appointed ? [theirs, appointed[1], appointed[2]] : [theirs];
  const [loose, also] = readings(ours);
  const forms = { strict: ours, loose, ...(also && also !== loose ? { also } : {}) };
  if (names.includes(ours)) return { id, answer: "yes", match: "strict", ...forms };
  if (names.some((name) => readings(name).some((one) => readings(ours).includes(one)))) {
    return { id, answer: "yes", match: "loose", ...forms };
  }
  const unclear = standIn[version].test(theirs) || standIn[version].test(ours);
  return { id, answer: unclear ? "not_determined" : "no", ...forms };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(reply(JSON.parse(line)))}\n`);
}
