import { Failure } from "./failure.ts";

/**
 * Checks the address of an app.
 * @returns it in its usual form, without a slash at its end
 * @throws Failure, also where a key would travel in the clear
 */
export function appAddress(text: string, withKey: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username + url.password + url.search + url.hash !== "")
    // Not repeated here: it may hold a password or a key.
    throw new Failure(
      "--url takes the address of an app, such as https://my-app.azurewebsites.net, with nothing behind its path.",
    );
  if (withKey && url.protocol === "http:" && !isLoopback(text))
    throw new Failure(
      `A function key is not sent to ${url.origin}: over http it can be read on the way. Use https.`,
    );
  return url.href.replace(/\/+$/, "");
}

/** Whether an address is this machine's own: the app then sees the directories that the caller sees. */
export function isLoopback(url: string): boolean {
  return URL.canParse(url) && ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname);
}
