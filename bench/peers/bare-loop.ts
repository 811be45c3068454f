/**
 * The minimum for a Node program: walk, read, `upload`, several at a time. A process of its own: its arguments are
 * JSON, its result is a line of JSON on standard output.
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { ContainerClient } from "@azure/storage-blob";
import pMap from "p-map";

/** How the loop uploads. */
export interface Way {
  /** Files at a time. */
  files: number;
  /** Blocks of a file at a time; without it a file is one request. */
  blocks?: number;
}

export interface LoopArguments extends Way {
  root: string;
  container: string;
}

export interface LoopResult {
  seconds: number;
  files: number;
  bytes: number;
}

const BLOCK = 8 * 1024 * 1024;

async function copy(
  { root, container, files, blocks }: LoopArguments,
  connection: string,
): Promise<LoopResult> {
  const begin = performance.now();
  const client = new ContainerClient(connection, container);
  await client.createIfNotExists();
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  let bytes = 0;
  await pMap(
    paths,
    async (file) => {
      const blob = client.getBlockBlobClient(path.relative(root, file));
      const content = await readFile(file);
      if (blocks === undefined) await blob.upload(content, content.length);
      else
        await blob.uploadData(content, { blockSize: BLOCK, maxSingleShotSize: BLOCK, concurrency: blocks });
      bytes += content.length;
    },
    { concurrency: files },
  );
  return { seconds: (performance.now() - begin) / 1000, files: paths.length, bytes };
}

const result = await copy(
  JSON.parse(process.argv[2] ?? "{}") as LoopArguments,
  process.env["BENCH_STORAGE"] ?? "",
);
process.stdout.write(`${JSON.stringify(result)}\n`);
