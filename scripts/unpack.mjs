// Takes files out of a destination of layout "packs" without the app, from a folder into which its container was downloaded.
// docs/format.md says what it reads. It uses nothing but Node, 22.15 or later.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import zlib from "node:zlib";

const USAGE = `Usage: node unpack.mjs DIR [PATH] --list | --to TARGET  [--run RUNFOLDER] [--root ROOT]
  DIR              the downloaded destination: the folder that has format.json in it
  PATH             only this file, or what is below this directory; as --list shows it
  --list           list the paths
  --to TARGET      extract them into this directory, which must be missing or empty
  --run RUNFOLDER  what a run backed up, by its folder from the container backup-runs;
                   otherwise the newest version of every path that was ever stored
  --root ROOT      the directory that was backed up, if the destination has several
`;
const [MIB, MIB4, MIB16, MIB32, MIB64] = [2 ** 20, 2 ** 22, 2 ** 24, 2 ** 25, 2 ** 26];
const [HEADER, TRAILER, RECIPE_ENTRY, CODECS] = [8, 48, 36, ["none", "zstd"]];
const MOST_LINES = 65_536;
const PACK = /^packs\/(?!\.+\/)[\w.~-]+\/[\d.]+-(large)?\d+-[\da-f]{8}-\d+$/;

const text = { type: "string" };
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: "boolean", default: false }, to: text, run: text, root: text },
});
const [dir, only] = positionals;

function refuse(condition, message) {
  if (condition) throw new Error(message);
}

/** Does some work, or says what keeps it from being done, so that the rest continues. @returns whether it is done */
function attempt(what, work) {
  try {
    work();
    return true;
  } catch (error) {
    console.error(show(`${what}: ${error.message}`));
    process.exitCode = 1;
    return false;
  }
}

/** Opens a blob that begins as a pack, or a chunk, does. */
function withBlob(name, work) {
  const kind = (name.startsWith("packs/") ? "P" : "C").charCodeAt(0);
  const file = fs.openSync(path.join(dir, name));
  const { size } = fs.fstatSync(file);
  const read = (from, length) => {
    refuse(from + length > size, "it ends early");
    const bytes = Buffer.alloc(length);
    fs.readSync(file, bytes, 0, length, from);
    return bytes;
  };
  try {
    const header = read(0, HEADER);
    refuse(header.toString("latin1", 0, 4) !== "SBKP" || header[5] !== kind, "it is damaged");
    refuse(header[4] !== 1, `version ${header[4]} of the format is not known`);
    return work({ size, read });
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  } finally {
    fs.closeSync(file);
  }
}

/** The content of a frame, which has `raw` bytes: no memory is taken for more. */
function decode(frame, raw) {
  const [codec, encoded] = [CODECS[frame[0]], frame.subarray(HEADER)];
  refuse(codec === undefined, `the codec ${frame[0]} is not known`);
  refuse(frame.readUInt32LE(4) !== raw, "a content is damaged: it has another size than recorded");
  return codec === "none" ? encoded : zlib.zstdDecompressSync(encoded, { maxOutputLength: Math.max(raw, 1) });
}

let last = { key: "", frame: Buffer.alloc(0) };
/** A content, from a frame that it may share with others. */
function readContent({ blob, offset, length, raw, from, size, sha256 }) {
  const readFrame = ({ read, size: end }) => {
    const bytes = length ?? end - offset; // A chunk's frame reaches to the end.
    refuse(bytes < HEADER || bytes > HEADER + raw, "a content is damaged: it cannot have such a length");
    return decode(read(offset, bytes), raw);
  };
  const key = [blob, offset, length, raw].join();
  if (last.key !== key) last = { key, frame: withBlob(blob, readFrame) };
  const content = last.frame.subarray(from, from + size);
  const is = createHash("sha256").update(content).digest("base64");
  refuse(is !== sha256, `${blob}: a content is damaged: it has another hash`);
  return content;
}

/** The chunks of a file, as its recipe names them. */
function* chunksOf(item) {
  const recipe = readContent(item);
  for (let at = 0; at < recipe.length; at += RECIPE_ENTRY) {
    const id = recipe.toString("hex", at, at + 32);
    const size = recipe.readUInt32LE(at + 32);
    refuse(size < 1 || size > MIB16, `its recipe has a chunk of ${size} bytes`);
    const sha256 = recipe.toString("base64", at, at + 32);
    yield { blob: `chunks/${id.slice(0, 2)}/${id}`, offset: HEADER, raw: size, from: 0, size, sha256 };
  }
}

/** The content of a file or link, piece by piece. */
function* contentOf(item) {
  let sum = 0;
  for (const piece of item.recipe ? chunksOf(item) : [item]) {
    yield readContent(piece);
    sum += piece.size;
  }
  const { kind, recorded = sum } = item;
  refuse(kind === "file" && sum !== recorded, `it has ${sum} bytes, the run recorded ${recorded}`);
}

