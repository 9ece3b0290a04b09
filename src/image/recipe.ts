/** What a language knows of the images of its projects. */
export interface ImageRecipe {
  /** Base of the generated Dockerfile, such as `node:24-slim`. */
  readonly base: string;
  /** The generated Dockerfile upon a base, which is pinned by digest where that could be found. */
  readonly generate: (base: string) => string;
  /** Folder of the build's context, absolute; the project's own where it says nothing. */
  readonly context?: string;
  /**
   * Folder that what runs before reads, absolute, but for what is `ignored`; the project's own where it says nothing.
   * It counts where that writes into the context, whatever the ignore file says of the sources.
   */
  readonly sources?: string;
  /** Texts that count as content in place of files of the context: what of a lockfile reaches this image. */
  readonly instead?: ReadonlyMap<string, string>;
  /** Patterns of an ignore file for what never belongs into an image. */
  readonly ignored: readonly string[];
  /** Text of settings that decide what is installed, but are no files of the context. */
  readonly settings: string;
  /** Texts of the build's secrets by the ids that `RUN --mount=type=secret` names. */
  readonly secrets: ReadonlyMap<string, string>;
  /**
   * Texts of the files that the layers with the dependencies are made from; absent where those need all sources, as
   * layers kept for them would hardly be used again.
   */
  readonly dependencies?: readonly string[];
  /** What runs before the image is built: a Dockerfile of the team's own may copy what it made. */
  readonly before: string;
}
