import { readFileSync } from "node:fs";
import { Failure } from "./failure.ts";

/** Where the function key comes from. */
export interface KeyOptions {
  key?: string;
  /** "-" for standard input. */
  keyFile?: string;
}

/** The app's function key; SITE_BACKUP_KEY if no option gives it. @throws Failure, never with the key in it */
export function functionKey({ key, keyFile }: KeyOptions): string | undefined {
  if (key !== undefined && keyFile !== undefined)
    throw new Failure("Give the key by --key or by --key-file, not both.");
  const given =
    (keyFile === undefined ? undefined : read(keyFile)) ??
    key ??
    (process.env["SITE_BACKUP_KEY"] || undefined);
  if (given !== undefined && !/^[\x21-\x7e]+$/.test(given))
    throw new Failure(
      "The function key is empty, or contains spaces or other characters that are not allowed in a key.",
    );
  return given;
}

function read(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8").trim();
  } catch (error) {
    throw new Failure(`The function key cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}
