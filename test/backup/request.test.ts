/** How a body is read as a request. What a client sees of wrong ones is in test/e2e/bad-requests.test.ts. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseBackupRequest } from "../../src/backup/request.ts";

function valueOf(body: unknown) {
  const parsed = parseBackupRequest(body);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

function problemOf(body: unknown): string {
  const parsed = parseBackupRequest(body);
  return parsed.ok ? "" : parsed.problem;
}

describe("the body", () => {
  it("as a string is the root, with all else by default; it may go where another root's backups are", () => {
    for (const root of ["/home/site/wwwroot", "D:\\home\\LogFiles", "\\\\server\\share", "C:\\x", "/"]) {
      expect(valueOf(root)).toEqual({
        root,
        container: "backups",
        prefix: "",
        include: [],
        exclude: [],
        mode: "full",
        checksum: false,
        compareWith: "destination",
        keepVersions: true,
        allowOtherRoot: true,
        acceptFewer: false,
      });
    }
  });

  it("as an object has the same defaults, but keeps to one root a destination", () => {
    expect(valueOf({ root: "/x" })).toEqual({ ...valueOf("/x"), allowOtherRoot: false });
  });

  it.each([
    ["/a/", "a"],
    ["///a/b///", "a/b"],
    ["/", ""],
    ["a b/ü", "a b/ü"],
  ])("prefix %s is the folder %s", (prefix, folder) => {
    expect(valueOf({ root: "/x", prefix }).prefix).toBe(folder);
  });

  it.each(["a/../b", ".", "..", "a/.", "a.", "a//b", "a\\b", "a\u0001", "x".repeat(513)])(
    "prefix %j is refused",
    (prefix) => {
      expect(problemOf({ root: "/x", prefix })).toMatch(/^"prefix": /);
    },
  );

  it.each(["abc", "a1-b2", "0".repeat(63)])("container %s", (container) => {
    expect(valueOf({ root: "/x", container }).container).toBe(container);
  });

  it.each(["ab", "A", "a--b", "-ab", "ab-", "a_b", "$root", "$logs", "0".repeat(64), "", "backup-runs"])(
    "container %j is refused",
    (container) => {
      expect(problemOf({ root: "/x", container })).toMatch(/^"container": /);
    },
  );

  it("may compare with a record only where it is incremental", () => {
    expect(problemOf({ root: "/x", compareWith: "record" })).toMatch(
      /^"compareWith": .*"mode": "incremental"/,
    );
    expect(valueOf({ root: "/x", compareWith: "record", mode: "incremental" }).compareWith).toBe("record");
    expect(valueOf({ root: "/x", compareWith: "destination" }).mode).toBe("full");
    expect(problemOf({ root: "/x", compareWith: "memory", mode: "incremental" })).toMatch(/^"compareWith": /);
  });

  it("names every wrong field, and an unknown one with what it is called", () => {
    const problem = problemOf({ root: 1, mode: 2, "weird\nname": 3 });
    expect(problem).toMatch(/"root": /);
    expect(problem).toMatch(/"mode": /);
    expect(problem).toMatch(/unknown field "weird\nname"/);
  });

  it("of any JSON at all gives a request or a problem in words, and never throws", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        const parsed = parseBackupRequest(body);
        return parsed.ok || parsed.problem.length > 10;
      }),
    );
  });

  it("that names __proto__ or constructor as a field is refused", () => {
    expect(problemOf(JSON.parse('{"root":"/x","constructor":1}'))).toMatch(/unknown field "constructor"/);
    expect(problemOf(JSON.parse('{"root":"/x","__proto__":{"mode":"x"}}'))).toMatch(/unknown field|^$/);
  });
});
