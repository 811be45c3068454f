/** The result of registering a function or a hook: `dispose` undoes it, once. */
export interface Disposable {
  dispose(): void;
}

export function disposable(undo: () => void): Disposable {
  let disposed = false;
  return {
    dispose() {
      if (disposed) return;
      disposed = true;
      undo();
    },
  };
}

/** The class of the same name in `@azure/functions-core`. */
export class CoreDisposable implements Disposable {
  readonly #disposable: Disposable;

  constructor(undo: () => void) {
    this.#disposable = disposable(undo);
  }

  static from(...disposables: Disposable[]): CoreDisposable {
    return new CoreDisposable(() => {
      for (const each of disposables) each.dispose();
    });
  }

  dispose(): void {
    this.#disposable.dispose();
  }
}
