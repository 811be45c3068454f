// A restore in a process of its own, to be killed. Arguments: connection string, id of the restore, id of the run, directory.
import { BlobServiceClient } from "@azure/storage-blob";
import { Drive } from "../harness/drive.ts";

const [connectionString = "", id = "", run = "", to = ""] = process.argv.slice(2);
const drive = new Drive(BlobServiceClient.fromConnectionString(connectionString));
process.stdout.write("begun\n");
const { tally } = await drive.restore({ run, to }, id);
process.stdout.write(`${JSON.stringify(tally)}\n`);
