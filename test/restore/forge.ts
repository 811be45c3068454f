import { newRun } from "../harness/domain.ts";
import { createHash } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";

/** A line of a manifest that somebody forged. */
export interface Forged {
  path: string;
  kind?: "file" | "link" | "directory";
  /** What the blob holds; no blob where it is undefined. */
  content?: string;
  /** The name of the blob, where it is not the path. */
  blob?: string;
}

/**
 * Writes a ledger as an attacker with write access to the containers would, with whatever names.
 * @param more what else `run.json` says
 */
export async function forgeRun(
  service: BlobServiceClient,
  lines: readonly (Forged | string)[],
  more: Record<string, unknown> = {},
): Promise<string> {
  const run = newRun();
  const ledger = service.getContainerClient("backup-runs");
  const container = service.getContainerClient("forged");
  await ledger.createIfNotExists();
  await container.createIfNotExists();
  const put = async (name: string, body: string) =>
    await ledger.getBlockBlobClient(`${run}/${name}`).upload(body, Buffer.byteLength(body));
  const text: string[] = [];
  for (const forged of lines) {
    if (typeof forged === "string") {
      text.push(forged);
      continue;
    }
    const { path, kind = "file", content = "" } = forged;
    const md5 = createHash("md5").update(content).digest();
    const size = kind === "file" ? Buffer.byteLength(content) : 0;
    text.push(
      `${JSON.stringify({ path, kind, outcome: "copied", size, mtime: 1e15, mode: 0o644, md5: md5.toString("base64") })}\n`,
    );
    if (forged.content === undefined) continue;
    await container
      .getBlockBlobClient(`${run}/${forged.blob ?? path}`)
      .upload(content, Buffer.byteLength(content), { blobHTTPHeaders: { blobContentMD5: md5 } });
  }
  const request = { root: "/x", container: "forged", prefix: run, include: [], exclude: [] };
  const options = { mode: "full", checksum: false, keepVersions: true, allowOtherRoot: false };
  await put("outcomes/0-0000.jsonl", text.join(""));
  await put(
    "lists/0.json",
    JSON.stringify({
      version: 1,
      request: { ...request, ...options, ...more },
      realRoot: "/x",
      fresh: true,
      keep: "snapshots",
      found: { counts: {}, failures: [] },
      batches: [{ files: lines.length, list: "lists/0.jsonl", offset: 0, length: 0 }],
      large: [],
      rest: [],
    }),
  );
  await put(
    "run.json",
    JSON.stringify({
      version: 1,
      id: run,
      ...request,
      ...more,
      mode: "full",
      started: new Date().toISOString(),
      status: "completed",
    }),
  );
  return run;
}
