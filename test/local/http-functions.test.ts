import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LocalHostProcess } from "../harness/local-host.ts";
import { startFixture } from "./durable-helpers.ts";

let host: LocalHostProcess;
beforeAll(async () => {
  host = await startFixture();
});
afterAll(async () => {
  await host.stop();
});

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

function send(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: Buffer | string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${host.url}${path}`,
      { method: options.method ?? "GET", headers: options.headers ?? {} },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    outgoing.on("error", reject).end(options.body);
  });
}

describe("HTTP functions", () => {
  it("take and give bytes, headers, cookies, parameters", async () => {
    const body = Buffer.from([0, 255, 128, 10, 13]);
    const answer = await send("/echo/a/b%20c?q=1&q=2&r=%C3%A9", { method: "POST", body });
    expect(answer.status).toBe(201);
    expect(answer.body.equals(body)).toBe(true);
    expect(answer.headers).toMatchObject({
      "x-rest": "a/b c",
      "x-query": "q=1%2C2&r=%C3%A9",
      "content-type": "application/octet-stream",
      "set-cookie": ["a=1; Path=/", "b=2; HttpOnly"],
    });
  });

  it("answer HEAD without a body", async () => {
    const answer = await send("/echo/x", { method: "HEAD" });
    expect([answer.status, answer.body.length]).toEqual([201, 0]);
  });

  it("are found by the most fitting route", async () => {
    expect((await send("/echo/literal")).body.toString()).toBe("literal");
    expect((await send("/ECHO/Literal")).body.toString()).toBe("literal");
    expect((await send("/items/12")).body.toString()).toBe('{"id":"12"}');
    expect((await send("/items")).body.toString()).toBe("{}");
    expect((await send("/items/twelve")).status).toBe(404);
    expect((await send("/items/%ZZ")).status).toBe(404);
  });

  it.each([
    ["GET", "/orchestrators/fan"],
    ["DELETE", "/echo/x"],
    ["GET", "/no/such/route"],
  ])("%s %s is not found, with an empty body", async (method, path) => {
    const answer = await send(path, { method });
    expect([answer.status, answer.body.length]).toEqual([404, 0]);
  });

  it("that return nothing answer 204; that throw answer 500 and tell the log, not the caller", async () => {
    expect((await send("/nothing")).status).toBe(204);
    const answer = await send("/throws");
    expect([answer.status, answer.body.length]).toEqual([500, 0]);
    await expect.poll(() => host.logs()).toContain("a secret thing");
  });

  it("that take longer than functionTimeout fail", async () => {
    expect((await send("/slow")).status).toBe(500);
    await expect
      .poll(() => host.logs())
      .toContain("Timeout value of 00:00:03 exceeded by function: 'Functions.slow'");
  });

  it("get no more than 100 MB", async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(host.url);
      const socket = connect(Number(port), hostname);
      const chunk = Buffer.alloc(1024 * 1024);
      socket.write(
        `POST /echo/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${chunk.length * 120}\r\n\r\n`,
      );
      let ended = false;
      const write = (): void => {
        while (!ended && socket.write(chunk));
      };
      socket.on("drain", write).on("error", reject);
      socket.once("data", (data) => {
        ended = true;
        socket.destroy();
        resolve(data.toString());
      });
      write();
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe("the guard", () => {
  it.each(["evil.example", "127.0.0.1.evil.example:80", "localhost.evil.example"])(
    "refuses the Host %j",
    async (name) => {
      const answer = await send("/echo/x", { headers: { host: name } });
      expect(answer.status).toBe(403);
      expect(answer.body.toString()).toContain("only to localhost and 127.0.0.1");
    },
  );

  it("takes the loopback's names", async () => {
    for (const name of ["localhost", "localhost:7071", "127.0.0.1:1", "[::1]:7071", "LOCALHOST"]) {
      expect((await send("/echo/literal", { headers: { host: name } })).status).toBe(200);
    }
  });

  it("refuses what a web page of another origin sends", async () => {
    const path = "/runtime/webhooks/durabletask/orchestrators/fan";
    for (const origin of [
      "https://evil.example",
      "null",
      "http://localhost.evil.example",
      "http://localhost:1",
    ]) {
      const answer = await send(path, { method: "POST", headers: { origin } });
      expect([answer.status, answer.body.toString()]).toEqual([403, expect.stringContaining(origin)]);
    }
    expect((await send(path, { method: "POST", headers: { origin: host.url } })).status).toBe(202);
  });

  it("guards the client's own address as well", async () => {
    const { body } = await send("/rpc-address");
    const answer = await fetch(new URL("orchestrators/fan", body.toString()), {
      method: "POST",
      headers: { origin: "https://evil.example" },
    });
    expect(answer.status).toBe(403);
  });
});
