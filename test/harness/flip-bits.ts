import type { StorageProxy, StorageRequest } from "./storage-proxy.ts";

/**
 * Flips a bit of most bodies, once each: of what is sent, and of blobs that are fetched. Listings in XML are left
 * alone: the service gives no hash of them, and on a real account TLS guards them.
 * @param only whose blobs: the container's; all if it is left out
 * @returns the requests whose bodies were damaged on the way there, and on the way back
 */
export function flipBits(
  proxy: StorageProxy,
  roll: () => number,
  only?: string,
): { up: StorageRequest[]; down: StorageRequest[] } {
  const flipped = { up: [] as StorageRequest[], down: [] as StorageRequest[] };
  const met = new Set<string>();
  let block = 0;
  proxy.before = (request) => {
    const { method, container, blob, comp } = request;
    if (only !== undefined && container !== only) return undefined;
    if (blob === "" || (method !== "PUT" && method !== "GET") || !["", "block"].includes(comp))
      return undefined;
    const what = `${method} ${blob} ${comp === "block" ? block++ % 5 : ""}`;
    if (met.has(what) || roll() < 0.3) return undefined;
    met.add(what);
    const way = method === "PUT" ? "up" : "down";
    flipped[way].push(request);
    return { flip: way };
  };
  return flipped;
}
