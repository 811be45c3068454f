/**
 * Asks a manifest one question in a process of its own, for the memory that it takes: CONNECTION RUN QUESTION [PATH]. "names" asks
 * what it has of a name in each of some directories, with ":" between them.
 */
import { BlobServiceClient } from "@azure/storage-blob";
import { Manifest } from "../../src/manifest/manifest.ts";
import { RunNames } from "../../src/manifest/run-names.ts";

const [connection = "", run = "", question = "", path = ""] = process.argv.slice(2);
const service = BlobServiceClient.fromConnectionString(connection);
const before = process.memoryUsage().rss;
let most = before;
const look = (): void => {
  most = Math.max(most, process.memoryUsage().rss);
};
setInterval(look, 5).unref();

const account = { service, behindProxy: false };
const manifest = await Manifest.open(account, run);
let found = 0;
if (question === "entry") found = (await manifest.entry(path)) === undefined ? 0 : 1;
else if (question === "names") {
  await using names = await RunNames.open(account, run);
  for (const directory of path.split(":"))
    found += (await names.of(directory, ["name-0001", "another"])).size;
} else
  for await (const _entry of question === "walk" ? manifest.walk(path) : manifest.directory(path)) found++;
await manifest.close();
look();
process.stdout.write(JSON.stringify({ found, mebibytes: (most - before) / 2 ** 20 }));
process.exit();
