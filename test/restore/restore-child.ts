// A restore in a process of its own, to be killed. Arguments: connection string, id of the restore, id of the run, directory, "overwrite".
import { open, type FileHandle } from "node:fs/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { Drive } from "../harness/drive.ts";

const [connectionString = "", id = "", run = "", to = "", overwrite = "changed"] = process.argv.slice(2);

/** How many files and directories were flushed by themselves. */
let flushes = 0;
const handle = await open(process.execPath);
const fileHandle = Object.getPrototypeOf(handle) as FileHandle;
await handle.close();
fileHandle.sync = async function (this: FileHandle) {
  flushes++;
  await this.datasync();
};

const fileTimeoutMs = Number(process.env["FILE_TIMEOUT_MS"] ?? 60_000);
const drive = new Drive(BlobServiceClient.fromConnectionString(connectionString), { fileTimeoutMs });
process.stdout.write("begun\n");
const { tally } = await drive.restore({ run, to, overwrite }, id);
process.stdout.write(`${JSON.stringify({ ...tally, flushes })}\n`);
