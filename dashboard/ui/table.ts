import { h, replace, type Child } from "./element.ts";

export interface Column {
  title: string;
  /** Numbers are right-aligned. */
  class?: string;
}

/** A table whose rows become cards on a narrow screen. Its roles are explicit, because that layout would hide them. */
export class Table {
  readonly element: HTMLElement;
  readonly #body: HTMLElement;
  readonly #columns: readonly Column[];

  constructor(label: string, name: string, columns: readonly Column[]) {
    this.#columns = columns;
    this.#body = h("tbody", { role: "rowgroup" });
    this.element = h(
      "table",
      { role: "table", "aria-label": label, class: `table ${name}` },
      h(
        "thead",
        { role: "rowgroup" },
        h(
          "tr",
          { role: "row" },
          ...columns.map(({ title, class: of }) =>
            h("th", { role: "columnheader", scope: "col", class: of }, title),
          ),
        ),
      ),
      this.#body,
    );
  }

  /** @param rows each row's cells, in the order of the columns */
  show(rows: readonly Child[][]): void {
    replace(this.#body, ...rows.map((cells) => this.#row(cells)));
  }

  #row(cells: readonly Child[]): HTMLElement {
    return h(
      "tr",
      { role: "row" },
      ...cells.map((cell, index) => {
        const { title, class: of } = this.#columns[index] ?? { title: "" };
        return h("td", { role: "cell", class: of, "data-title": title }, cell);
      }),
    );
  }
}
