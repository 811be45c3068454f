/**
 * Answers questions about a manifest in a process of its own, for the memory that they take: CONNECTION RUN, and each question as a
 * message. "names" asks what it has of a name in each of some directories, with ":" between them.
 */
import { BlobServiceClient } from "@azure/storage-blob";
import { Manifest } from "../../src/manifest/manifest.ts";
import { RunNames } from "../../src/manifest/run-names.ts";

export interface Question {
  about: "entry" | "names" | "walk" | "directory";
  path: string;
}

export interface Answer {
  found: number;
  seconds: number;
  /** The most that it took so far. */
  mebibytes: number;
}

const [connection = "", run = ""] = process.argv.slice(2);
const account = { service: BlobServiceClient.fromConnectionString(connection), behindProxy: false };
const before = process.memoryUsage().rss;
let most = before;
const look = (): void => {
  most = Math.max(most, process.memoryUsage().rss);
};
setInterval(look, 5).unref();

async function answer({ about, path }: Question): Promise<number> {
  const manifest = await Manifest.open(account, run);
  let found = 0;
  if (about === "entry") found = (await manifest.entry(path)) === undefined ? 0 : 1;
  else if (about === "names") {
    await using names = await RunNames.open(account, run);
    for (const directory of path.split(":"))
      found += (await names.of(directory, ["name-0001", "another"])).size;
  } else
    for await (const _entry of about === "walk" ? manifest.walk(path) : manifest.directory(path)) found++;
  await manifest.close();
  return found;
}

process.on("message", (question: Question) => {
  const begin = performance.now();
  void answer(question).then((found) => {
    const seconds = (performance.now() - begin) / 1000;
    look();
    process.send?.({ found, seconds, mebibytes: (most - before) / 2 ** 20 } satisfies Answer);
  });
});
