/** What became of publishing a package. */
export interface Published {
  readonly name: string;
  readonly version: string;
  /** `unchanged`: the registry has the very same archive. `checked`: a pull request publishes nothing. */
  readonly verdict: 'published' | 'unchanged' | 'checked';
  /** Whether it is signed where it comes from. */
  readonly provenance: boolean;
}
