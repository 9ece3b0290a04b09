/** Where npm's settings are read from; texts of files, absent where there is none. */
export interface NpmSettings {
  /** The file that NPM_CONFIG_USERCONFIG names (setup-node writes one), or ~/.npmrc. */
  readonly user?: string;
  /** .npmrc of the project. */
  readonly project?: string;
}

/**
 * One .npmrc for the install inside a build, to be handed over as a secret: of the user's settings those on
 * registries alone (paths and the like mean nothing in the image), then all of the project's, with `\${NAME}` replaced,
 * as the build has no environment of the job.
 * @returns undefined when nothing is set, so that the build needs no secret
 */
export function npmrcFor(settings: NpmSettings, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const registry = env['npm_config_registry'] ?? env['NPM_CONFIG_REGISTRY'];
  const lines = [
    ...linesOf(settings.user).filter((line) => /^(?:(?:@[^:=]+:)?registry|\/\/[^=]+)\s*=/.test(line)),
    ...linesOf(settings.project),
    ...(registry ? [`registry=${registry}`] : []),
  ];
  if (lines.length === 0) return undefined;
  return `${lines.map((line) => expand(line, env)).join('\n')}\n`;
}

/** The tokens and passwords in an .npmrc, to be masked. */
export function npmrcSecrets(text: string): readonly string[] {
  return linesOf(text).flatMap((line) => /:_(?:authToken|auth|password)\s*=\s*"?([^"]+)"?$/.exec(line)?.[1] ?? []);
}

function linesOf(text = ''): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[#;]/.test(line));
}

function expand(line: string, env: Readonly<Record<string, string | undefined>>): string {
  return line.replace(/\$\{([A-Za-z_]\w*)(\?)?\}/g, (whole, name: string, optional?: string) => {
    return env[name]?.replaceAll(/[\r\n]/g, '') ?? (optional === undefined ? whole : '');
  });
}
