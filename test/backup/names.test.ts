/** Which paths a blob's name can hold, and what is said of a root that cannot be backed up. */
import { describe, expect, it } from "vitest";
import { formatMtime } from "../../src/model/entry.ts";
import { blockId, markOf } from "../../src/store/files/blocks.ts";
import { blobKey, whyNotABlobName } from "../../src/store/files/blob-name.ts";
import { resolveRoot, rootProblem } from "../../src/backup/begin-backup.ts";

it("a backslash clashes in Blob Storage with the slash of another path", () => {
  expect(blobKey("a\\b/c")).toBe(blobKey("a/b\\c"));
});

describe("names that Blob Storage cannot hold", () => {
  it.each([
    ["a".repeat(1024), undefined],
    ["a".repeat(1025), /\b1025\b.*\b1024\b/],
    ["ends.", /ends in "\."/],
    ["a./b", /ends in "\."/],
    ["a.\\b", /ends in "\."/],
    ["..", /ends in "\."/],
    ["a.b/.c/..d", undefined],
    ["tab\t", /control characters/],
    ["nul\0", /control characters/],
    ["delete\u007f", /control characters/],
    ["c1\u0085", /control characters/],
    ["bad\ufffe", /control characters/],
    ["half a pair \ud83d", /not valid Unicode/],
    ["latin1-\udce9", /not valid UTF-8/],
    ["whole pair \ud83d\ude00", undefined],
    [Array(254).fill("a").join("/"), undefined],
    [Array(255).fill("a").join("/"), /\b255\b.*\b254\b/],
    ["a\\\\b", /would be empty/],
    ["\\a", /would be empty/],
    [" spaces ", undefined],
    ["#?%&+'", undefined],
  ])("%j", (name, reason) => {
    expect(whyNotABlobName(name) ?? "").toMatch(reason ?? /^$/);
  });
});

describe("a root that cannot be backed up", () => {
  it.runIf(process.platform !== "win32")(
    "a path on Windows, where the app runs on another system",
    async () => {
      for (const root of ["D:\\home\\LogFiles", "\\\\server\\share\\site", "C:/inetpub"]) {
        const { problem } = (await resolveRoot(root, 60_000)) as { problem?: string };
        expect(problem).toContain(` ${root} `);
        expect(problem).toMatch(new RegExp(` Windows.* ${process.platform}\\b`));
      }
    },
  );

  it.each([
    ["ENOENT", /\/x .*not exist/],
    ["ENOTDIR", /\/x .*not a directory/],
    ["EACCES", /permission.* \/x .*EACCES/],
    ["EPERM", /permission.* \/x .*EPERM/],
    ["EIO", /\/x .*\(EIO\)/],
    ["ESTALE", /\/x .*\(ESTALE\)/],
  ])("%s says what to do", (code, message) => {
    expect(rootProblem("/x", code)).toMatch(message);
  });
});

describe("times", () => {
  it("are RFC 3339 with six digits, also before 1970", () => {
    expect(formatMtime(1_795_444_151_725_398)).toBe("2026-11-23T14:29:11.725398Z");
    expect(formatMtime(0)).toBe("1970-01-01T00:00:00.000000Z");
    expect(formatMtime(-1)).toBe("1969-12-31T23:59:59.999999Z");
  });
});

describe("block ids", () => {
  it("are all of one length, as the service demands of the blocks of a blob; no two attempts share any", () => {
    const ids = [0, 1, 49_999].flatMap((index) => [blockId(markOf(), index), blockId(markOf(), index)]);
    expect(new Set(ids.map((id) => id.length)).size).toBe(1);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
