/** What a request to storage does, and the SAS permission it needs. */
export interface Needed {
  to: string;
  permission: string;
}

/** What a refused request would have needed. */
export function lackingPermission(request: { method: string; url: string } | undefined): Needed {
  if (!request) return { to: "write a blob", permission: '"write" (w)' };
  const { pathname, searchParams } = new URL(request.url);
  const [what, isContainer] = [searchParams.get("comp"), searchParams.get("restype") === "container"];
  // In the emulator's addresses the account comes first.
  const path = pathname.split("/").filter((segment) => segment !== "");
  const container = `the container "${decodeURIComponent((isContainer ? path.at(-1) : path.at(-2)) ?? "")}"`;
  if (what === "list") return { to: `list ${container}`, permission: '"list" (l)' };
  if (isContainer) return { to: `make or look at ${container}`, permission: '"create" (c) for containers' };
  switch (request.method) {
    case "GET":
    case "HEAD":
      return { to: "read a blob", permission: '"read" (r)' };
    case "DELETE":
      return { to: "delete a blob", permission: '"delete" (d)' };
    default:
      return { to: "write a blob", permission: '"write" (w)' };
  }
}
