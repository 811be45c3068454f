/** What fills the page below the bar. */
export interface View {
  element: HTMLElement;
  /** Shows what the address's parameters say; called again when only they change. */
  show(query: URLSearchParams): void;
  /** It is no longer shown: nothing of it goes on. */
  dispose(): void;
}
