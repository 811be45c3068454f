/** The server for streamed HTTP (`app.setup({ enableHttpStream: true })`), which the app's library runs in the app's process. */
import { Server } from "node:net";
import type { AppRegistry } from "./core-api.ts";

/**
 * Has the app start it, if it wants one. The library would listen on every address of the machine; here nobody else may call it.
 * @returns its port
 */
export async function startStreamServer({ programmingModel }: AppRegistry): Promise<number | undefined> {
  const prototype = Server.prototype as { listen: (this: Server, ...args: unknown[]) => Server };
  const { listen } = prototype;
  prototype.listen = function onLoopback(...args) {
    const anywhere = args.length === 0 || typeof args[0] === "function";
    return listen.apply(this, anywhere ? [0, "127.0.0.1", ...args] : args);
  };
  try {
    const address = (await programmingModel?.getCapabilities?.({}))?.["HttpUri"];
    return address === undefined ? undefined : Number(new URL(address).port);
  } finally {
    prototype.listen = listen;
  }
}
