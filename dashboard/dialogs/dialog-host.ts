import type { Run } from "../api/answers.ts";
import { api } from "../api/client.ts";
import { Dialog } from "../ui/dialog.ts";
import { closing } from "../ui/form.ts";
import { messageOf } from "../ui/message-of.ts";
import { errorNotice, note } from "../ui/notice.ts";
import { currentRoute, go, hrefWith } from "../ui/route.ts";
import { backupDialog } from "./backup-dialog.ts";
import { cancelDialog } from "./cancel-dialog.ts";
import { restoreDialog } from "./restore-dialog.ts";
import { verifyDialog } from "./verify-dialog.ts";

/** The runs that a dialog offers, and takes suggestions from. */
const RUNS = 100;

/** The dialog that the address names, such as `do=backup`, so that back closes it and a reload reopens it. */
export class DialogHost {
  #open: { name: string; run: string | undefined; dialog: Dialog } | undefined;
  /** Whether the previous entry of the browser's history is the same view without the dialog. */
  #cameFromView = false;
  #turn = 0;

  /** @param name undefined for none. @param run the view's run. @param onClose the view may need a refresh */
  async show(name: string | undefined, run: string | undefined, onClose: () => void): Promise<void> {
    const turn = ++this.#turn;
    if (this.#open && (this.#open.name !== name || this.#open.run !== run)) {
      const { dialog } = this.#open;
      this.#open = undefined;
      dialog.close();
    }
    if (name === undefined) this.#cameFromView = true;
    if (name === undefined || this.#open) return;
    const dialog = await dialogOf(name, run);
    if (turn !== this.#turn) return;
    this.#open = { name, run, dialog };
    dialog.open(() => {
      if (this.#open?.dialog !== dialog) return;
      this.#open = undefined;
      if (currentRoute().query.has("do")) this.#leave();
      onClose();
    });
  }

  #leave(): void {
    if (this.#cameFromView) history.back();
    else go(hrefWith({ do: undefined }), "replace");
  }
}

async function dialogOf(name: string, id: string | undefined): Promise<Dialog> {
  try {
    const [run, runs] = await Promise.all([
      id === undefined ? undefined : api.run(id),
      name === "backup" || name === "restore" ? recent() : [],
    ]);
    const made = make(name, run, runs);
    if (made) return made;
    if (name === "cancel" && run) return saying(note("This run has ended: there is nothing to cancel."));
    return saying(note("This page does not exist."));
  } catch (error) {
    return saying(errorNotice(messageOf(error), "alert"));
  }
}

function make(name: string, run: Run | undefined, runs: readonly Run[]): Dialog | undefined {
  const backup = run?.kind === "backup" ? run : undefined;
  if (name === "backup") return backupDialog(backup, runs);
  if (name === "restore") return restoreDialog(backup?.status === "running" ? undefined : backup, runs);
  if (name === "verify" && backup) return verifyDialog(backup);
  if (name === "cancel" && run?.status === "running") return cancelDialog(run);
  return undefined;
}

async function recent(): Promise<Run[]> {
  return (await api.runs({ kind: "all", limit: RUNS })).items;
}

function saying(words: HTMLElement): Dialog {
  const dialog = new Dialog("Not possible");
  dialog.show(words, closing());
  return dialog;
}
