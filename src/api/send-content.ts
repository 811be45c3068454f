import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import { PartProblem } from "../ledger/part-kind.ts";
import type { RunRecord } from "../ledger/run-record.ts";
import { itemOf, type ManifestItem } from "../manifest/line.ts";
import type { PlannedItem } from "../manifest/plan-record.ts";
import { contentType, hashOf, ownHash } from "../model/content.ts";
import { layoutIn } from "../model/names.ts";
import { escapePath, nameOf, UNPRINTABLE } from "../model/path.ts";
import type { Services } from "../services.ts";
import { describe } from "../storage/errors.ts";
import { Corrupt, Lost } from "../store/fetching.ts";
import { openStore } from "../store/open-store.ts";
import type { Store } from "../store/store.ts";
import { line } from "../telemetry/line.ts";
import { hasAlready, partAsked, pathInTree, pathOf } from "./parameters.ts";
import { HttpProblem } from "./problem.ts";
import type { Call } from "./route.ts";
import { stream } from "./streamed.ts";
import { notBackedUp, quoted, Tree } from "./tree.ts";

/**
 * The content that a file had in a backup; of a link its target.
 * @throws HttpProblem if there is none to send; DamagedRecord if the backup's record does not say what there is
 */
export async function sendContent(
  request: HttpRequest,
  { context, services }: Call,
  run: RunRecord,
  query: { path: string },
): Promise<HttpResponseInit> {
  const item = await itemAt(services, run, pathInTree(query.path));
  const etag = etagOf(item);
  const headers = { ETag: etag, "Cache-Control": "private, no-cache" };
  if (hasAlready(request, etag)) return { status: 304, headers };

  const store = openStore({ ...run, layout: layoutIn(run) }, services.storage, services.settings);
  try {
    const planned = await found(store, item);
    const { length } = planned.source;
    const part = partAsked(request, etag, length);
    const { from, to } = part ?? { from: 0, to: length };
    const pieces = store.stream(planned, to - from < length ? { from, to } : undefined);
    const body = await stream(context.invocationId, pieces, (error) => brokenOff(item, run, error));
    const range: Record<string, string> = part
      ? { "Content-Range": `bytes ${from}-${to - 1}/${length}` }
      : {};
    return {
      status: part ? 206 : 200,
      headers: { ...headers, ...describing(item), "Content-Length": String(to - from), ...range },
      ...(body ? { body } : {}),
    };
  } catch (error) {
    if (error instanceof PartProblem) throw new HttpProblem(409, error.message);
    throw error instanceof Lost ? lost(item, run, error) : error;
  }
}

/** The content's own hash, so that a client can check what it got; of a file in chunks the hash of their list, marked as such. */
function etagOf(item: ManifestItem): string {
  const { md5, sha256 } = ownHash(item);
  return `"${md5 ?? sha256 ?? `chunks-${hashOf(item)}`}"`;
}

/** @throws HttpProblem for a directory, and for what is not in the backup */
async function itemAt(services: Services, run: RunRecord, path: string): Promise<ManifestItem> {
  const entry =
    path === "" ? undefined : await Tree.with(services, run, async (tree) => await tree.entry(path));
  const item = entry && itemOf(entry);
  if (item && item.kind !== "directory") return item;
  if (entry && entry.kind !== "directory") throw notBackedUp(entry);
  const list = `GET ${pathOf(run.id)}/tree?path=${encodeURIComponent(escapePath(path))}`;
  throw new HttpProblem(
    400,
    `${quoted(path)} is a directory: list it by ${list}, get its files one by one, or restore it.`,
  );
}

/** @throws Lost */
async function found(store: Store, item: ManifestItem): Promise<PlannedItem> {
  const where = (await store.find([item])).get(item);
  if (!where || "lost" in where) throw new Lost(where?.lost);
  return { ...item, source: where.source };
}

function lost({ path }: ManifestItem, { id, forgotten }: RunRecord, why: Lost): HttpProblem {
  const what = `The content of ${quoted(path)} in the backup ${id} cannot be read: ${why.message}.`;
  if (why instanceof Corrupt) return new HttpProblem(502, what);
  const instead =
    forgotten === undefined
      ? "Another backup may have it."
      : `The prune ${forgotten} has forgotten this backup; a later one may have it.`;
  return new HttpProblem(410, `${what} ${instead}`);
}

/** The failure of an answer that had begun; its message is a line of the log. */
function brokenOff({ path }: ManifestItem, { id }: RunRecord, error: unknown): Error {
  return new Error(line("content.broken", { run: id, path, reason: describe(error) }), { cause: error });
}

/** Headers by which a browser saves the file, and does not open it as a page of the app's. */
function describing({ path, kind }: ManifestItem): Record<string, string> {
  return {
    "Accept-Ranges": "bytes",
    "Content-Disposition": attachment(nameOf(path)),
    "Content-Security-Policy": "sandbox",
    "Content-Type": kind === "link" ? "text/plain; charset=utf-8" : contentType(path),
  };
}

/** The Content-Disposition of a file to be saved (RFC 6266), whatever its name has in it. */
function attachment(name: string): string {
  // A backslash would lead a client on Windows into another directory.
  const safe = name.replaceAll(UNPRINTABLE, "_").replaceAll("\\", "_");
  const ascii = safe.replaceAll(/[^ -~]|["%]/g, "_");
  const extended = encodeURIComponent(safe).replaceAll(/['()*]/g, percent);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${extended}`;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
