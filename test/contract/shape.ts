/** The shape of a JSON value: its members' names, in order, and types; what differs from run to run is left out. */
export function shapeOf(value: unknown): unknown {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.map(shapeOf);
  if (value instanceof Uint8Array) return "bytes";
  if (typeof value === "object") {
    return Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, shapeOf(member)]);
  }
  return typeof value;
}

/** Members that the recorded functions put into inputs, outputs and custom statuses. */
const OF_THE_APP = new Set(["n", "x", "phase"]);

/** The names of all members of the host's in a JSON text, in order; works on a text that was cut, too. */
export function memberNames(json: string): string[] {
  return [...json.matchAll(/(?<=[{,])"([A-Za-z]+)":/g)]
    .map((match) => match[1] ?? "")
    .filter((name) => !OF_THE_APP.has(name));
}
