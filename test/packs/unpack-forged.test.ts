/** scripts/unpack.mjs before blobs that somebody forged, or that are damaged. */
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { zstdCompressSync } from "node:zlib";
import { expect, it } from "vitest";
import { bombOf, chunkOf, frameOf, packOf, recipeOf, type ForgedContent } from "./forge.ts";
import { startUnpacking, unpack } from "./unpacking.ts";

const MIB = 1024 * 1024;
const FORMAT = { version: 1, id: "sha256", chunker: { name: "fastcdc" }, codecs: ["none", "zstd"] };

const { folder, save } = startUnpacking();

/** A downloaded destination. */
async function download(
  name: string,
  blobs: Iterable<readonly [string, Buffer]>,
  format: unknown = FORMAT,
): Promise<string> {
  return await save(name, [...blobs, ["format.json", Buffer.from(JSON.stringify(format))]]);
}

const CHUNK = Buffer.alloc(5 * MIB, "chunk");
/** Names a chunk of 4 GiB. */
const VAST = Buffer.alloc(36, 0xff);
const NOT_A_CHUNK = Buffer.from("pack");
/** Eleven million lines. */
const LINES = Buffer.alloc(32 * MIB, "{}\n");
const KIB64 = Buffer.alloc(64 * 1024);

/** What somebody who may write to the container could put there, by what is said of it. */
const FORGED: [said: RegExp, contents: ForgedContent[], how?: Parameters<typeof packOf>[1]][] = [
  [/0-0-.*: .*version 2\b/, [{ path: "v2", content: "x" }], { head: Buffer.from("SBKP\u0002P\0\0") }],
  [/^codec: .*codec 7\b/m, [{ path: "codec", content: "x", frame: frameOf(Buffer.from("x"), { codec: 7 }) }]],
  [/^bomb: .*\b65536 bytes/m, [{ path: "bomb", content: KIB64, frame: bombOf(64 * MIB, 65536) }]],
  [
    /^said: .*another size/m,
    [{ path: "said", content: "8 bytes.", frame: frameOf(Buffer.from("8 bytes."), { size: 9 }) }],
  ],
  [
    /^long: .*such a length/m,
    [{ path: "long", content: "x", frame: frameOf(Buffer.from("x"), { encoded: Buffer.alloc(99) }) }],
  ],
  [/^flipped: .*another hash/m, [{ path: "flipped", content: "x", frame: frameOf(Buffer.from("y")) }]],
  [/footer .*too large/, [{ path: "footer", content: "x" }], { footer: bombOf(33 * MIB, 33 * MIB) }],
  [/0-7-.*: it ends early/, [{ path: "torn", content: "x" }], { tamper: (blob) => blob.subarray(0, -1) }],
  [
    /footer .*damaged/,
    [{ path: "foot", content: "x" }],
    { tamper: (blob) => blob.fill("!", blob.length - 60, blob.length - 59) },
  ],
  [/^kind: its kind/m, [{ path: "kind", content: "x", line: { kind: "socket" } }]],
  [/^mode: its mode/m, [{ path: "mode", content: "x", line: { mode: 0o10000 } }]],
  [/^more: .*size/m, [{ path: "more", content: "xx", line: { from: 1 } }]],
  [
    /0-12-.*: its contents overlap/,
    [{ path: "beyond", content: "x", line: { length: 1e9, raw: 1e9, size: 1e9 } }],
  ],
  [
    /0-13-.*: its contents overlap/,
    [
      { path: "over", content: "xx" },
      { path: "lap", content: "y", line: { offset: 9 } },
    ],
  ],
  [/^\.\.\/up: .*path/m, [{ path: "../up", content: "x" }]],
  [/^\/etc\/x: .*path/m, [{ path: "/etc/x", content: "x" }]],
  [/^a\/\/b: .*path/m, [{ path: "a//b", content: "x" }]],
  [/^nul\\u\{0\}: .*path/m, [{ path: "nul\0", content: "x" }]],
  [/^half\\u\{d800\}: .*path/m, [{ path: "half\ud800", content: "x" }]],
  [/^huge: .*record/m, [{ path: "huge", content: "x", line: { size: 2 ** 60 } }]],
  [/^wide: .*too large/m, [{ path: "wide", content: "x", line: { raw: 5 * MIB } }]],
  [/^elsewhere: .*record/m, [{ path: "elsewhere", content: "x", line: { pack: "../../x" } }]],
  [
    /^door\/file is left out/m,
    [
      { path: "door", content: "..", line: { kind: "link" } },
      { path: "door/file", content: "x" },
    ],
  ],
  [/^recipe: .*size/m, [{ path: "recipe", content: Buffer.alloc(37), line: { recipe: true } }]],
  [/^vast: .*chunk/m, [{ path: "vast", content: VAST, line: { recipe: true } }]],
  [
    /^not a chunk: .* damaged/m,
    [{ path: "not a chunk", content: recipeOf([NOT_A_CHUNK]), line: { recipe: true } }],
  ],
  [
    /^chunk: .*no such file/m,
    [{ path: "chunk", content: recipeOf([Buffer.from("gone")]), line: { recipe: true } }],
  ],
  [/^shared: .*too large/m, [{ path: "shared", content: Buffer.alloc(2 * MIB), line: { size: 1 } }]],
  [/^nothing: .*chunk of 0 bytes/m, [{ path: "nothing", content: Buffer.alloc(36), line: { recipe: true } }]],
  [
    /footer .*too many lines/,
    [{ path: "lines", content: "x" }],
    { footer: frameOf(LINES, { codec: 1, encoded: zstdCompressSync(LINES) }) },
  ],
];

