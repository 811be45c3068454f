/** The page's state, kept in the address's hash so that reload, back and bookmarks work: `#/runs/ID?outcome=failed`. */
export interface Route {
  /** The run shown; undefined for the list of runs. */
  run: string | undefined;
  query: URLSearchParams;
}

export function currentRoute(): Route {
  const [path = "", search = ""] = location.hash.replace(/^#/, "").split("?", 2);
  const [, run] = /^\/runs\/([^/]+)$/.exec(path) ?? [];
  return { run: run === undefined ? undefined : decoded(run), query: new URLSearchParams(search) };
}

/** The address of a route. Empty parameters are left out. */
export function hrefOf(run: string | undefined, query: Record<string, string | undefined> = {}): string {
  const present = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const search = new URLSearchParams(present).toString();
  const path = run === undefined ? "#/" : `#/runs/${encodeURIComponent(run)}`;
  return search === "" ? path : `${path}?${search}`;
}

/** The address of the same view with some parameters changed; undefined removes one. */
export function hrefWith(changes: Record<string, string | undefined>): string {
  const { run, query } = currentRoute();
  return hrefOf(run, { ...Object.fromEntries(query), ...changes });
}

/** Goes there, as a new entry of the history or in place of the current one. */
export function go(href: string, how: "push" | "replace" = "push"): void {
  if (how === "push") location.hash = href;
  else location.replace(href);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
