import { expect, test } from "vitest";
import { Recent } from "../../src/model/recent.ts";

test("what several ask for at one moment is read once; what is not there yet, again", async () => {
  const recent = new Recent<string>(2);
  let reads = 0;
  const ask = (text?: string) =>
    recent.get("key", () => {
      reads++;
      return Promise.resolve(text);
    });
  expect(await Promise.all([ask("text"), ask("text"), ask("text")])).toEqual(["text", "text", "text"]);
  expect(reads).toBe(1);
  const missing = () => recent.get("other", () => Promise.resolve(undefined));
  expect(await missing()).toBeUndefined();
  expect(await recent.get("other", () => Promise.resolve("now"))).toBe("now");
});
