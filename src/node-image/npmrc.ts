import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { inheritable } from '../action/exec.ts';
import type { Host } from '../action/host.ts';
import type { ReadFile } from '../project/project.ts';

/** The id under which a Dockerfile gets npm's settings: `RUN --mount=type=secret,id=npmrc,target=/root/.npmrc`. */
export const NPMRC = 'npmrc';

type Env = Readonly<Record<string, string | undefined>>;

/** Where npm's settings are read from; texts of files, absent where there is none. */
export interface NpmSettings {
  /** The file that NPM_CONFIG_USERCONFIG names (setup-node writes one), or ~/.npmrc. */
  readonly user?: string;
  /** .npmrc of the project. */
  readonly project?: string;
}

/**
 * npm's settings for the install inside a build, with their tokens masked.
 * @returns text of an .npmrc; undefined when nothing is set, so that the build needs no secret
 */
export async function readNpmrc(read: ReadFile, host: Pick<Host, 'env' | 'mask'>): Promise<string | undefined> {
  const { env, mask } = host;
  const file =
    env['npm_config_userconfig'] || env['NPM_CONFIG_USERCONFIG'] || path.join(env['HOME'] || homedir(), '.npmrc');
  const user = await readFile(file, 'utf8').catch(() => undefined);
  const project = read('.npmrc');
  const text = npmrcFor({ ...(user !== undefined && { user }), ...(project !== undefined && { project }) }, env);
  for (const secret of npmrcSecrets(text ?? '')) mask(secret);
  return text;
}

/**
 * One .npmrc for the install inside a build, to be handed over as a secret: of the user's settings those on
 * registries alone (paths and the like mean nothing in the image), then all of the project's, with `\${NAME}` replaced,
 * as the build has no environment of the job; by what programs may see, so that the file asks for nothing else.
 * @returns undefined when nothing is set, so that the build needs no secret
 */
export function npmrcFor(settings: NpmSettings, env: Env): string | undefined {
  const registry = env['npm_config_registry'] ?? env['NPM_CONFIG_REGISTRY'];
  const lines = [
    ...linesOf(settings.user).filter((line) => /^(?:(?:@[^:=]+:)?registry|\/\/[^=]+)\s*=/.test(line)),
    ...linesOf(settings.project),
    ...(registry ? [`registry=${registry}`] : []),
  ];
  if (lines.length === 0) return undefined;
  const visible = inheritable(env);
  return `${lines.map((line) => expand(line, visible)).join('\n')}\n`;
}

/** The tokens and passwords in an .npmrc, to be masked: of their own, and in addresses such as https://me:pass@host/. */
export function npmrcSecrets(text: string): readonly string[] {
  return linesOf(text).flatMap((line) => {
    const own = /(?:^|:)_(?:authToken|auth|password)\s*=\s*"?([^"]+)"?$/.exec(line)?.[1];
    const inAddress = /:\/\/[^/@\s:]*:([^/@\s]+)@/.exec(line)?.[1];
    return [own, inAddress].filter((secret) => secret !== undefined);
  });
}

function linesOf(text = ''): readonly string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[#;]/.test(line));
}

function expand(line: string, env: Env): string {
  return line.replace(/\$\{([A-Za-z_]\w*)(\?)?\}/g, (whole, name: string, optional?: string) => {
    return env[name]?.replaceAll(/[\r\n]/g, '') ?? (optional === undefined ? whole : '');
  });
}
