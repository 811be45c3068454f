/**
 * The storage account of a state folder, served by its Azurite. Azurite's published account would let every user of
 * the machine, and every web page, read and delete all backups, so the name and key are random, and only the owner of
 * the folder can read them.
 */
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, readSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { StartUpError } from "../start-up-error.ts";

/** Azurite's usual blob port. */
export const BLOB_PORT = 10_000;
const SHORT_FORM = /^\s*UseDevelopmentStorage=true\s*;?\s*$/i;
const STORAGE_FILE = "storage.json";
/** Bytes of Azurite's database: containers, which name their account, come first. */
const DATABASE_HEAD = 1024 * 1024;

export interface StorageAccount {
  name: string;
  /** Base64. */
  key: string;
}

export function connectionString({ name, key }: StorageAccount, port: number): string {
  return (
    `DefaultEndpointsProtocol=http;AccountName=${name};AccountKey=${key};` +
    `BlobEndpoint=http://127.0.0.1:${port}/${name};`
  );
}

/**
 * The account of a state folder, created at first and kept in storage.json (mode 0600) as the connection string for
 * this port. Throws StartUpError if that file is damaged.
 */
export function ownAccount(stateFolder: string, port: number): StorageAccount {
  const file = path.join(stateFolder, STORAGE_FILE);
  const account = existsSync(file)
    ? keptAccount(file)
    : { name: nameInData(stateFolder) ?? newName(), key: randomBytes(64).toString("base64") };
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify({ connectionString: connectionString(account, port) })}\n`, {
    mode: 0o600,
  });
  renameSync(draft, file);
  return account;
}

function keptAccount(file: string): StorageAccount {
  const text = readFileSync(file, "utf8");
  const [, name, key] = /AccountName=([a-z0-9]{3,24});AccountKey=([A-Za-z0-9+/]+=*);/.exec(text) ?? [];
  if (name !== undefined && key !== undefined) return { name, key };
  throw new StartUpError(
    `${file} is damaged: it contains no storage account. Delete it: the host then creates a new key and keeps all blobs.`,
  );
}

/** The account whose blobs are already in the folder: it keeps its name and gets a new key. */
function nameInData(stateFolder: string): string | undefined {
  const file = path.join(stateFolder, "azurite", "__azurite_db_blob__.json");
  if (!existsSync(file)) return undefined;
  const head = Buffer.alloc(DATABASE_HEAD);
  const handle = openSync(file, "r");
  try {
    const length = readSync(handle, head, 0, head.length, 0);
    return /"accountName":"([a-z0-9]{3,24})"/.exec(head.toString("utf8", 0, length))?.[1];
  } finally {
    closeSync(handle);
  }
}

function newName(): string {
  return `local${randomBytes(8).toString("hex")}`;
}

/** The settings that mean the host's own storage, whatever their names: those that are `UseDevelopmentStorage=true`. */
export function settingsOfOwnStorage(environment: NodeJS.ProcessEnv): string[] {
  return Object.keys(environment).filter((name) => SHORT_FORM.test(environment[name] ?? ""));
}