/** A pack's root, the time when it was written, and its entries. */
function readFooter({ size, read }) {
  const trailer = read(Math.max(size - TRAILER, 0), TRAILER);
  const [offset, length] = [Number(trailer.readBigUInt64LE(0)), trailer.readUInt32LE(8)];
  refuse(offset < HEADER || length < HEADER || offset + length + TRAILER !== size, "it ends early");
  const raw = read(offset, HEADER).readUInt32LE(4);
  refuse(raw > MIB32 || length > HEADER + raw, "its footer is too large");
  const frame = read(offset, length);
  refuse(!createHash("sha256").update(frame).digest().equals(trailer.subarray(16)), "its footer is damaged");
  const lines = decode(frame, raw)
    .toString()
    .trimEnd()
    .split("\n", MOST_LINES + 1);
  refuse(lines.length > MOST_LINES, "its footer has too many lines");
  const [{ root, time }, ...entries] = lines.map((line) => JSON.parse(line));
  let [from, to] = [0, HEADER];
  for (const entry of entries.filter(({ pack }) => !pack).sort((a, b) => a.offset - b.offset)) {
    const end = entry.offset + entry.length;
    refuse(
      !(entry.offset >= to && end <= offset) && !(entry.offset === from && end === to),
      "its contents overlap",
    );
    [from, to] = [entry.offset, end];
  }
  return { root, time: Date.parse(time), entries };
}

/** The newest version of each path. */
function readPacks() {
  const roots = new Map();
  const files = fs.readdirSync(path.join(dir, "packs"), { recursive: true });
  const names = files.map((name) => `packs/${name.replaceAll("\\", "/")}`).filter((name) => PACK.test(name));
  for (const blob of names.sort())
    attempt("left out", () => {
      const { root, time, entries } = withBlob(blob, readFooter);
      const newest = roots.get(root) ?? new Map();
      roots.set(root, newest);
      for (const { pack, ...entry } of entries) {
        if (newest.get(entry.path)?.time > time) continue;
        newest.set(entry.path, { ...entry, time, blob: pack ? `packs/${pack}` : blob });
      }
    });
  const all = [...roots.keys()];
  const root = options.root ?? (all.length === 1 ? all[0] : undefined);
  refuse(all.length > 0 && !roots.has(root), `choose a directory with --root: ${all.join(", ")}`);
  return [...(roots.get(root)?.values() ?? [])];
}

/** What the run backed up. @param directories gets the modes and times of those that are not empty */
function readRun(directories) {
  const read = (name) => fs.readFileSync(path.join(options.run, name), "utf8");
  const { kind = "backup", status, counts } = JSON.parse(read("run.json"));
  refuse(kind !== "backup", `${String(options.run)} is the record of a ${kind}, not of a backup`);
  if (status !== "completed") console.error(`The run is ${status}: it may lack files.`);
  const items = new Map();
  const take = ({ packed, ...entry }) => {
    if (entry.outcome === "copied" || entry.outcome === "unchanged") {
      const more = { recorded: entry.size, time: 0, blob: `packs/${packed?.pack}` };
      items.set(entry.path, { ...entry, ...packed, ...more });
    } else if (entry.outcome === undefined && entry.mtime !== undefined && !entry.left) {
      directories.set(entry.path, entry);
    }
  };
  for (const name of fs.readdirSync(path.join(options.run, "outcomes")).sort())
    for (const line of read(`outcomes/${name}`).split("\n"))
      if (line !== "") attempt(`a line of outcomes/${name}`, () => take(JSON.parse(line)));
  const files = [...items.values()].filter((item) => item.kind !== "directory").length;
  const { copied, unchanged } = counts ?? { copied: files, unchanged: 0 };
  attempt(options.run, () => refuse(files !== copied + unchanged, "some of its outcomes are missing"));
  return [...items.values()];
}

/** @throws Error if an item cannot be as its record says, or would lie outside of the target */
function check({ path: name, kind, mtime, mode, blob, offset, length, raw, from, size, recipe }) {
  const isPath = typeof name === "string" && !/[\0\ud800-\udc7f\udd00-\udfff]/u.test(name);
  refuse(!isPath || /(^|\/)\.{0,2}(\/|$)/.test(name), "its path is not safe");
  refuse(process.platform === "win32" && /[\\:]/.test(name), "its name is not possible on Windows");
  refuse(!["file", "link", "directory"].includes(kind), "its kind is not known");
  refuse(![mtime, mode].every(Number.isInteger) || mode >> 12 !== 0, "its mode or time is damaged");
  if (kind === "directory") return;
  const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
  const isPlace = PACK.test(blob) && [offset, length, raw, from, size].every(isCount);
  refuse(!isPlace, "its record does not say where it is");
  refuse(size > (recipe ? MIB64 : MIB4) || raw > Math.max(size, MIB), "it is too large");
  refuse(from + size > raw || (recipe && size % RECIPE_ENTRY > 0), "its size is damaged");
}

