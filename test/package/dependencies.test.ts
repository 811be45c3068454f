/** The supply chain: few dependencies, each with a reason; a lock file that names the registry and a hash for each. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

function read(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
}

const REGISTRY = "https://registry.npmjs.org/";

interface Manifest {
  dependencies: Record<string, string>;
}
interface Lock {
  lockfileVersion: number;
  packages: Record<string, { resolved?: string; integrity?: string }>;
}

it("docs/dependencies.md gives a reason for each production dependency, and for no other", () => {
  const documented = [...read("docs/dependencies.md").matchAll(/^\| `([^`]+)`\s*\| (\S.{9,}?)\s*\|$/gm)].map(
    ([, name]) => name,
  );
  const { dependencies } = JSON.parse(read("package.json")) as Manifest;
  expect(new Set(documented)).toEqual(new Set(Object.keys(dependencies)));
});

it("each package of the lock file comes from the npm registry, with a hash", () => {
  const { lockfileVersion, packages } = JSON.parse(read("package-lock.json")) as Lock;
  expect(lockfileVersion).toBe(3);
  // Without an address npm takes it from the registry that is configured; none is configured here but npm's own.
  const others = Object.entries(packages).filter(
    ([name, { resolved = REGISTRY, integrity = "" }]) =>
      name !== "" && !(resolved.startsWith(REGISTRY) && integrity.startsWith("sha512-")),
  );
  expect(read(".npmrc")).not.toMatch(/registry/);
  expect(others.map(([name]) => name)).toEqual([]);
  expect(Object.keys(packages).length).toBeGreaterThan(50);
});
