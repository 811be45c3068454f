/** The dashboard's files as they are served, without a browser. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../api/host.ts";
import type { Dashboard } from "./session.ts";

export function servedTests(dashboard: Dashboard): void {
  let page: Answer;
  beforeAll(async () => {
    page = await dashboard.host.fetch("/dashboard");
  });

  describe("GET /dashboard", () => {
    it("is a page that may run its own scripts alone, and may not be framed, sniffed or kept", () => {
      expect(page.status).toBe(200);
      expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(page.headers.get("cache-control")).toBe("no-cache");
      expect(page.headers.get("x-content-type-options")).toBe("nosniff");
      expect(page.headers.get("referrer-policy")).toBe("no-referrer");
      expect(page.headers.get("cross-origin-opener-policy")).toBe("same-origin");
      const policy = page.headers.get("content-security-policy")?.split("; ") ?? [];
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "connect-src 'self'",
          "frame-ancestors 'none'",
          "base-uri 'none'",
          "form-action 'none'",
        ]),
      );
      expect(policy.join()).not.toMatch(/unsafe|http|\*/);
    });

    it("has no inline script or style, and asks nobody else", () => {
      expect(page.text).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|https?:|\/\//);
    });

    it("loads files that are there, that never change, and that hold their version", async () => {
      const files = [...page.text.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map(
        ([, file]) => file ?? "",
      );
      expect(files.length).toBeGreaterThan(20);
      for (const file of new Set(files)) {
        const answer = await dashboard.host.fetch(`/${file}`);
        expect(answer.status, file).toBe(200);
        expect(answer.headers.get("cache-control")).toContain("immutable");
        expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
        expect(file).toMatch(/^dashboard\/[0-9a-f]{12}\//);
        // Every module that a module imports is among those that are loaded beforehand.
        const type = answer.headers.get("content-type")?.split(";")[0];
        if (type !== "text/javascript") continue;
        for (const [, imported = ""] of answer.text.matchAll(/^import .*?"(\.[^"]+)";$/gm)) {
          expect(files).toContain(new URL(imported, `http://host/${file}`).pathname.slice(1));
        }
      }
    });

    it("at another spelling of its address leads to the one that its links are relative to", async () => {
      const answer = await dashboard.host.fetch("/dashboard/", { redirect: "manual" });
      expect([answer.status, answer.headers.get("location")]).toEqual([308, "../dashboard"]);
    });
  });

  describe("GET /dashboard/{version}/{file}", () => {
    it("has nothing but the dashboard's own files", async () => {
      const [, version = ""] = /dashboard\/([0-9a-f]{12})\//.exec(page.text) ?? [];
      for (const file of [
        "main.js",
        "package.json",
        `${version}/dashboard/page.html`,
        `${version}/dashboard/main.ts`,
        `${version}/../../src/settings.js`,
        `${version}/..%2f..%2fsrc%2fsettings.js`,
        `${version}/dashboard%2f..%2fdashboard%2fmain.js`,
        `..%2f..%2fpackage.json`,
        `%2fetc%2fpasswd`,
        `${version}/__proto__`,
        "000000000000/dashboard/main.js",
      ]) {
        const answer = await dashboard.host.fetch(`/dashboard/${file}`);
        expect(answer.status, file).toBe(404);
      }
    });
  });
}
