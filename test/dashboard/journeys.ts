/** The dashboard as a person uses it, in a real browser, on the local host. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { makeTree, manyFiles } from "../harness/tree.ts";
import type { Dashboard } from "./session.ts";

/** The way that most take: a backup is started, followed to its end, and found in the list. */
export function firstJourney(dashboard: Dashboard): void {
  it("starts a backup, and follows it to its end", async () => {
    const root = await makeTree(path.join(dashboard.folder, "site"), manyFiles(1050));
    const release = dashboard.holdAfter(500, "backups");
    const on = await dashboard.open();
    await on.button("Back up …").click();
    await on.field("Directory").fill(root);
    await on.field("Folder in it").fill("site");
    await on.field("Leave out").fill("d000/\nd001/f00050.txt");
    await on.button("Back up").click();
    await on.status("Running").waitFor();
    await on.page.getByRole("progressbar", { name: "Progress" }).waitFor();
    await on.page
      .getByText(/of 999/)
      .first()
      .waitFor();
    await on.page.getByRole("img", { name: /^Throughput over time: .* files\/s at last/ }).waitFor();
    await on.expectAccessible("a live run");
    release();
    await on.status("Completed").waitFor();
    await on.count("Copied", 999).waitFor();
    expect(await on.page.locator("#announcer").textContent()).toBe("Backup completed: 999 files.");
    // What was seen of the throughput stays, over a reload too.
    await on.page.reload();
    await on.page.getByRole("img", { name: /^Throughput/ }).waitFor();
    await on.expectAccessible("a run that has ended");

    await on.page.getByRole("link", { name: "Runs" }).click();
    const row = on.page.getByRole("row", { name: new RegExp(`Completed.*${root}.*999`) });
    await row.waitFor();
    await on.page.getByRole("img", { name: /^Size of history over 1 run:/ }).waitFor();
    await on.expectAccessible("the list of runs");
    const { runs } = await dashboard.host.runs();
    expect(runs[0]).toMatchObject({ root, destination: { container: "backups", prefix: "site" } });
    // Local time, and UTC in the title.
    const started = row.locator("time").first();
    const tokyo = new Date(Date.parse(runs[0]?.started ?? "") + 9 * 3_600_000).toISOString();
    expect(await started.textContent()).toBe(tokyo.slice(0, 19).replace("T", " "));
    expect(await started.getAttribute("title")).toMatch(
      `${runs[0]?.started.slice(0, 19).replace("T", " ")} UTC`,
    );
  });
}

