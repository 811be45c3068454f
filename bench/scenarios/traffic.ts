import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { figure } from "../measure/statistics.ts";
import { App, PACKS } from "../peers/app.ts";
import type { Session } from "../peers/peer.ts";
import type { Row } from "../results.ts";
import { CountingStorage } from "../services/counting.ts";
import { withinLimit } from "../services/limit.ts";
import { discard, scratch } from "../services/scratch.ts";
import type { Tree } from "../trees.ts";
import { touch } from "./touch.ts";
import type { Scenario } from "./scenario.ts";

/** A change to a tree between two backups. @returns the tree as it is then */
type Change = (tree: Tree) => Tree;

/** What is asked of storage, and sent to it: counted once, because it does not depend on the machine. */
export const traffic: Scenario = {
  name: "traffic",
  title: "Requests and bytes to the destination, packs (the ledger's apart)",
  run: async ({ sizes, build, say }) => {
    const rows: Row[] = [];
    const subjects: [name: string, tree: Tree, again: string, change: Change][] = [
      ["small files", sizes.small(), "small files, new times, same contents", touched],
      ["files of 5 MiB", sizes.medium(), "files of 5 MiB, their directory moved", moved],
      ["one large file", sizes.single(), "one large file, a byte inserted at its start", inserted],
    ];
    for (const [name, tree, again, change] of subjects) {
      rows.push(...(await count(build, { name, again }, tree, change)));
      for (const { name: row, figures } of rows.slice(-2))
        say(`  ${row}: ${figures.requests?.median} requests, ${figures.sentMiB?.median.toFixed(2)} MiB`);
    }
    return rows;
  },
};

/** Two backups of a copy of the tree, with a change in between. */
async function count(
  build: string,
  { name, again }: { name: string; again: string },
  tree: Tree,
  change: Change,
): Promise<Row[]> {
  const folder = scratch("changed");
  const storage = await CountingStorage.start();
  let session: Session | undefined;
  try {
    const root = path.join(folder, "tree");
    cpSync(tree.root, root, { recursive: true });
    session = await new App(build, { layout: PACKS }).open(storage);
    const counted = async (row: string, of: Tree, second: boolean): Promise<Row> => {
      storage.take();
      await withinLimit(session!.backUp(of, second));
      const { requests, sent } = storage.take();
      const figures = {
        requests: figure([requests]),
        requestsPerFile: figure([requests / of.files]),
        sentMiB: figure([sent / 1024 ** 2]),
        sentShare: figure([sent / of.bytes]),
      };
      return { name: row, figures };
    };
    const copy = { ...tree, root };
    return [await counted(name, copy, false), await counted(again, change(copy), true)];
  } finally {
    await session?.close();
    await storage.stop();
    discard(folder);
  }
}

function touched(tree: Tree): Tree {
  touch(tree);
  return { ...tree, changed: 0 };
}

/** What was copied is known by its content. */
function moved(tree: Tree): Tree {
  for (const name of readdirSync(tree.root))
    renameSync(path.join(tree.root, name), path.join(tree.root, `moved-${name}`));
  return { ...tree, changed: tree.bytes };
}

function inserted(tree: Tree): Tree {
  const [file = ""] = readdirSync(tree.root, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".bin"),
  );
  const place = path.join(tree.root, file);
  writeFileSync(place, Buffer.concat([Buffer.of(0), readFileSync(place)]));
  const bytes = tree.bytes + 1;
  return { ...tree, bytes, changed: bytes };
}
