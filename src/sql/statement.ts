/** A statement of a script. */
export interface Statement {
  /** Its text without what stands before and after it. */
  readonly sql: string;
  /** Characters from the start of the script. */
  readonly offset: number;
  /** In the file, from 1. */
  readonly line: number;
  readonly column: number;
  /** Its last line. */
  readonly endLine: number;
  /** Comments that stand right above it, without `--`. */
  readonly comments: readonly { readonly text: string; readonly line: number }[];
}
