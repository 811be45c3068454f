import { md5 } from "../model/content.ts";
import type { DirectRequests } from "./direct-requests.ts";
import { writtenOf } from "./put-blob-request.ts";

/** A block of a blob that is not committed yet. */
interface Block {
  /** The blob's. */
  name: string;
  /** Base64. */
  id: string;
  content: Buffer;
}

/**
 * Put Block as a direct request: a backup makes one for each 8 MiB of larger files. So it shares its sockets with the other
 * frequent requests, and gives them back when handles are short.
 * @throws RestError as the SDK does; a TimeoutError if there is no answer within `timeout` milliseconds
 */
export async function putBlock(
  direct: DirectRequests,
  { name, id, content }: Block,
  timeout: number,
): Promise<void> {
  const hash = md5(content);
  const query = { comp: "block", blockid: id };
  const headers = { "Content-MD5": hash.toString("base64") };
  const request = { span: "BlockBlobClient-stageBlock", method: "PUT", name, query, headers } as const;
  await direct.send({ ...request, content: [content], timeout }, writtenOf, async () => {
    const how = { abortSignal: AbortSignal.timeout(timeout), transactionalContentMD5: hash };
    await direct.container.getBlockBlobClient(name).stageBlock(id, content, content.length, how);
    return {};
  });
}
