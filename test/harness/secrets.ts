/**
 * What must never be printed or kept: the keys and signatures that a test's host uses. The harness looks for them in all
 * that a host printed and in all that it left on the disk (ledgers and blobs in Azurite, inputs, outputs and errors in
 * the durable state), each time one ends.
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

/** The key or signature in a connection string, as it stands there and as it stands in a URL. */
export function secretsOf(connectionString: string): string[] {
  const key = /AccountKey=([^;]+)/i.exec(connectionString)?.[1];
  const signature = /[?&;=]sig=([^&;]+)/i.exec(connectionString)?.[1];
  const found = [key, signature, signature && decodeURIComponent(signature)].filter(
    (each) => each !== undefined,
  );
  return [...new Set(found.flatMap((each) => [each, encodeURIComponent(each)]))];
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
        return row ? [String(row["value"])] : [];
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

/** Looks through all files below a folder; the hubs' own files may have their own system key. */
export function expectNoSecretsIn(
  folder: string,
  secrets: readonly string[],
  systemKeys: readonly string[] = [],
): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (!entry.isFile() || statSync(file).size > MOST) continue;
    const content = readFileSync(file);
    const isHub = /\.sqlite(-wal)?$/.test(entry.name);
    const found = [...secrets, ...(isHub ? [] : systemKeys)].find((secret) => content.includes(secret));
    if (found !== undefined) throw new Error(`A secret was kept in ${file}.`);
  }
}
