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
