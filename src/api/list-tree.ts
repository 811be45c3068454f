import { z } from "zod";
import type { RunRecord } from "../ledger/run-record.ts";
import type { ManifestEntry } from "../manifest/line.ts";
import { ownHash } from "../model/content.ts";
import { escapePath, isWithin, parentPath } from "../model/path.ts";
import type { Services } from "../services.ts";
import { BadContinuation, fromToken, toToken } from "./pages.ts";
import { pathInTree, pathOf } from "./parameters.ts";
import { HttpProblem } from "./problem.ts";
import type { TreeQuery } from "./query-schema.ts";
import type { TreeEntry, TreePage } from "./schema.ts";
import { notBackedUp, quoted, Tree } from "./tree.ts";

/** Where a page ended: its last path. */
const place = z.object({ after: z.string() });

/**
 * A page of the names in a directory of a backup, or of all that is below it, in the order of its manifest.
 * @throws BadContinuation; HttpProblem if the backup has no such directory; DamagedRecord if its record does not say
 */
export async function listTree(services: Services, run: RunRecord, query: TreeQuery): Promise<TreePage> {
  const path = pathInTree(query.path);
  const isRecursive = query.recursive === "true";
  const after = afterOf(query, path, isRecursive);
  return await Tree.with(services, run, async (tree) => {
    const entries: ManifestEntry[] = [];
    for await (const entry of isRecursive ? tree.below(path, after) : tree.directory(path, after)) {
      entries.push(entry);
      if (entries.length > query.limit) break;
    }
    const hasMore = entries.length > query.limit;
    if (hasMore) entries.pop();
    // A directory that has names is known by them.
    if (entries.length === 0 && path !== "") assertDirectory(await tree.entry(path), run);
    const own = after === undefined ? await tree.attributes(path) : {};
    const { defects } = tree;
    const shown = escapePath(path);
    return {
      run: run.id,
      path: shown,
      ...(shown === path ? {} : { escaped: true }),
      ...own,
      ...(run.forgotten === undefined ? {} : { forgotten: run.forgotten }),
      entries: entries.map((entry) => viewOf(entry, path)),
      ...(defects.length === 0 ? {} : { damaged: defects }),
      ...(hasMore ? { continuation: toToken({ after: entries.at(-1)?.path }) } : {}),
    };
  });
}

/** @throws BadContinuation for one of another directory */
function afterOf({ continuation }: TreeQuery, path: string, isRecursive: boolean): string | undefined {
  if (continuation === undefined) return undefined;
  const { after } = fromToken(place, continuation);
  if (isRecursive ? after === path || !isWithin(after, path) : parentPath(after) !== path)
    throw new BadContinuation();
  return after;
}

function assertDirectory(entry: ManifestEntry, { id }: RunRecord): void {
  const { path, kind, outcome } = entry;
  if (outcome !== undefined && outcome !== "copied" && outcome !== "unchanged") throw notBackedUp(entry);
  if (kind === "directory") return;
  const content = `${pathOf(id)}/content?path=${encodeURIComponent(escapePath(path))}`;
  throw new HttpProblem(400, `${quoted(path)} is a ${kind}, not a directory. Its content: GET ${content}`, {
    entry: viewOf(entry, parentPath(path)),
  });
}

function viewOf(
  { path, target, ctime: _ctime, etag: _etag, md5, packed, ...entry }: ManifestEntry,
  directory: string,
): TreeEntry {
  const name = directory === "" ? path : path.slice(directory.length + 1);
  const escaped = escapePath(name);
  return {
    name: escaped,
    ...(escaped === name ? {} : { escaped: true }),
    ...entry,
    ...ownHash({ md5, packed }),
    ...targetOf(target),
  };
}

function targetOf(target: string | undefined): Pick<TreeEntry, "target" | "targetEscaped"> {
  if (target === undefined) return {};
  const escaped = escapePath(target);
  return { target: escaped, ...(escaped === target ? {} : { targetEscaped: true }) };
}