/** Of items that one tree cannot hold, such as `a` and `a/b`, the newer ones. */
function fitting(items) {
  const [leaves, parents] = [new Set(), new Set()];
  const fits = ({ path: name, kind }) => {
    const above = directoriesAbove(name);
    const isTaken = above.some((parent) => leaves.has(parent)) || (kind !== "directory" && parents.has(name));
    if (isTaken) console.error(`${show(name)} is left out: something newer is in its place`);
    else for (const parent of above) parents.add(parent);
    if (!isTaken && kind !== "directory") leaves.add(name);
    return !isTaken;
  };
  return items.sort((a, b) => b.time - a.time).filter(fits);
}

function directoriesAbove(name) {
  return Array.from(name.matchAll(/\//g), ({ index }) => name.slice(0, index));
}

/** Where a path lies below the target. In a path U+DC80 to U+DCFF stand for bytes that are not UTF-8. */
function onDisk(name) {
  if (name.isWellFormed()) return path.join(options.to, name);
  const bytes = (one) => Buffer.from(one.isWellFormed() ? one : [one.charCodeAt(0) & 0xff]);
  return Buffer.concat([Buffer.from(options.to + path.sep), ...Array.from(name, bytes)]);
}

/** A text as a terminal may show it: a byte that is not UTF-8 as `\xff`, a character that does not print as `\u{1b}`. */
function show(text) {
  const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
  if (text.search(unprintable) < 0) return text;
  return text.replaceAll("\\", "\\\\").replaceAll(unprintable, (character) => {
    const code = character.codePointAt(0);
    return code >> 8 === 0xdc ? `\\x${(code & 0xff).toString(16)}` : `\\u{${code.toString(16)}}`;
  });
}

function list(items) {
  for (const item of items.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const size = item.recipe ? `${item.size / RECIPE_ENTRY} chunks` : String(item.size ?? 0);
    const columns = [item.mode.toString(8).padStart(4, "0"), item.kind.padEnd(9), size.padStart(12)];
    console.log([...columns, new Date(item.mtime / 1000).toISOString(), show(item.path)].join(" "));
  }
}

/** Nothing is written through a link: the target is empty, and links are made last. */
function extract(items, directories) {
  fs.mkdirSync(options.to, { recursive: true });
  refuse(fs.readdirSync(options.to).length > 0, `${String(options.to)} is not empty`);
  const made = new Set([""]);
  const order = ({ kind, blob, offset }) => `${kind === "link"} ${blob} ${String(offset).padStart(16)}`;
  const make = (item) => {
    for (const name of directoriesAbove(item.kind === "directory" ? `${item.path}/` : item.path)) {
      if (!made.has(name)) fs.mkdirSync(onDisk(name), { recursive: true });
      made.add(name);
    }
    if (item.kind === "directory") return void directories.set(item.path, item);
    if (item.kind === "link") fs.symlinkSync(Buffer.concat([...contentOf(item)]), onDisk(item.path));
    else writeFile(item);
    setAttributes(item);
  };
  for (const item of items.sort((a, b) => (order(a) < order(b) ? -1 : 1)))
    attempt(item.path, () => make(item));
  for (const name of [...made].sort((a, b) => b.length - a.length))
    if (directories.has(name)) attempt(name, () => setAttributes(directories.get(name)));
}

function writeFile(item) {
  const at = onDisk(item.path);
  fs.writeFileSync(at, "", { flag: "wx", mode: 0o600 });
  try {
    for (const bytes of contentOf(item)) fs.appendFileSync(at, bytes);
  } catch (error) {
    fs.unlinkSync(at);
    throw error;
  }
}

function setAttributes({ path: name, kind, mode, mtime }) {
  if (kind !== "link") fs.chmodSync(onDisk(name), mode);
  const seconds = String(mtime / 1e6); // Node takes a negative number for the present time.
  fs.lutimesSync(onDisk(name), seconds, seconds);
}

function main() {
  refuse(zlib.zstdDecompressSync === undefined, "it needs Node 22.15 or later");
  const { version, id, codecs } = JSON.parse(fs.readFileSync(path.join(dir, "format.json"), "utf8"));
  refuse(version !== 1, `version ${version} of the format is not known`);
  refuse(id !== "sha256", `the id function ${id} is not known`);
  for (const codec of codecs) refuse(!CODECS.includes(codec), `the codec ${codec} is not known`);
  const directories = new Map();
  const found = options.run === undefined ? readPacks() : readRun(directories);
  const isWanted = ({ path: name }) => only === undefined || `${show(name)}/`.startsWith(`${only}/`);
  const items = fitting(found.filter((item) => attempt(item.path, () => check(item)))).filter(isWanted);
  refuse(only !== undefined && items.length === 0, `there is no ${only}`);
  if (options.list) list(items);
  else extract(items, directories);
}

if (dir !== undefined && positionals.length <= 2 && options.list === (options.to === undefined)) {
  attempt(dir, main);
} else {
  process.stderr.write(USAGE);
  process.exitCode = 2;
}
