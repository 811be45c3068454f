/** One spelling of a root, on either kind of machine. */
import { expect, it } from "vitest";
import { normalRoot } from "../../src/model/root-path.ts";

it.each([
  ["/srv/site/", "/srv/site"],
  ["//srv//./site/.", "/srv/site"],
  ["/", "/"],
  // Behind a link it leads elsewhere.
  ["/srv/site/../other/", "/srv/site/../other"],
  // A name on POSIX.
  ["/srv/a\\", "/srv/a\\"],
  ["/srv/...", "/srv/..."],
  ["D:\\home\\site\\", "D:\\home\\site"],
  ["d:/home//.\\site/", "D:\\home\\site"],
  ["D:\\", "D:\\"],
  ["\\\\server\\share\\\\site\\", "\\\\server\\share\\site"],
  ["\\home\\", "\\home"],
  // Taken literally by Windows.
  ["\\\\?\\D:\\home\\.\\", "\\\\?\\D:\\home\\.\\"],
])("%j is %j", (root, normal) => {
  expect(normalRoot(root)).toBe(normal);
  expect(normalRoot(normal)).toBe(normal);
});
