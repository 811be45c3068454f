/** What the restore form asks for. */
export interface RestoreRequest {
  run: string;
  to: string;
  overwrite: string;
  include: string[];
  exclude: string[];
  delete: boolean;
}
