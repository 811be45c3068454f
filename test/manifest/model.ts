/** Random trees, and what the manifests of their runs say of them. */
import { hash } from "node:crypto";
import { lstat, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { Manifest } from "../../src/manifest/manifest.ts";
import type { ManifestEntry } from "../../src/manifest/line.ts";
import { whyNotABlobName } from "../../src/store/files/blob-name.ts";
import { ownHash } from "../../src/model/content.ts";
import { keyOf } from "../../src/model/order.ts";
import { fromBytes, toBytes } from "../../src/model/path.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { newRun } from "../harness/domain.ts";
import { Drive } from "../harness/drive.ts";
import { Life, mortalDrive } from "../prune/dying-service.ts";
import { makeOld } from "./old-record.ts";

/** So few files a part, that a small tree has parts of parts. */
const SETTINGS = { largeFile: 5, listFiles: 12 };

const FOLDER = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Of every kind: what sorts around "/", what Blob Storage cannot hold, and what is no UTF-8. */
const name = fc.constantFrom("a", "b", "A", "a!", "a b", "é", "😀", "\u0001", "x\ny", "caf\udce9", "\udcff");
/** As long as a file system has them. A fence has room for two, so the keys below share all that it shows. */
const long = fc.constantFrom(
  ...["山".repeat(84), "ж".repeat(127), "\uffff".repeat(84)].flatMap((same) => [same, `${same}!`]),
);
const short = fc.array(name, { minLength: 1, maxLength: 4 });
const place = fc
  .oneof(
    { weight: 5, arbitrary: short },
    {
      weight: 1,
      arbitrary: fc.tuple(long, long, long).chain((above) => short.map((below) => [...above, ...below])),
    },
  )
  .map((names) => names.join("/"));
const edit = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant("write" as const),
      place,
      content: fc.string({ maxLength: 7 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constantFrom("delete" as const, "link" as const, "directory" as const),
      place,
    }),
  },
  // Many directories at once, and many files: for what one part leaves to others.
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constantFrom("directories" as const, "files" as const), place }),
  },
);
const history = fc.array(
  fc.record({
    edits: fc.array(edit, { minLength: 1, maxLength: 8 }),
    how: fc.constantFrom(
      { mode: "full" },
      { mode: "incremental", compareWith: "destination" },
      { mode: "incremental", compareWith: "record" },
    ),
    killedAfter: fc.option(fc.integer({ min: 1, max: 120 })),
    /** Its record becomes one of an older release: all of it, or some records. */
    old: fc.constantFrom(undefined, undefined, "all" as const, "some" as const),
  }),
  { minLength: 1, maxLength: 3 },
);
const layouts = fc.constantFrom("files" as const, "packs" as const);

type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

async function apply(root: string, { place: at, ...edit }: Edit): Promise<void> {
  const absolute = (portable: string) => Buffer.concat([Buffer.from(`${root}/`), toBytes(portable)]);
  const segments = at.split("/");
  for (let depth = 1; depth < segments.length; depth++) {
    const above = absolute(segments.slice(0, depth).join("/"));
    const stats = await lstat(above).catch(() => undefined);
    if (stats?.isDirectory()) continue;
    await rm(above, { force: true });
    await mkdir(above);
  }
  await rm(absolute(at), { recursive: true, force: true });
  switch (edit.what) {
    case "write":
      return await writeFile(absolute(at), edit.content);
    case "link":
      return await symlink("nowhere", absolute(at));
    case "directory":
      await mkdir(absolute(at));
      return;
    case "directories":
      for (let some = 0; some < 34; some++) {
        await mkdir(absolute(`${at}/${some}`), { recursive: true });
        if (some % 3 === 0) await writeFile(absolute(`${at}/${some}/f`), "");
      }
      return;
    case "files":
      await mkdir(absolute(at));
      for (let some = 0; some < 14; some++) await writeFile(absolute(`${at}/${some}`), "");
      return;
    case "delete":
      return;
  }
}

/** What a manifest is to say of each name, without what became of it and, of a file, with the hash of its content. */
type Expected = Pick<ManifestEntry, "path" | "kind"> & Partial<ManifestEntry> & ReturnType<typeof ownHash>;

const hashes = {
  files: (content: Buffer) => ({ md5: hash("md5", content, "base64") }),
  // A large file is recorded as chunks.
  packs: (content: Buffer) =>
    content.length > SETTINGS.largeFile ? {} : { sha256: hash("sha256", content, "base64") },
};

async function readTree(root: string, layout: "files" | "packs"): Promise<Map<string, Expected>> {
  const tree = new Map<string, Expected>();
  const walk = async (at: Buffer, portable: string): Promise<number> => {
    const names = await readdir(at, { encoding: "buffer" });
    for (const bytes of names) {
      const below = Buffer.concat([at, Buffer.from("/"), bytes]);
      const file = portable === "" ? fromBytes(bytes) : `${portable}/${fromBytes(bytes)}`;
      const stats = await lstat(below);
      const isDirectory = stats.isDirectory();
      const kind = isDirectory ? "directory" : stats.isSymbolicLink() ? "link" : "file";
      const empty = isDirectory ? (await walk(below, file)) === 0 : false;
      const seen = { mtime: Math.round(stats.mtimeMs * 1000), mode: stats.mode & 0o7777 };
      if (isDirectory && !empty) tree.set(file, { path: file, kind, size: 0, ...seen });
      else if (layout === "files" && whyNotABlobName(file) !== undefined)
        tree.set(file, { path: file, kind, size: 0, outcome: "failed" });
      else {
        const content = kind === "file" ? await readFile(below) : undefined;
        const known = content ? hashes[layout](content) : {};
        tree.set(file, { path: file, kind, size: content?.length ?? 0, ...seen, ...known });
      }
    }
    return names.length;
  };
  await walk(Buffer.from(root), "");
  return tree;
}

