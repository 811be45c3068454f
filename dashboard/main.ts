import { forgetKey, currentKey, onKeyNeeded } from "./api/key.ts";
import { askForKey } from "./dialogs/key-dialog.ts";
import { DialogHost } from "./dialogs/dialog-host.ts";
import { currentRoute, go, hrefWith } from "./ui/route.ts";
import { runView } from "./views/run-view.ts";
import { runsView } from "./views/runs-view.ts";
import type { View } from "./views/view.ts";

/** The page: shows the view that the address names, and a dialog on top of it. */

const main = document.querySelector<HTMLElement>("#main")!;
const dialogs = new DialogHost();
let shown: { run: string | undefined; view: View } | undefined;

function route(first: boolean): void {
  const { run, query } = currentRoute();
  if (!shown || shown.run !== run) {
    shown?.view.dispose();
    const view = run === undefined ? runsView() : runView(run);
    shown = { run, view };
    main.replaceChildren(view.element);
    document.title = run === undefined ? "Runs · site-backup" : `Run ${run.slice(0, 8)} · site-backup`;
    // As when another page loads; on the first one the browser does it.
    if (!first) {
      window.scrollTo(0, 0);
      view.element.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
    }
  }
  shown.view.show(query);
  void dialogs.show(query.get("do") ?? undefined, run, () => shown?.view.show(currentRoute().query));
}

function onClick(id: string, action: () => void): HTMLElement {
  const button = document.querySelector<HTMLElement>(`#${id}`)!;
  button.addEventListener("click", action);
  return button;
}

onClick("skip", () => main.focus());
onClick("open-backup", () => go(hrefWith({ do: "backup" })));
onClick("open-restore", () => go(hrefWith({ do: "restore" })));
const forget = onClick("forget-key", () => {
  forgetKey();
  location.reload();
});
const showForget = (): void => {
  forget.hidden = currentKey() === undefined;
};
onKeyNeeded(askForKey, showForget);
showForget();

addEventListener("hashchange", () => route(false));
route(true);
