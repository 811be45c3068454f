import type { BlobClient } from "@azure/storage-blob";
import { heldByProperties } from "../../model/held.ts";
import { propertiesOf } from "../../storage/read-checked.ts";
import { readMarks, type Marks } from "./blob-headers.ts";

/** What a blob is now; undefined if there is none. */
export async function lookUp(blob: BlobClient) {
  const now = await propertiesOf(blob);
  if (!now) return undefined;
  const { etag = "", contentLength: size = 0, contentMD5 } = now;
  const md5 = contentMD5 && Buffer.from(contentMD5).toString("base64");
  return { etag, size, md5, held: heldByProperties(now), marks: readMarks(now.metadata) };
}

/** What a blob holds after it was written. */
export interface PutResult {
  /** Base64. */
  md5: string;
  size: number;
  etag: string | undefined;
  /** Set if another attempt of this run had written the blob: its content, times and mode stand. */
  adopted?: Pick<Marks, "mtime" | "ctime" | "mode">;
  /** Nothing was written, because the blob has this content already. */
  wasThere?: true;
}
