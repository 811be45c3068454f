/** The reference says what the code does: it is what `npm run docs` makes of it now. */
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { pages, ROOT } from "../../docs/generate/pages.ts";
import { openApiDocument } from "../../src/api/openapi.ts";
import { routes } from "../../src/api/routes.ts";
import { environment } from "../../src/settings.ts";

const made = await pages();

it.each([...made.keys()])("%s is up to date (npm run docs makes it so)", (name) => {
  const file = path.join(ROOT, name);
  expect(existsSync(file) ? readFileSync(file, "utf8") : "").toBe(made.get(name));
});

it("names every setting, route and command", () => {
  const { paths } = openApiDocument(routes) as { paths: object };
  for (const name of Object.keys(environment.shape))
    expect(made.get("docs/reference/settings.md")).toContain(`\`${name}\``);
  for (const route of Object.keys(paths)) expect(made.get("docs/reference/api.md")).toContain(`\`${route}\``);
});

it("tells in the guide of every event that the app logs", () => {
  const sources = globSync("src/**/*.ts", { cwd: ROOT }).map((file) =>
    readFileSync(path.join(ROOT, file), "utf8"),
  );
  const logged = sources.flatMap((text) =>
    [...text.matchAll(/(?:\bevent: |line\()"([a-z.]+)"/g)].map(([, event]) => event),
  );
  const guide = readFileSync(path.join(ROOT, "docs/operations.md"), "utf8");
  const [table = ""] = /^\| event .*?\n\n/ms.exec(guide) ?? [];
  const told = [...table.matchAll(/`([a-z]+\.[a-z]+)`/g)].map(([, event]) => event);
  expect(new Set(told)).toEqual(new Set(logged));
});

it("gives only examples that are as they are described", () => {
  const document = openApiDocument(routes) as { components: { schemas: object } };
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "doc", components: { schemas: document.components.schemas } });
  const examples: { schema: object; example: unknown }[] = [];
  JSON.stringify(document, (_key, value: { schema?: object; example?: unknown } | null) => {
    if (value?.schema && value.example !== undefined)
      examples.push({ schema: value.schema, example: value.example });
    return value;
  });
  expect(examples.length).toBeGreaterThan(8);
  for (const { schema, example } of examples) {
    const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/')) as object);
    expect(validate(example), JSON.stringify([validate.errors, example])).toBe(true);
  }
});
