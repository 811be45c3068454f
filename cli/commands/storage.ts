import { readFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { define } from "../define.ts";
import { ExitCode, Failure } from "../failure.ts";
import { PACKAGE } from "../host.ts";
import { err, out, outJson, paint } from "../print.ts";
import type { CommonOptions } from "../session.ts";

/** How long the address for azcopy is valid. */
const DAY_MS = 24 * 3_600_000;

export function addStorage(program: Command): void {
  define(
    program,
    {
      usage: "storage",
      description: "Show how to reach the local host's backups with other tools.",
      examples: [
        "site-backup storage",
        'export AZURE_STORAGE_CONNECTION_STRING="$(site-backup storage --quiet)"',
      ],
      local: true,
      json: ["storage"],
    },
    [],
    storage,
  );
}

async function storage(options: CommonOptions): Promise<number> {
  const account = ownAccount();
  const { endpoint, connectionString } = account;
  const sas = await toRead(account, DAY_MS);
  if (options.json) outJson({ type: "storage", connectionString, endpoint, sas });
  else if (options.quiet) out(connectionString);
  else {
    out(paint("bold", "Connection string"));
    out(`  ${connectionString}`);
    out("  It contains the account's key: whoever has it can read, change and delete all backups.");
    out(`\n${paint("bold", "Azure Storage Explorer")}`);
    out("  Connect to Azure Storage > Storage account or service > Connection string");
    out(`\n${paint("bold", "rclone")} (read-only, valid for a day)`);
    out(`  export RCLONE_AZUREBLOB_SAS_URL='${endpoint}?${sas}'`);
    out("  rclone copy :azureblob:backups ./copy");
    out(`\n${paint("bold", "azcopy")} (read-only, valid for a day)`);
    out(`  azcopy copy '${endpoint}/backups/*?${sas}' ./copy --recursive --from-to BlobLocal`);
    if (!(await answers(endpoint)))
      err(
        "\nNothing answers there now: the storage is available only while the local host runs (npm start).",
      );
  }
  return ExitCode.done;
}

interface Account {
  name: string;
  /** Base64. */
  key: string;
  endpoint: string;
  connectionString: string;
}

/** The account of the local host's own Azurite, from the file the host wrote. @throws Failure */
function ownAccount(): Account {
  const file = path.join(process.env["LOCAL_HOST_STATE"] ?? path.join(PACKAGE, ".local"), "storage.json");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      throw new Failure(
        `The connection string of the local host's storage cannot be read: ${(error as Error).message}.`,
        {
          cause: error,
        },
      );
    throw new Failure(
      "The local host has no storage of its own yet. It creates one when it first starts (npm start), unless AzureWebJobsStorage names another.",
      { cause: error },
    );
  }
  const [connectionString, name, key, endpoint] =
    /[^"]*AccountName=([a-z0-9]+);AccountKey=([A-Za-z0-9+/]+=*);BlobEndpoint=(http:\/\/127\.0\.0\.1:\d+\/[a-z0-9]+);/.exec(
      text,
    ) ?? [];
  if (connectionString === undefined || name === undefined || key === undefined || endpoint === undefined)
    throw new Failure(
      `${file} is damaged. Delete it and start the local host, which creates a new key and keeps all blobs.`,
    );
  return { name, key, endpoint, connectionString };
}

/** A SAS to list all containers, and to list and read their blobs. */
async function toRead({ name, key }: Account, milliseconds: number): Promise<string> {
  // Imported only here, because it is slow to load.
  const sdk = await import("@azure/storage-blob");
  return sdk
    .generateAccountSASQueryParameters(
      {
        permissions: sdk.AccountSASPermissions.parse("rl"),
        services: "b",
        resourceTypes: "sco",
        expiresOn: new Date(Date.now() + milliseconds),
      },
      new sdk.StorageSharedKeyCredential(name, key),
    )
    .toString();
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    await fetch(endpoint, { signal: AbortSignal.timeout(2_000) });
    return true;
  } catch {
    return false;
  }
}
