import type { IncomingMessage } from "node:http";

/** The largest request body Azure Functions takes. */
export const LARGEST_BODY = 100 * 1024 * 1024;

export class BodyTooLargeError extends Error {
  override name = "BodyTooLargeError";
}

/** The whole body. Throws BodyTooLargeError beyond LARGEST_BODY. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY)
      throw new BodyTooLargeError(`The request body is larger than ${LARGEST_BODY} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
