/** What is said of a pattern that matched nothing: the mistakes that people make are explained. */
import { expect, it } from "vitest";
import { patternWarnings } from "../../src/model/pattern-warnings.ts";

const asked = (pattern: string, root = "/home/site/wwwroot") => ({
  include: [],
  exclude: [pattern],
  of: root,
  roots: [root] as const,
});

it.each<[pattern: string, explained: string, root?: string]>([
  ["nothing", ""],
  ["/home/site/wwwroot/logs", 'patterns begin below /home/site/wwwroot, so write "/logs"'],
  ["wwwroot/logs/*.log", 'patterns begin below /home/site/wwwroot, so write "/logs/*.log"'],
  ["/wwwroot/logs", 'patterns begin below /home/site/wwwroot, so write "/logs"'],
  ["./logs", 'patterns begin below /home/site/wwwroot, so write "/logs"'],
  [
    "D:\\home\\LogFiles\\http",
    'patterns begin below D:\\home\\LogFiles, so write "/http"',
    "D:\\home\\LogFiles",
  ],
  ["C:\\Temp", "patterns begin below /home/site/wwwroot, without a drive"],
  ["/etc/passwd", 'the "/" that it begins with stands for /home/site/wwwroot'],
  ["*.js,*.css", "a comma stands for itself, so give each pattern by itself"],
  ["*.{js,css}", "braces stand for themselves, so give each pattern by itself"],
  ["logs\\http", 'write "/" between names'],
  ["/etc/x", 'the "/" that it begins with stands for /', "/"],
  ["\u001b[31m", ""],
])("%j: %s", (pattern, explained, root) => {
  const [warning = "", ...others] = patternWarnings(asked(pattern, root), []);
  expect(others).toEqual([]);
  expect(warning).toMatch(/^Nothing matches ".*" in "exclude"(: .*)?\.$/);
  expect(warning.slice(warning.indexOf('"exclude"') + 9, -1)).toBe(explained === "" ? "" : `: ${explained}`);
  expect(warning).not.toContain("\u001b");
});

it("names ten patterns and counts the others; one that matched is not told of", () => {
  const include = Array.from({ length: 200 }, (_none, place) => `${"x".repeat(1000)}${place}`);
  const warnings = patternWarnings({ ...asked("matched"), include }, [200, 0]);
  expect(warnings).toHaveLength(11);
  expect(warnings.at(-1)).toBe("Nothing matches 189 more patterns.");
  // A custom status has 16 KiB.
  expect(warnings.join(" ").length).toBeLessThan(4000);
});
