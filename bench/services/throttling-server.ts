/**
 * A Blob service with a limited rate, in a process of its own. It answers each write after the time of a request
 * within a region, stores nothing, and answers what exceeds its rate with 503 ServerBusy, as Azure Storage does above
 * its targets. Its arguments are JSON; its first line of output is the port.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Throttling {
  /** Writes a second; 0 means no limit. */
  perSecond: number;
  /** How long a write takes, milliseconds. */
  latencyMs: number;
}

const { perSecond, latencyMs } = JSON.parse(process.argv[2] ?? "{}") as Throttling;

const BUSY =
  '<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code><Message>The server is busy.</Message></Error>';
/** A burst of a tenth of a second's writes is allowed. */
const BURST = perSecond / 10;

let tokens = BURST;
let counted = performance.now();

function isOverTheRate(): boolean {
  if (perSecond === 0) return false;
  const now = performance.now();
  tokens = Math.min(BURST, tokens + ((now - counted) / 1000) * perSecond);
  counted = now;
  if (tokens < 1) return true;
  tokens--;
  return false;
}

const server = createServer((request, response) => {
  const refused = isOverTheRate();
  const answer = async (): Promise<void> => {
    await sleep(latencyMs);
    response.setHeader("x-ms-version", "2024-11-04");
    if (refused) {
      response.writeHead(503, { "Content-Type": "application/xml", "x-ms-error-code": "ServerBusy" });
      response.end(BUSY);
    } else {
      response.writeHead(201, {
        ETag: '"0x8DD000000000000"',
        "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT",
      });
      response.end();
    }
  };
  request.resume().on("end", () => void answer());
});
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
