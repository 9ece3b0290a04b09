const USUAL = `# What never belongs into an image, whatever the repository holds.
.git
**/node_modules
**/.env
**/.env.*
**/.npmrc
**/npm-debug.log*
`;

/**
 * The ignore file that stands beside a generated Dockerfile, as \`<dockerfile>.dockerignore\`.
 * @param own text of the project's .dockerignore: it comes last, so that it may take back what stands above
 */
export function generateIgnore(own?: string): string {
  return own === undefined ? USUAL : `${USUAL}\n# .dockerignore of the project\n${own.replace(/^\uFEFF/, '')}`;
}
