/** What the command line refuses before it asks any app. */
import { expect, it } from "vitest";
import { run } from "./command.ts";

/** Nothing answers there: what is not refused fails otherwise. */
const env = { SITE_BACKUP_URL: "http://127.0.0.1:9" };

it.each([
  [["backup", ""], "<dir> is empty: expected the path of a directory."],
  [["backup", " \t"], "<dir> is empty: expected the path of a directory."],
  [["backup", "/srv", "--prefix", ""], "--prefix is empty: expected <folder>."],
  [["backup", "/srv", "--exclude", "a", "--exclude", ""], "--exclude is empty: expected <pattern>."],
  [["restore", "latest", "--to", ""], "--to is empty: expected the path of a directory."],
  [["restore", "", "--to", "/srv"], '<run> is empty: expected a run\'s id or "latest".'],
  [
    ["restore", "--at", "2026-11-23", "--to", "/srv", "--root", " "],
    "--root is empty: expected the path of a directory.",
  ],
  [["runs", "--root", ""], "--root is empty: expected the path of a directory."],
  [["runs", "--url", ""], "--url is empty: expected <url>."],
])("%j: an empty value is refused", async (args, message) => {
  const { code, stdout, stderr } = await run(args, { env });
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: "",
    stderr: `${message} Is a variable not set?\n`,
  });
});

it("an empty SITE_BACKUP_URL is not taken for the local host", async () => {
  const { code, stderr } = await run(["runs"], { env: { SITE_BACKUP_URL: "" } });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: "SITE_BACKUP_URL is empty: expected <url>. Is a variable not set?\n",
  });
});
