/** A batch's files are flushed by one flush of their file system, `sync -f`. Another program is in its place here. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { newRun } from "../harness/domain.ts";
import { FILES, SIZE, startTogether } from "./together.ts";
import { IN_MEMORY, snapshotOf, temporary } from "./tree.ts";

const backup = startTogether();
const { restore } = backup;

test.runIf(process.platform === "linux")(
  "one flush of the file system comes when all are written and none is in its place; what comes there meanwhile is kept",
  async () => {
    const seen = path.join(temporary(), "seen");
    const [first = ""] = backup.wanted.keys();
    const to = temporary(IN_MEMORY);
    const script = `find . -type f -printf '%f %s\\n' >> ${seen}; printf new > ${first}; exec /bin/sync "$@"`;
    const ended = await restore(script, to, newRun(), "never");
    expect(ended?.counts).toMatchObject({ copied: FILES - 1, skipped: 1, failed: 0 });
    const files = (await readFile(seen, "utf8")).trimEnd().split("\n");
    expect(files).toHaveLength(FILES);
    expect(files.filter((file) => !/\.partial \d+$/.test(file))).toEqual([]);
    const sizes = files.map((file) => Number(file.split(" ")[1]));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(SIZE);
    // The directories.
    expect(ended?.flushes).toBeLessThan(10);
    const there = await snapshotOf(to);
    expect(await readFile(path.join(to, first), "utf8")).toBe("new");
    there.set(first, backup.wanted.get(first)!);
    expect(there).toEqual(backup.wanted);
  },
);
