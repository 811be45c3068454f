/**
 * The function key for this session. It is kept in memory and in the tab's sessionStorage, so that a reload does not
 * ask again; closing the tab forgets it. It goes into a header of requests to this app and nowhere else.
 */
const NAME = "site-backup.function-key";

let key = sessionStorage.getItem(NAME) ?? undefined;
let asking: Promise<string | undefined> | undefined;
let ask: (refused: boolean) => Promise<string | undefined> = () => Promise.resolve(undefined);
let changed: () => void = () => undefined;

export function currentKey(): string | undefined {
  return key;
}

/** @param asker asks the user; returns undefined if they decline. @param onChange the key was set or forgotten */
export function onKeyNeeded(asker: typeof ask, onChange: () => void): void {
  ask = asker;
  changed = onChange;
}

/**
 * A key other than `used`, which was refused. Requests that fail at the same time ask once.
 * @returns undefined if the user gave none
 */
export async function anotherKey(used: string | undefined): Promise<string | undefined> {
  if (key !== used) return key;
  asking ??= ask(used !== undefined).finally(() => (asking = undefined));
  const given = await asking;
  if (given !== undefined) setKey(given);
  return given;
}

export function forgetKey(): void {
  setKey(undefined);
}

function setKey(value: string | undefined): void {
  key = value;
  if (value === undefined) sessionStorage.removeItem(NAME);
  else sessionStorage.setItem(NAME, value);
  changed();
}
