import type { IncomingMessage } from "node:http";
import { RestError } from "@azure/storage-blob";

/** How much of an answer is read; the service's errors are a few hundred bytes. */
const MOST = 64 * 1024;

/**
 * The error that the SDK would throw for an unsuccessful answer. Reads the answer to its end.
 * @param request what was refused, as in the SDK's errors; its address has no signature
 */
export async function refusal(
  response: IncomingMessage,
  request: { method: string; url: string },
): Promise<RestError> {
  let body = "";
  response.setEncoding("utf8");
  for await (const chunk of response) if (body.length < MOST) body += String(chunk);
  const tag = (name: string): string | undefined => new RegExp(`<${name}>([^<]*)`).exec(body)?.[1];
  const code = response.headers["x-ms-error-code"] ?? tag("Code");
  return new RestError(tag("Message") ?? response.statusMessage ?? "", {
    request: request as NonNullable<RestError["request"]>,
    statusCode: response.statusCode ?? 0,
    ...(code === undefined ? {} : { code: String(code) }),
  });
}
