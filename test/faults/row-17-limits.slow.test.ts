/** Row 17: very many files in one directory, very deep trees, names and paths at every limit. */
import { execFileSync } from "node:child_process";
import { mkdirSync, openSync, closeSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outcomesByPath, readLedger } from "../harness/blobs.ts";
import { counted, full, PATIENCE } from "../harness/faults.ts";
import { childrenOf, peakMemoryOf } from "../harness/processes.ts";
import { makeTree } from "../harness/tree.ts";
import { startRig, type Rig } from "./rig.ts";

/** In `npm test` as many as show the way. */
const WIDE = full ? Number(process.env["FAULT_FILES"] ?? 250_000) : 2_000;
const DEEP = full ? 5_000 : 600;
/** Peak memory of the host and its workers together, in MiB: not a function of the tree. */
const MEMORY = 400;
/** Files that are sent in blocks, and how large they are, in MiB: four blocks of each at a time are more than MEMORY. */
const [LARGE_FILES, LARGE] = [16, 40];
/** Segments of a blob's name, characters of it, bytes of a path as Linux takes it. */
const [SEGMENTS, CHARACTERS, PATH_MAX] = [254, 1024, 4096];

let rig: Rig;

beforeAll(async () => {
  // In `npm test`, too, more files than one orchestration lists.
  const env = full ? {} : { BACKUP_LIST_FILES: "500" };
  rig = await startRig("limits", { env });
});
afterAll(async () => {
  // Deeper than node:fs can name.
  if (rig) execFileSync("rm", ["-rf", rig.folder]);
  await rig?.stop();
  // There are 250,000 files and as many blobs to look through.
}, 600_000);

/** The most memory that the host and its workers have held, each at its own worst, in MiB. */
function peakMemory(): number {
  const peaks = [rig.host.pid, ...childrenOf(rig.host.pid)].map(peakMemoryOf);
  return Math.round(peaks.reduce((sum, kib) => sum + kib, 0) / 1024);
}

