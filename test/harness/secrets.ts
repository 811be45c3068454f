/**
 * What must never be printed or kept: the keys and signatures that a test's hosts use. The harness looks for them in all
 * that a host printed and in all that it left on the disk (inputs, outputs and errors in the durable state), each time
 * one ends, in all that is in an Azurite when that ends (ledgers and blobs), and in each ledger that a test reads.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Bytes of a file that are looked through. */
const MOST = 64 * 1024 * 1024;

/** What looks like a secret, whosever it is: not blotted out, and not a placeholder in an explanation. */
const PATTERNS = [
  /[?&]code=[\w%/+=-]{8,}/i,
  /[?&]sig=[\w%/+=-]{8,}/i,
  /\b(?:AccountKey|SharedAccessSignature|SharedAccessKey)=[\w%/+=?&-]{8,}/i,
  /\b(?:Bearer|SharedKey|SharedKeyLite) [\w.:+/=-]{16,}/,
];

/** All that were asked for in this test file: what one host used, another one's storage is not to hold either. */
const used = new Set<string>();

export function usedSecrets(): readonly string[] {
  return [...used];
}

/** The key or signature in a connection string, as it stands there and as it stands in a URL. */
export function secretsOf(connectionString: string): string[] {
  const key = /AccountKey=([^;]+)/i.exec(connectionString)?.[1];
  const signature = /[?&;=]sig=([^&;]+)/i.exec(connectionString)?.[1];
  const found = [key, signature, signature && decodeURIComponent(signature)].filter(
    (each) => each !== undefined,
  );
  const secrets = [...new Set(found.flatMap((each) => [each, encodeURIComponent(each)]))];
  for (const secret of secrets) used.add(secret);
  return secrets;
}

/** The system keys of the task hubs in a folder: the `code` in the addresses of the Durable API. */
export function systemKeysOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".sqlite"))
    .flatMap((name) => {
      try {
        const database = new DatabaseSync(path.join(folder, name), { readOnly: true });
        const row = database.prepare("SELECT value FROM settings WHERE name = 'systemKey'").get();
        database.close();
        if (!row) return [];
        used.add(String(row["value"]));
        return [String(row["value"])];
      } catch {
        // A host still holds it, or a test has damaged it.
        return [];
      }
    });
}

/** @throws Error that says where a secret is, and not what it is */
export function expectNoSecrets(where: string, text: string, secrets: readonly string[]): void {
  const known = secrets.find((secret) => text.includes(secret));
  const pattern = PATTERNS.find((each) => each.test(text));
  if (known === undefined && pattern === undefined) return;
  const at = known === undefined ? text.search(pattern!) : text.indexOf(known);
  const before = text.slice(Math.max(0, at - 120), at);
  throw new Error(`A secret was printed in ${where}, after: ${before}`);
}

/** Looks through all files below a folder; of the hubs' files only the settings may have the system key. */
export function expectNoSecretsIn(
  folder: string,
  secrets: readonly string[],
  systemKeys: readonly string[] = [],
): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    // Where a local host keeps the key of its own storage.
    if (entry.name === "storage.json") continue;
    if (!entry.isFile() || statSync(file).size > MOST) continue;
    const content = readFileSync(file);
    const isHub = /\.sqlite(-wal)?$/.test(entry.name);
    const found = [...secrets, ...(isHub ? [] : systemKeys)].find((secret) => content.includes(secret));
    if (found !== undefined) throw new Error(`A secret was kept in ${file}.`);
    if (file.endsWith(".sqlite")) expectNoSecretsInHub(file, systemKeys);
  }
}

/** The inputs, outputs, statuses and histories of a hub. */
function expectNoSecretsInHub(file: string, systemKeys: readonly string[]): void {
  if (systemKeys.length === 0) return;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    for (const { name } of tables) {
      if (name === "settings") continue;
      for (const row of database.prepare(`SELECT * FROM "${String(name)}"`).iterate()) {
        const text = Object.values(row).join("\n");
        if (systemKeys.some((key) => text.includes(key))) {
          throw new Error(`A secret was kept in the table ${String(name)} of ${file}.`);
        }
      }
    }
  } catch (error) {
    // A host still holds it, or a test has damaged it.
    if ((error as NodeJS.ErrnoException).code !== "ERR_SQLITE_ERROR") throw error;
  } finally {
    database?.close();
  }
}
