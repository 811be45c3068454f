import type { Run } from "../api/answers.ts";
import { api } from "../api/client.ts";
import { announce } from "../ui/announce.ts";
import type { Dialog } from "../ui/dialog.ts";
import { h, replace, type Child } from "../ui/element.ts";
import { closing, form } from "../ui/form.ts";
import { nameText } from "../ui/name-text.ts";
import { errorNotice } from "../ui/notice.ts";
import { poll, type Polling } from "../ui/poll.ts";
import { go, hrefOf } from "../ui/route.ts";
import { bytes, files, reasonWords } from "../ui/words.ts";
import type { RestoreRequest } from "./restore-request.ts";

interface Name {
  path: string;
  reason?: string;
}

/** How many names the dialog shows; the dry run's page has them all. */
const SHOWN = 100;

/** The second step of a restore: follows the dry run, shows its findings, and restores once confirmed. */
export class DryRun {
  readonly #id: string;
  readonly #request: RestoreRequest;
  readonly #back: () => void;
  readonly #status = h("p", { class: "lead", role: "status" }, "Checking what it would do …");
  readonly #content = h("div", { class: "dry-run" });
  readonly #polling: Polling;
  #ended = false;

  constructor(dialog: Dialog, id: string, request: RestoreRequest, back: () => void) {
    this.#id = id;
    this.#request = request;
    this.#back = back;
    dialog.step("What the restore would do", this.#status, this.#content);
    this.#polling = poll(
      () => this.#look(),
      (message) => message !== undefined && replace(this.#content, errorNotice(message, "alert")),
    );
    this.#polling.now();
  }

  /** The dialog is gone: an unfinished dry run is of no use. */
  stop(): void {
    this.#polling.stop();
    if (!this.#ended) void api.cancel(this.#id).catch(() => undefined);
  }

  async #look(): Promise<number | undefined> {
    const run = await api.run(this.#id);
    if (run.status === "running") {
      const { settled, listed } = run.progress ?? {};
      if (settled && listed) {
        this.#status.textContent = `Checking what it would do: ${files(settled.files)} of ${listed.files} …`;
      }
      return 300;
    }
    // The first names: those that need a decision come first.
    const [removed, failed, copied] = await Promise.all([
      this.#request.delete ? api.deleted(this.#id, { limit: SHOWN }) : undefined,
      run.counts?.failed ? api.files(this.#id, { outcome: "failed", limit: SHOWN }) : undefined,
      run.counts?.copied ? api.files(this.#id, { outcome: "copied", limit: SHOWN }) : undefined,
    ]);
    const goes = (removed?.items ?? []).map(({ path }): Name => ({ path, reason: "would be removed" }));
    const names = [...goes, ...(failed?.items ?? []), ...(copied?.items ?? [])].slice(0, SHOWN);
    this.#ended = true;
    this.#show(run, names, removedWords(goes.length, removed?.continuation !== undefined));
    return undefined;
  }

  #show(run: Run, names: readonly Name[], removed: string | undefined): void {
    const {
      copied = 0,
      unchanged = 0,
      skipped = 0,
      failed = 0,
      directories = 0,
      bytes: size = 0,
    } = run.counts ?? {};
    const kept = unchanged + skipped;
    const summary = [
      copied === 0 ? "Nothing would be written" : `${files(copied)} would be written (${bytes(size)})`,
      removed,
      kept > 0 && `${files(kept)} left as they are`,
      failed > 0 && `${files(failed)} could not be restored`,
    ].filter((words) => typeof words === "string");
    this.#status.replaceChildren(`${summary.join(", ")}, in `, nameText(this.#request.to), ".");
    announce("The dry run has ended.");
    const stopped = run.status !== "completed" && run.message !== undefined;
    const all = copied + kept + failed;
    replace(
      this.#content,
      stopped && errorNotice(run.message ?? ""),
      names.length > 0 && nameList(names),
      all > names.length &&
        names.length > 0 &&
        h(
          "p",
          { class: "hint" },
          "The first names. ",
          h("a", { href: hrefOf(this.#id) }, "The dry run's page lists all of them"),
          ".",
        ),
      this.#confirm(copied, copied + directories + (removed === undefined ? 0 : 1)),
    );
  }

  #confirm(count: number, anything: number): Child {
    const back = h("button", { type: "button", click: () => this.#back() }, "Change");
    if (anything === 0) return closing(back);
    const confirming = form({
      fields: [],
      content: [],
      submit: `Restore ${files(count)}`,
      busy: "Starting …",
      send: async () => {
        const id = await api.start("restoreSiteContent", this.#request);
        go(hrefOf(id), "replace");
      },
    });
    confirming.querySelector(".buttons")?.prepend(back);
    return confirming;
  }
}

function removedWords(count: number, andMore: boolean): string | undefined {
  if (count === 0) return undefined;
  return `${andMore ? "more than " : ""}${count} ${count === 1 ? "name" : "names"} removed`;
}

function nameList(names: readonly Name[]): HTMLElement {
  return h(
    "ul",
    { class: "names", tabindex: "0", "aria-label": "Files" },
    ...names.map(({ path, reason }) =>
      h(
        "li",
        {},
        nameText(path),
        reason !== undefined && h("span", { class: "hint" }, nameText(reasonWords(reason))),
      ),
    ),
  );
}