const keyed = ({ path: one }: Expected, { path: other }: Expected) => (keyOf(one) < keyOf(other) ? -1 : 1);

async function all(entries: AsyncIterable<ManifestEntry>): Promise<ManifestEntry[]> {
  const found: ManifestEntry[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}

/** Some of many, from all over. */
function someOf<T>(values: readonly T[], most: number): T[] {
  const step = Math.max(1, Math.ceil(values.length / most));
  return values.filter((_value, index) => index % step === 0);
}

/** What an entry must have, of what it has. */
function comparable(entry: ManifestEntry, like: Expected | undefined): Expected {
  const { path: of, kind, size, mtime, mode, outcome } = entry;
  if (outcome === "failed") return { path: of, kind, size, outcome };
  if (kind !== "directory" || like?.outcome === "failed") expect(outcome, of).toMatch(/^(copied|unchanged)$/);
  return {
    path: of,
    kind,
    size,
    ...(mtime === undefined ? {} : { mtime }),
    ...(mode === undefined ? {} : { mode }),
    ...(kind === "file" ? ownHash(entry) : {}),
  };
}

async function expectAgreement(
  account: TestStorage,
  run: string,
  tree: Map<string, Expected>,
): Promise<void> {
  const damage: string[] = [];
  const { service } = account;
  const manifest = await Manifest.open({ service, behindProxy: false }, run, (name, reason) =>
    damage.push(`${name} ${reason}`),
  );
  try {
    const like = (entry: ManifestEntry) => comparable(entry, tree.get(entry.path));
    const sorted = [...tree.values()].toSorted(keyed);
    expect((await all(manifest.walk())).map(like)).toEqual(sorted);
    expect(await manifest.entry("")).toMatchObject({ path: "", kind: "directory" });
    for (const { path: file } of someOf(sorted, 6)) {
      const entry = await manifest.entry(file);
      expect(entry && like(entry), file).toEqual(tree.get(file));
      expect(await manifest.entry(`${file}!`)).toEqual(tree.has(`${file}!`) ? expect.anything() : undefined);
    }
    const directories = sorted.filter(({ kind }) => kind === "directory");
    for (const { path: directory } of someOf(directories, 4)) {
      const names = sorted.filter(({ path: other }) => path.posix.dirname(other) === directory);
      expect((await all(manifest.directory(directory))).map(like), directory).toEqual(names);
      const below = sorted.filter(({ path: other }) => other.startsWith(`${directory}/`));
      expect((await all(manifest.walk(directory))).map(like), directory).toEqual(below);
      const after = names[Math.floor(names.length / 2)]?.path;
      if (after === undefined) continue;
      const rest = names.filter(({ path: other }) => keyOf(other) > keyOf(after));
      expect((await all(manifest.directory(directory, { after }))).map(like), directory).toEqual(rest);
    }
    const top = sorted.filter(({ path: other }) => !other.includes("/"));
    expect((await all(manifest.directory(""))).map(like)).toEqual(top);
    expect(damage).toEqual([]);
  } finally {
    await manifest.close();
  }
}

async function backUp(
  account: TestStorage,
  request: { root: string; mode: string; layout: string },
  killedAfter: number | null,
): Promise<string> {
  const run = newRun();
  const life = new Life(killedAfter ?? 0);
  if (killedAfter !== null)
    await mortalDrive(account.connectionString, life, SETTINGS)
      .backup({ ...request, acceptFewer: true }, run)
      .catch(() => undefined);
  if (life.left <= 0)
    await new Drive(account.service, SETTINGS).backup({ ...request, acceptFewer: true }, run);
  return run;
}

async function tryHistories(account: TestStorage, cases: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(layouts, history, async (layout, steps) => {
      const base = mkdtempSync(path.join(FOLDER, "manifest-"));
      try {
        const root = path.join(base, "root");
        await mkdir(root);
        const runs: { run: string; tree: Map<string, Expected> }[] = [];
        let clock = 1_700_000_000;
        for (const { edits, how, killedAfter, old } of steps) {
          for (const each of edits) await apply(root, each);
          await utimes(root, ++clock, clock);
          const run = await backUp(account, { root, layout, ...how }, killedAfter);
          // No older release has packs.
          if (old && layout === "files") await makeOld(account.service, run, old);
          runs.push({ run, tree: await readTree(root, layout) });
        }
        for (const { run, tree } of runs) await expectAgreement(account, run, tree);
      } finally {
        rmSync(base, { recursive: true, force: true });
        for (const container of ["backups", "backup-runs"])
          await account.service.getContainerClient(container).deleteIfExists();
      }
    }),
    { numRuns: cases, ...(process.env["MODEL_SEED"] ? { seed: Number(process.env["MODEL_SEED"]) } : {}) },
  );
}

/** Defines the test that tries so many histories; `MODEL_CASES` and `MODEL_SEED` as in test/restore/model.ts. */
export function testManifests(some: number): void {
  const cases = Number(process.env["MODEL_CASES"] ?? some);
  test(
    `the manifests of ${cases} random histories say what the tree was at each run`,
    async () => {
      const account = takeAccount();
      onTestFinished(() => account.stop());
      await expect(tryHistories(account, cases)).resolves.toBeUndefined();
    },
    60_000 + cases * 15_000,
  );
}
