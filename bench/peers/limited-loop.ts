/**
 * Uploads with the app's own budget and retries, with or without the rule that adapts to storage. A process of its
 * own: its arguments are JSON, its result is a line of JSON on standard output.
 */
import { randomBytes } from "node:crypto";
import { ContainerClient } from "@azure/storage-blob";
import { createBudget } from "../../src/storage/budget.ts";
import { storageCounters, whenThrottled, withRetries } from "../../src/storage/retries.ts";
import { CONTAINER } from "../services/storage.ts";

export interface LimitedArguments {
  blobs: number;
  /** The most requests in flight. */
  most: number;
  /** Whether throttling lowers the number in flight; otherwise it is constant. */
  adaptive: boolean;
}

export interface LimitedResult {
  seconds: number;
  /** Answers that refused a request. */
  throttled: number;
  /** Blobs for which all tries of a request failed, so that they had to start again. */
  givenUp: number;
}

const SIZE = 4 * 1024;

async function upload(
  { blobs, most, adaptive }: LimitedArguments,
  connection: string,
): Promise<LimitedResult> {
  const container = new ContainerClient(connection, CONTAINER, { retryOptions: { maxTries: 1 } });
  const budget = createBudget(most, 64 * 1024 ** 2);
  if (adaptive) whenThrottled(() => budget.throttled());
  const content = randomBytes(SIZE);
  let givenUp = 0;
  const uploadOne = async (name: string): Promise<void> => {
    const blob = container.getBlockBlobClient(name);
    const write = () => withRetries((abortSignal) => blob.upload(content, SIZE, { abortSignal }), SIZE);
    for (;;) {
      try {
        await budget.file(() => budget.request(write));
        return;
      } catch {
        givenUp++;
      }
    }
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: blobs }, (_each, index) => uploadOne(`f${index}`)));
  return { seconds: (performance.now() - begin) / 1000, throttled: storageCounters.throttled, givenUp };
}

const result = await upload(
  JSON.parse(process.argv[2] ?? "{}") as LimitedArguments,
  process.env["BENCH_STORAGE"] ?? "",
);
process.stdout.write(`${JSON.stringify(result)}\n`);
