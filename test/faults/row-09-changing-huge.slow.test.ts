/** Row 9, for files that have a lane of their own (others: test/backup/changing-files.test.ts): three attempts, no more. */
import { appendFile, rename, truncate, utimes, writeFile, stat } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectSameTree, outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { counted, PATIENCE } from "../harness/faults.ts";
import type { StorageRequest } from "../harness/storage-proxy.ts";
import { bytes, bytesOf, makeTree, readTree } from "../harness/tree.ts";
import { startRig, type Rig } from "./rig.ts";

const SIZE = 18 * 1024 * 1024;

let rig: Rig;

beforeAll(async () => {
  rig = await startRig("changing-huge", { env: { BACKUP_LARGE_FILE_MIB: "9" } });
});
afterAll(async () => {
  await rig?.stop();
});

let replacements = 0;

/** Ways to change a file under a reader's hands, each different at each call. */
const changes: Record<string, (file: string, nth: number) => Promise<void>> = {
  grows: (file) => appendFile(file, "more"),
  shrinks: (file, nth) => truncate(file, SIZE - nth),
  "is replaced": async (file, nth) => {
    // Outside the tree: several requests may do so at once.
    const other = `${rig.folder}/replacement-${replacements++}`;
    await writeFile(other, bytes(SIZE, `replaced ${nth}`));
    await rename(other, file);
  },
  "changes with the same size and time": async (file, nth) => {
    const { atime, mtime } = await stat(file);
    await writeFile(file, bytes(SIZE, `rewritten ${nth}`));
    await utimes(file, atime, mtime);
  },
};

const isBlock = ({ method, comp }: StorageRequest) => method === "PUT" && comp === "block";
const isAboutBlocks = ({ comp }: StorageRequest) => comp === "blocklist";
const isCommit = (request: StorageRequest) => request.method === "PUT" && isAboutBlocks(request);

describe("row 9: a huge file that changes while it is read", () => {
  it(
    "at each attempt: after the third it is failed as such, and there is no blob; once: the second attempt has it",
    async () => {
      const names = Object.keys(changes);
      const files = names.flatMap((name) => [`always ${name}`, `once ${name}`]);
      const root = await makeTree(
        `${rig.folder}/tree`,
        Object.fromEntries([...files.map((name) => [name, bytes(SIZE, name)]), ["still", "still"]]),
      );
      const changed = new Map<string, number>();
      let blocks = 0;
      let commits = 0;
      const met = new Set<string>();
      rig.proxy.before = async (request) => {
        if (isCommit(request)) commits++;
        if (!isBlock(request)) return;
        blocks++;
        const [, when, what = ""] = /^(always|once) (.*)$/.exec(request.blob) ?? [];
        const nth = changed.get(request.blob) ?? 0;
        if (when === undefined || (when === "once" && nth > 0)) return;
        // Each block that comes by: so each attempt sees a change.
        changed.set(request.blob, nth + 1);
        met.add(request.blob);
        await changes[what]!(`${root}/${request.blob}`, nth + 1);
      };
      const id = await rig.post("backupSiteContent", { root, container: "changing" });
      const status = await rig.follow(id, PATIENCE);
      rig.proxy.before = () => undefined;
      expect(status.runtimeStatus).toBe("Failed");
      expect(met.size).toBe(files.length);
      const ledger = await readLedger(rig.service, id);
      const outcomes = outcomesByPath(ledger);
      expect(outcomes.size).toBe(files.length + 1);
      for (const name of names) {
        expect(outcomes.get(`always ${name}`)).toMatchObject({
          outcome: "failed",
          reason: "changed while reading, 3 times",
        });
        expect(outcomes.get(`once ${name}`), name).toMatchObject({ outcome: "copied" });
      }
      // Each asks which blocks are there: three for those that always change, two for the others.
      const attempts = rig.proxy.requests.filter((it) => it.method === "GET" && isAboutBlocks(it));
      expect(attempts).toHaveLength(names.length * (3 + 2));
      expect(commits).toBe(names.length);

      const tree = await readTree(root);
      for (const name of tree.keys()) if (name.startsWith("always")) tree.delete(name);
      expect(status.output).toContain(`${names.length} of ${files.length + 1} files failed`);
      expectSameTree(await readBlobs(rig.service.getContainerClient("changing")), tree, id);
      expect(ledger.counts).toMatchObject({ copied: names.length + 1, bytes: bytesOf(tree) });
      counted(9, { files: files.length, attempts: attempts.length, blocks, commits });
    },
    PATIENCE,
  );
});