describe("row 17: limits", () => {
  it(
    `${WIDE} files in one directory: each has its outcome, memory stays bounded`,
    async () => {
      const root = `${rig.folder}/wide`;
      mkdirSync(root);
      for (let index = 0; index < WIDE; index++) closeSync(openSync(`${root}/file${index}`, "w"));
      writeFileSync(`${root}/file0`, "content");
      const id = await rig.post("backupSiteContent", { root, container: "wide" });
      const status = await rig.follow(id, PATIENCE);
      expect(status).toMatchObject({ runtimeStatus: "Completed", output: "content".length });
      const { outcomes, counts } = await readLedger(rig.service, id);
      expect(outcomes).toHaveLength(WIDE);
      const names = new Set(outcomes.map(({ path: name }) => name));
      for (let index = 0; index < WIDE; index++) expect(names.has(`file${index}`)).toBe(true);
      expect(counts).toMatchObject({ copied: WIDE, failed: 0 });
      const peak = process.platform === "linux" ? peakMemory() : 0;
      expect(peak).toBeLessThan(MEMORY);
      counted(17, { files: outcomes.length, "in one directory, peak MiB": peak });
    },
    PATIENCE,
  );

  it(
    `${LARGE_FILES} files of ${LARGE} MiB at once: no more of their content is held in memory than the settings say`,
    async () => {
      const root = `${rig.folder}/large`;
      mkdirSync(root);
      for (let index = 0; index < LARGE_FILES; index++) {
        writeFileSync(`${root}/large${index}`, "");
        truncateSync(`${root}/large${index}`, LARGE * 1024 * 1024);
      }
      // Storage is slow: all that may be read ahead is.
      rig.proxy.after = () => sleep(500);
      const id = await rig.post("backupSiteContent", { root, container: "large" });
      const status = await rig.follow(id, PATIENCE);
      rig.proxy.after = () => undefined;
      const output = LARGE_FILES * LARGE * 1024 * 1024;
      expect(status).toMatchObject({ runtimeStatus: "Completed", output });
      const peak = process.platform === "linux" ? peakMemory() : 0;
      expect(peak).toBeLessThan(MEMORY);
      counted(17, { [`files of ${LARGE} MiB at once`]: LARGE_FILES, "peak MiB": peak });
    },
    PATIENCE,
  );

  it(
    `${DEEP} levels deep: what a blob's name or a path can hold is copied, the rest fails by name`,
    async () => {
      const root = `${rig.folder}/deep`;
      mkdirSync(root);
      // A process that goes down with the tree, for no path reaches so deep.
      execFileSync(process.execPath, [
        "-e",
        `const fs = require("fs"); process.chdir(process.argv[1]);
         fs.writeFileSync("f", "x");
         for (let level = 1; level <= ${DEEP}; level++) { fs.mkdirSync("d"); process.chdir("d"); fs.writeFileSync("f", "x"); }`,
        root,
      ]);
      const id = await rig.post("backupSiteContent", { root, container: "deep" });
      const status = await rig.follow(id, PATIENCE);
      expect(status.runtimeStatus).toBe("Failed");
      const outcomes = outcomesByPath(await readLedger(rig.service, id));
      const files = [...outcomes.values()].filter(({ path: name }) => name.endsWith("f"));
      const copied = files.filter(({ outcome }) => outcome === "copied");
      expect(copied).toHaveLength(SEGMENTS);
      const reachable = Math.min(DEEP, Math.floor((PATH_MAX - root.length) / 2) - 1);
      const tooDeep = files.filter(({ reason }) =>
        /(segments, more than 254|characters, more than 1024)/.test(reason ?? ""),
      );
      expect(Math.abs(copied.length + tooDeep.length - reachable)).toBeLessThanOrEqual(2);
      const beyond = [...outcomes.values()].filter(({ reason }) =>
        /longer than the file system allows/.test(reason ?? ""),
      );
      // Below a directory that no path reaches nothing can be listed: it is named itself.
      expect(beyond.length > 0).toBe(reachable < DEEP);
      expect(copied.length + tooDeep.length + beyond.length).toBe(outcomes.size);
      counted(17, {
        levels: DEEP,
        copied: copied.length,
        "too deep for a blob": tooDeep.length,
        "beyond any path": beyond.length,
      });
    },
    PATIENCE,
  );

  it(
    "names of 255 bytes, paths at each limit of a blob's name, on either side of it",
    async () => {
      const limit = (total: number) => {
        // Segments of 200 characters, and a last one that fills up.
        const segments: string[] = [];
        let left = total;
        while (left > 201) {
          segments.push("s".repeat(200));
          left -= 201;
        }
        return [...segments, "e".repeat(left)].join("/");
      };
      const fits: Record<string, string> = {
        ["n".repeat(255)]: "255 bytes, 255 characters",
        [`${"\u00e9".repeat(127)}x`]: "255 bytes, 128 characters",
        [`${"\u{1f600}".repeat(63)}xyz`]: "255 bytes, 129 characters",
        [`${"d".repeat(255)}/${"e".repeat(255)}`]: "a directory of 255 bytes",
        [limit(CHARACTERS)]: "1,024 characters",
        [Array(SEGMENTS).fill("a").join("/")]: "254 segments",
      };
      const fails: Record<string, RegExp> = {
        [`${limit(CHARACTERS)}e`]: /1025 characters, more than 1024/,
        [`${Array(SEGMENTS + 1)
          .fill("b")
          .join("/")}`]: /255 segments, more than 254/,
        "ends.": /ends in "\."/,
      };
      const spec = Object.fromEntries(
        [...Object.keys(fits), ...Object.keys(fails)].map((name) => [name, "x"]),
      );
      const root = await makeTree(path.join(rig.folder, "names"), spec);
      const id = await rig.post("backupSiteContent", { root, container: "names" });
      const status = await rig.follow(id, PATIENCE);
      expect(status.output).toContain(
        `${Object.keys(fails).length} of ${Object.keys(spec).length} files failed`,
      );
      const outcomes = outcomesByPath(await readLedger(rig.service, id));
      for (const [name, what] of Object.entries(fits))
        expect(outcomes.get(name)?.outcome, what).toBe("copied");
      for (const [name, reason] of Object.entries(fails)) expect(outcomes.get(name)?.reason).toMatch(reason);
      expect(outcomes.size).toBe(Object.keys(spec).length);

      const to = path.join(rig.folder, "names-restored");
      const restore = await rig.post("restoreSiteContent", { run: id, to });
      expect(await rig.follow(restore, PATIENCE)).toMatchObject({ output: Object.keys(fits).length });
      for (const name of Object.keys(fits)) expect(readFileSync(path.join(to, name), "utf8")).toBe("x");
      counted(17, { "names that fit": Object.keys(fits).length, "that do not": Object.keys(fails).length });
    },
    PATIENCE,
  );
});
