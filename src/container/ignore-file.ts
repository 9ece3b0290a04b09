const USUAL = `# What never belongs into an image, whatever the repository holds.
.git
**/.env
**/.env.*
`;

/**
 * The ignore file that stands beside a generated Dockerfile, as `<dockerfile>.dockerignore`.
 * @param ofLanguage patterns of what projects in the language leave lying about
 * @param own text of the project's .dockerignore: it comes last, so that it may take back what stands above
 */
export function generateIgnore(ofLanguage: readonly string[], own?: string): string {
  const usual = `${USUAL}${ofLanguage.map((pattern) => `${pattern}\n`).join('')}`;
  return own === undefined ? usual : `${usual}\n# .dockerignore of the project\n${own.replace(/^\uFEFF/, '')}`;
}

/**
 * Patterns of an ignore file for what a build wrote into its own checkout: the topmost folders that hold nothing else,
 * and single files where the folder holds sources too.
 * @param before files of the context as it was checked out
 * @param now files of the context as it is
 */
export function ignoreWritten(before: readonly string[], now: readonly string[]): readonly string[] {
  const known = new Set(before.flatMap(withFolders));
  const written = now.map((file) => withFolders(file).find((one) => !known.has(one)));
  const paths = new Set(written.filter((one) => one !== undefined));
  // A line break in a name would end the pattern: `?` stands for it.
  return [...paths].map((one) => one.replaceAll(/[\\*?[\]!#]/g, String.raw`\$&`).replaceAll(/[\r\n]/g, '?'));
}

/** `a/b/c` as `a`, `a/b` and `a/b/c`. */
function withFolders(file: string): readonly string[] {
  const parts = file.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
