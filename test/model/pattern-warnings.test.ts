/** What is said of a pattern that matched nothing: the mistakes that people make are explained. */
import { expect, it } from "vitest";
import { patternWarnings } from "../../src/model/pattern-warnings.ts";

const asked = (pattern: string, root = "/home/site/wwwroot") => ({
  include: [],
  exclude: [pattern],
  of: root,
  roots: [root] as const,
});

it.each<[pattern: string, explained: RegExp, root?: string]>([
  ["nothing", /^$/],
  ["/home/site/wwwroot/logs", / \/home\/site\/wwwroot.*"\/logs"$/],
  ["wwwroot/logs/*.log", / \/home\/site\/wwwroot.*"\/logs\/\*\.log"$/],
  ["/wwwroot/logs", / \/home\/site\/wwwroot.*"\/logs"$/],
  ["./logs", / \/home\/site\/wwwroot.*"\/logs"$/],
  ["D:\\home\\LogFiles\\http", / D:\\home\\LogFiles.*"\/http"$/, "D:\\home\\LogFiles"],
  ["C:\\Temp", / \/home\/site\/wwwroot.* drive/],
  ["/etc/passwd", /"\/" .* \/home\/site\/wwwroot$/],
  ["*.js,*.css", /comma/],
  ["*.{js,css}", /braces/],
  ["logs\\http", /"\/" between/],
  ["/etc/x", /"\/" .* \/$/, "/"],
  ["\u001b[31m", /^$/],
])("%j: %s", (pattern, explained, root) => {
  const [warning = "", ...others] = patternWarnings(asked(pattern, root), []);
  expect(others).toEqual([]);
  expect(warning).toMatch(/".*" in "exclude"(: .*)?\.$/);
  expect(warning.slice(warning.indexOf('"exclude"') + 9, -1)).toMatch(explained);
  expect(warning).not.toContain("\u001b");
});

it("names ten patterns and counts the others; one that matched is not told of", () => {
  const include = Array.from({ length: 200 }, (_none, place) => `${"x".repeat(1000)}${place}`);
  const warnings = patternWarnings({ ...asked("matched"), include }, [200, 0]);
  expect(warnings).toHaveLength(11);
  expect(warnings.at(-1)).toMatch(/\b189\b/);
  // A custom status has 16 KiB.
  expect(warnings.join(" ").length).toBeLessThan(4000);
});