it("what is forged or damaged is named, nothing is written elsewhere, and the rest is extracted", async () => {
  const { name, blob } = chunkOf(CHUNK);
  const sound = [
    { path: "fine", content: "fine" },
    { path: "large", content: recipeOf([CHUNK, CHUNK]), line: { recipe: true } },
  ];
  const packs = [...FORGED.map(([, contents, how]) => packOf(contents, how)), packOf(sound)];
  const blobs = packs.map(({ blob: pack }, number) => [`packs/run/0-${number}-0123abcd-0`, pack] as const);
  const not = chunkOf(NOT_A_CHUNK);
  not.blob[5] = "P".charCodeAt(0);
  const dir = await download("forged", [...blobs, [name, blob], [not.name, not.blob]]);
  await writeFile(path.join(dir, "packs/run/.DS_Store"), "of somebody else");

  const to = path.join(folder(), "forged-out");
  const { status, stderr } = unpack(dir, "--to", to);
  for (const [said] of FORGED) expect(stderr).toMatch(said);
  expect(status).toBe(1);
  expect((await readdir(to)).sort()).toEqual(["door", "fine", "large"]);
  expect((await readFile(path.join(to, "large"))).equals(Buffer.concat([CHUNK, CHUNK]))).toBe(true);
  expect(existsSync(path.join(folder(), "up")) || existsSync(path.join(folder(), "file"))).toBe(false);
});

it.each([
  [{ ...FORMAT, version: 2 }, "version 2"],
  [{ ...FORMAT, id: "hmac-sha256" }, "hmac-sha256"],
  [{ ...FORMAT, codecs: ["none", "age"] }, "codec age"],
])("a format that it does not know is refused by name: %j", async (format, said) => {
  const dir = await download(
    `format-${said.replace(" ", "-")}`,
    [["packs/run/0-0-0123abcd-0", packOf([]).blob]],
    format,
  );
  const { status, stdout, stderr } = unpack(dir, "--list");
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(new RegExp(`^${dir}: .*\\b${said}\\b.*\\n$`));
});

it("asks which root is meant, and refuses a target with something in it", async () => {
  const blobs = ["/srv/a", "/srv/b"].map(
    (root, number) =>
      [
        `packs/run/0-${number}-0123abcd-0`,
        packOf([{ path: `of ${root}`, content: root }], { root }).blob,
      ] as const,
  );
  const dir = await download("roots", blobs);
  expect(unpack(dir, "--list")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("--root: /srv/a, /srv/b"),
  });
  expect(unpack(dir, "--list", "--root", "/srv/b").stdout).toMatch(/ of \/srv\/b\n$/);
  expect(unpack(dir, "--list", "--root", "/srv/c")).toMatchObject({ status: 1 });
  expect(unpack(dir, "--root", "/srv/b", "--to", dir)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("is not empty"),
  });
});

it("a file that does not have as many bytes as its run recorded is named and not left there", async () => {
  const { name, blob } = chunkOf(CHUNK);
  const recipe = { content: recipeOf([CHUNK, CHUNK]), line: { recipe: true } };
  const pack = packOf([
    { path: "whole", content: "whole" },
    { path: "short", content: "short" },
    { path: "large", ...recipe },
    { path: "cut", ...recipe },
  ]);
  const sizes: Record<string, number> = { whole: 5, short: 4, large: 2 * CHUNK.length, cut: CHUNK.length };
  const lines = pack.lines.map(({ path: file, kind, mtime, mode, ...place }) => {
    const packed = { pack: "run/0-0-0123abcd-0", ...place };
    return JSON.stringify({
      path: file,
      kind,
      mtime,
      mode,
      outcome: "copied",
      size: sizes[String(file)],
      packed,
    });
  });
  const dir = await download("sizes", [
    ["packs/run/0-0-0123abcd-0", pack.blob],
    [name, blob],
  ]);
  const run = await save("sizes-run", [
    ["run.json", Buffer.from('{"status":"completed","counts":{"copied":4,"unchanged":0}}')],
    ["outcomes/0.jsonl", Buffer.from(lines.join("\n"))],
  ]);
  const to = path.join(folder(), "sizes-out");
  const { status, stderr } = unpack(dir, "--run", run, "--to", to);
  expect(stderr.split("\n").map((line) => line.split(":")[0])).toEqual(["short", "cut", ""]);
  expect(status).toBe(1);
  expect((await readdir(to)).sort()).toEqual(["large", "whole"]);
});
