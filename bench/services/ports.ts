import { createServer } from "node:net";

/** A port on the loopback address that is free now: the wanted one, or any. */
export async function freePort(wanted = 0): Promise<number | undefined> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === "object" ? address.port : undefined));
    });
  });
}

/** Any free port. */
export async function anyPort(): Promise<number> {
  const port = await freePort();
  if (port === undefined) throw new Error("There is no free port on 127.0.0.1.");
  return port;
}