export function journeyTests(dashboard: Dashboard): void {
  it("says what is wrong with a request, at the field that it is about", async () => {
    const on = await dashboard.open();
    await on.page.getByText("Nothing has been backed up yet.").waitFor();
    await on.expectAccessible("nothing yet");

    // A phone has no Esc: where there is nothing to choose there is a button to leave by.
    await on.button("Restore …").click();
    await on.page.getByText("There is no backup to restore yet.").waitFor();
    await on.expectAccessible("nothing to restore");
    await on.button("Close").click();
    await on.page.getByRole("dialog").waitFor({ state: "detached" });

    await on.button("Back up …").click();
    await on.field("Directory").fill("not/absolute");
    await on.expectAccessible("the form of a backup");
    await on.button("Back up").click();
    await on.page
      .getByRole("alert")
      .getByText(/"root": expected an absolute path/)
      .waitFor();
    expect(await on.field("Directory").getAttribute("aria-invalid")).toBe("true");
    expect(await on.page.evaluate("document.activeElement.labels[0].textContent")).toBe("Directory");
    await on.expectAccessible("a refused form");
    // On a phone, too, the reason is to be seen, though the form is longer than the screen.
    await on.page.setViewportSize({ width: 360, height: 640 });
    const reason = await on.page.getByRole("alert").boundingBox();
    expect((reason?.y ?? Infinity) + (reason?.height ?? 0)).toBeLessThan(640 - 84);

    await on.go("#/runs/none");
    await on.page.getByText('There is no run "none".').waitFor();
    await on.expectAccessible("no such run");
    on.forgive(/status of 40[04]/);
  });

  it("refuses to mix the backups of two directories, and shows the way out", async () => {
    const root = await makeTree(path.join(dashboard.folder, "first"), { a: "1" });
    const other = await makeTree(path.join(dashboard.folder, "second"), { a: "2" });
    await dashboard.host.backUp({ root, container: "owned" });
    const on = await dashboard.open();
    await on.button("Back up …").click();
    await on.field("Directory").fill(other);
    await on.field("Container").fill("owned");
    await on.button("Back up").click();
    await on.page
      .getByRole("alert")
      .getByText(`owned holds the backups of ${root}. Choose another folder`)
      .waitFor();
    await on.page.getByLabel("Mix with the backups of another directory").check();
    await on.button("Back up").click();
    await on.count("Copied", 1).waitFor();
    expect((await dashboard.host.runs()).runs[0]).toMatchObject({ root: other, status: "completed" });

    await on.button("Back up again …").click();
    await on.field("Directory").fill(root);
    await on.page.getByRole("dialog").getByLabel("Packs").check();
    await on.button("Back up").click();
    await on.page.getByRole("alert").getByText('owned holds backups in the layout "files".').waitFor();
    await on.field("Folder in it").fill("");
    await on.field("Container").fill("packed");
    await on.button("Back up").click();
    await on.page.locator(".facts").getByText("packs", { exact: true }).waitFor();
    on.forgive(/status of 409/);
  });

  it("shows failed files with their reasons, and finds files by outcome and text", async () => {
    const root = await makeTree(path.join(dashboard.folder, "broken"), {
      ...manyFiles(120),
      "bad.": "1",
      "d000/worse.": "2",
    });
    const { id } = await dashboard.host.backUp({ root, container: "broken" });
    const on = await dashboard.open(`#/runs/${id}`);
    await on.status("Failed").waitFor();
    await on.page.getByRole("row", { name: /^bad\. .*Blob Storage cannot hold it/ }).waitFor();
    await on.count("Failed", 2).waitFor();
    await on.page.getByText("2 of 122 files failed; the others are backed up.", { exact: true }).waitFor();
    await on.expectAccessible("a failed run");

    await on.page.getByRole("searchbox", { name: "Path or reason contains" }).fill("WORSE");
    await on.page.keyboard.press("Enter");
    await on.page.getByRole("row", { name: /^bad\./ }).waitFor({ state: "detached" });
    await on.page.getByRole("row", { name: /worse\./ }).waitFor();
    expect(await on.hash()).toBe(`#/runs/${id}?text=WORSE`);
    await on.page.goBack();
    await on.page.getByRole("row", { name: /^bad\./ }).waitFor();

    await on.page.locator(".tile", { hasText: "Copied" }).click();
    const rows = on.page.getByRole("table", { name: "Files" }).locator("tbody tr");
    await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe(100);
    await on.page.getByRole("link", { name: "Next" }).click();
    await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe(20);
    await on.page.reload();
    await on.page.getByText("101 to 120").waitFor();
    await on.page.getByRole("link", { name: "Previous" }).click();
    await on.page.getByText("1 to 100").waitFor();
    await on.page.getByRole("searchbox", { name: "Path begins with" }).fill("d002/");
    await on.button("Search").click();
    await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe(20);
  });

  it("restores a run after a dry run that writes nothing, and verifies it", async () => {
    const root = await makeTree(path.join(dashboard.folder, "source"), {
      "a.txt": "one",
      "b/c.txt": "two",
      "bad.": "",
    });
    const { id } = await dashboard.host.backUp({ root, container: "source" });
    const to = await makeTree(path.join(dashboard.folder, "restored"), { "extra.txt": "goes" });
    const on = await dashboard.open(`#/runs/${id}`);
    await on.button("Restore …").last().click();
    await on.field("Into the directory").fill(to);
    await on.page.getByLabel("Remove what is in the directory but not in the backup").check();
    await on.expectAccessible("the form of a restore");
    await on.button("Show what it would do").click();
    await on.page
      .getByRole("dialog")
      .getByText(/2 files would be written \(6 B\), 1 name removed/)
      .waitFor();
    await on.page.getByRole("listitem").filter({ hasText: "b/c.txt" }).waitFor();
    await on.page.getByRole("listitem").filter({ hasText: "extra.txtwould be removed" }).waitFor();
    await on.expectAccessible("a dry run");
    expect(await on.page.getByRole("dialog").textContent()).not.toContain("dry run: it");
    expect(await readdir(to)).toEqual(["extra.txt"]);

    await on.button("Restore 2 files").click();
    await on.status("Completed").waitFor();
    await on.count("Restored", 2).waitFor();
    expect(await readFile(path.join(to, "b/c.txt"), "utf8")).toBe("two");
    expect((await readdir(to)).sort()).toEqual(["a.txt", "b"]);
    await on.page.getByRole("list", { name: "Removed" }).getByText("extra.txt").waitFor();
    await on.expectAccessible("a restore");

    await on.page.getByRole("link", { name: id }).click();
    await on.button("Verify …").click();
    await on.page.getByLabel("Read everything back").check();
    await on.expectAccessible("the form of a verification");
    await on.button("Verify").click();
    await on.page.getByRole("heading", { name: /^Verification/ }).waitFor();
    await on.status("Completed").waitFor();
    await on.count("Verified", 2).waitFor();
    expect((await dashboard.host.runs("?kind=restore")).runs.map(({ dryRun }) => dryRun)).toEqual([
      undefined,
      true,
    ]);
  });

  it("shows what a prune would delete, and that it kept what stays", async () => {
    const root = path.join(dashboard.folder, "pruned");
    for (const a of ["1", "22"]) {
      await makeTree(root, { a });
      await dashboard.host.backUp({ root, container: "pruned" });
    }
    const request = { container: "pruned", keepLast: 1, dryRun: true };
    const { id } = await dashboard.host.ended(await dashboard.host.start(request, "pruneBackups"));
    const on = await dashboard.open(`#/runs/${id}`);
    await on.page.getByText("A dry run: nothing was deleted.").waitFor();
    await on.count("Runs kept", 1).waitFor();
    await on.page.getByRole("row", { name: /^a the snapshot of .* 1 B$/ }).waitFor();
    expect(await on.page.locator(".tile-deleted .tile-name").textContent()).toBe("Would be deleted");

    let changes: Record<string, unknown>;
    await on.page.route(`**/backups/${id}`, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...((await response.json()) as object), ...changes } });
    });
    const again = async (): Promise<void> => {
      await on.go("#/");
      await on.page.getByRole("table", { name: "Runs" }).waitFor();
      await on.go(`#/runs/${id}`);
    };
    // One that never began says why, and counts nothing.
    const counts = { copied: 0, unchanged: 0, vanished: 0, skipped: 0, failed: 0, bytes: 0 };
    changes = { status: "skipped", message: "The run 1234 is backing up to the same place.", counts };
    await again();
    await on.page.getByText("It did not begin. The run 1234 is backing up to the same place.").waitFor();
    expect(await on.page.locator(".tile").count()).toBe(0);
    await on.expectAccessible("a skipped run");
    // As long as it runs it can be canceled, and is named by its place: it has no directory.
    changes = { status: "running", finished: undefined };
    await again();
    await on.button("Cancel …").click();
    await on.page.getByText("Prune, dry run: pruned. It stops soon; it has changed nothing.").waitFor();
  });

  it("cancels a run once that is confirmed", async () => {
    const root = await makeTree(path.join(dashboard.folder, "long"), manyFiles(10));
    const release = dashboard.holdAfter(5, "long");
    const id = await dashboard.host.start({ root, container: "long" });
    const on = await dashboard.open(`#/runs/${id}`);
    await on.button("Cancel …").click();
    await on.expectAccessible("asking before a run is canceled");
    await on.button("Cancel the run").click();
    await on.status("Canceled").waitFor();
    release();
    expect((await dashboard.host.run(id)).status).toBe("canceled");
    await expect.poll(() => on.hash()).toBe(`#/runs/${id}`);

    // Its address, kept or reloaded, asks nothing any more.
    await on.go(`#/runs/${id}?do=cancel`);
    await on.page.getByText("This run has ended: there is nothing to cancel.").waitFor();
    expect(await on.button("Cancel the run").count()).toBe(0);
    await on.button("Close").click();
  });

  it("is used by keyboard, and keeps where it is in the address", async () => {
    const on = await dashboard.open();
    await on.page.getByRole("heading", { name: "Runs" }).waitFor();
    for (const _key of ["skip", "brand", "restore", "back up"]) await on.page.keyboard.press("Tab");
    await on.page.keyboard.press("Enter");
    await on.field("Directory").waitFor();
    expect(await on.hash()).toBe("#/?do=backup");
    expect(await on.page.evaluate("document.activeElement.closest('dialog') !== null")).toBe(true);
    await on.page.keyboard.press("Escape");
    await on.page.getByRole("dialog").waitFor({ state: "detached" });
    await expect.poll(() => on.hash()).toBe("");
    expect(await on.page.evaluate("document.activeElement.id")).toBe("open-backup");

    await on.button("Restore …").click();
    await on.page.getByRole("dialog").waitFor();
    await on.page.reload();
    await on.page.getByRole("dialog").waitFor();
    await on.page.goBack();
    await on.page.getByRole("dialog").waitFor({ state: "detached" });

    await on.page.getByLabel("Status", { exact: true }).selectOption("failed");
    await on.page.getByText("No run matches.").or(on.page.locator(".status-failed").first()).waitFor();
    await on.page.locator(".status-completed").first().waitFor({ state: "detached" });
    expect(await on.hash()).toBe("#/?status=failed");
    await on.page.reload();
    expect(await on.page.getByLabel("Status", { exact: true }).inputValue()).toBe("failed");
    await on.page.goBack();
    await on.page.locator(".status-completed").first().waitFor();
  });

  it("says that the app does not answer, and continues when it does", async () => {
    const on = await dashboard.open("", { viewport: { width: 360, height: 700 } });
    await on.page.locator(".status-completed").first().waitFor();
    await on.page.getByText("As a table").click();
    await on.expectAccessible("the list of runs on a phone");
    await on.page.route("**/backups*", (route) => route.abort());
    await on.page.getByLabel("What", { exact: true }).selectOption("backup");
    await on.page.getByText("The app does not answer. Trying again …").waitFor();
    await on.expectAccessible("no answer");
    await on.page.unroute("**/backups*");
    await on.page.getByText("The app does not answer").waitFor({ state: "hidden" });
    expect(await on.page.locator(".status-completed").count()).toBeGreaterThan(0);
    on.forgive(/ERR_FAILED/);
  });
}
