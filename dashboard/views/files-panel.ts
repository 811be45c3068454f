import { countOf, type FileOutcome, type Outcome, type Run } from "../api/answers.ts";
import { api } from "../api/client.ts";
import { h, newId, replace, type Child } from "../ui/element.ts";
import { messageOf } from "../ui/message-of.ts";
import { nameText } from "../ui/name-text.ts";
import { errorNotice } from "../ui/notice.ts";
import { Pager } from "../ui/pager.ts";
import { go, hrefWith } from "../ui/route.ts";
import { Table } from "../ui/table.ts";
import { bytes, number, outcomeWord, reasonWords } from "../ui/words.ts";
import { shownOutcome } from "./outcome-tiles.ts";

/** Rows of a page: few enough to look through, and for any browser. */
const PAGE = 100;
/** A search through a huge ledger is answered in short pages: this many are requested before the result is shown. */
const ROUNDS = 20;

/** A run's files with one outcome, with search by the start of their path and by any text. */
export class FilesPanel {
  readonly element: HTMLElement;
  readonly #id: string;
  readonly #heading = h("h2", { id: newId("files") });
  readonly #prefix = searchInput("prefix", "Path begins with");
  readonly #text = searchInput("text", "Path or reason contains");
  readonly #table = new Table("Files", "files", [
    { title: "Path", class: "path" },
    { title: "Reason", class: "reason" },
    { title: "Size", class: "number" },
  ]);
  readonly #pager = new Pager("Pages of files");
  readonly #filter: HTMLElement;
  readonly #words = h("p", { class: "empty", role: "status" }, "Loading …");
  #asked = "";
  #disposed = false;

  constructor(id: string) {
    this.#id = id;
    this.#filter = h(
      "div",
      { class: "filter" },
      labelled("Path begins with", this.#prefix),
      labelled("Contains", this.#text),
      h("button", { type: "submit" }, "Search"),
    );
    this.#table.element.hidden = true;
    this.element = h(
      "section",
      { class: "panel files-panel", "aria-labelledby": this.#heading.id, hidden: true },
      h(
        "form",
        { class: "panel-head", role: "search", submit: (event) => this.#search(event) },
        this.#heading,
        this.#filter,
      ),
      this.#table.element,
      this.#words,
      this.#pager.element,
    );
  }

  /** Loads what the address asks for, unless it is shown already and unchanged. */
  show(run: Run, query: URLSearchParams): void {
    if (!run.counts) return;
    this.element.hidden = false;
    const outcome = shownOutcome(run, query);
    const [prefix, text] = [query.get("prefix") ?? "", query.get("text") ?? ""];
    const count = countOf(run.counts, outcome);
    const searching = prefix !== "" || text !== "";
    const inAll = searching ? `${number(count)} in all` : number(count);
    replace(this.#heading, `${outcomeWord(run, outcome)} `, h("span", { class: "sub" }, inAll));
    this.#filter.hidden = count === 0 && !searching;
    // While a run is in progress only its first page is refreshed: others would move under the reader.
    const grown = run.status === "running" ? Math.min(count, PAGE) : "ended";
    const asked = JSON.stringify([outcome, prefix, text, query.get("pages"), grown]);
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#prefix.value = prefix;
    this.#text.value = text;
    this.#pager.read(query);
    void this.#load(run, outcome, prefix, text);
  }

  dispose(): void {
    this.#disposed = true;
  }

  async #load(run: Run, outcome: Outcome, prefix: string, text: string): Promise<void> {
    const asked = this.#asked;
    const isStale = (): boolean => this.#disposed || asked !== this.#asked;
    try {
      const files: FileOutcome[] = [];
      let continuation = this.#pager.continuation;
      for (let round = 0; round < ROUNDS; round++) {
        const limit = PAGE - files.length;
        const page = await api.files(this.#id, { outcome, prefix, text, limit, continuation });
        if (isStale()) return;
        files.push(...page.items);
        ({ continuation } = page);
        if (continuation === undefined || files.length >= PAGE) break;
      }
      this.#show(run, files, continuation);
    } catch (error) {
      if (isStale()) return;
      this.#asked = "";
      replace(this.#words, errorNotice(messageOf(error)));
    }
  }

  #show(run: Run, files: readonly FileOutcome[], continuation: string | undefined): void {
    const first = this.#pager.page * PAGE + 1;
    const searching = this.#prefix.value !== "" || this.#text.value !== "";
    this.#table.element.hidden = files.length === 0;
    this.#table.element.classList.toggle(
      "with-reasons",
      files.some(({ reason }) => reason !== undefined),
    );
    this.#table.element.classList.toggle(
      "with-sizes",
      files.some(({ size, reason }) => size > 0 || reason === undefined),
    );
    this.#table.show(files.map(row));
    const none = searching ? "No file matches." : run.status === "running" ? "None so far." : "None.";
    replace(this.#words, files.length === 0 && none);
    this.#pager.show(continuation, `${number(first)} to ${number(first + files.length - 1)}`);
  }

  #search(event: Event): void {
    event.preventDefault();
    go(hrefWith({ prefix: this.#prefix.value, text: this.#text.value, pages: undefined }));
  }
}

function row({ path, kind, size, reason }: FileOutcome): Child[] {
  // The reason says the rest.
  const mark = kind === "link" || kind === "directory" ? h("span", { class: "chip" }, kind) : undefined;
  return [
    h("span", {}, nameText(path), mark),
    reason === undefined ? "" : nameText(reasonWords(reason)),
    size > 0 || reason === undefined ? bytes(size) : "",
  ];
}

function searchInput(name: string, label: string): HTMLInputElement {
  return h("input", {
    type: "search",
    id: newId(name),
    "aria-label": label,
    maxlength: 1024,
    spellcheck: "false",
    autocomplete: "off",
  });
}

function labelled(label: string, input: HTMLElement): HTMLElement {
  return h("div", {}, h("label", { for: input.id }, label), input);
}
