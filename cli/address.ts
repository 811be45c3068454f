import { Failure } from "./failure.ts";

/**
 * Checks the address of an app.
 * @returns it normalized, without a trailing slash
 * @throws Failure, also if a key would be sent unencrypted
 */
export function appAddress(text: string, withKey: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username + url.password + url.search + url.hash !== "")
    // Not quoted: it may contain a password or a key.
    throw new Failure(
      "--url takes the address of an app, such as https://my-app.azurewebsites.net, without query or fragment.",
    );
  if (withKey && url.protocol === "http:" && !isLoopback(text))
    throw new Failure(
      `A function key is not sent to ${url.origin}, because http is not encrypted. Use https.`,
    );
  return url.href.replace(/\/+$/, "");
}

/** Whether an address is this machine: the app then sees the caller's directories. */
export function isLoopback(url: string): boolean {
  return URL.canParse(url) && ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname);
}
