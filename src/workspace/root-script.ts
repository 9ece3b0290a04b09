import type { Affected } from './affected.ts';

/** What becomes of a script of the root where only some packages are to be looked at. */
export type RootScript =
  /** It runs the script of each package: that is done here, for those that count. */
  | { readonly kind: 'packages' }
  /** Its tool is told which packages count, by arguments after the script's own. */
  | { readonly kind: 'narrowed'; readonly arguments: readonly string[] }
  /** It is not known to go over packages, so it runs as it is. */
  | { readonly kind: 'whole' };

/** Options by which npm, pnpm, Yarn, bun and lerna run a script in the packages of a workspace. */
const OVER_PACKAGES = [
  /^npm (?:run|run-script|test)\b.*\s(?:--workspaces|-ws)\b/,
  /^pnpm\b.*\s(?:-r|--recursive|-w?r|--filter)\b/,
  /^yarn workspaces (?:foreach|run)\b/,
  /^bun\b.*\s--filter\b/,
  /^(?:npx )?lerna run\b/,
];
const TURBO = /^(?:(?:npx|pnpm|yarn|bunx) )?turbo (?:run )?[\w:. -]+$/;
const NX_MANY = /^(?:(?:npx|pnpm|yarn|bunx) )?nx run-many [\w:=., -]+$/;
const NX_AFFECTED = /^(?:(?:npx|pnpm|yarn|bunx) )?nx affected [\w:=., -]+$/;
/** Folders that no shell between npm and the tool can take for anything else. */
const PLAIN = /^[\w@./-]+$/;

/**
 * Decides what becomes of the root's script. A script of more than one command is never narrowed, since none but its
 * author knows what each of them is for.
 */
export function rootScript(script: string, affected: Affected): RootScript {
  const text = script.trim().replaceAll(/\s+/g, ' ');
  if (/[&|;<>`$(){}\n]/.test(text)) return { kind: 'whole' };
  if (OVER_PACKAGES.some((pattern) => pattern.test(text))) return { kind: 'packages' };
  if (affected.packages === undefined) return { kind: 'whole' };
  const folders = [...affected.packages.keys()].toSorted();
  if (!folders.every((folder) => PLAIN.test(folder)) || / --(?:filter|projects|affected|base)\b/.test(text)) {
    return { kind: 'whole' };
  }
  if (TURBO.test(text)) return { kind: 'narrowed', arguments: folders.map((folder) => `--filter=./${folder}`) };
  if (NX_MANY.test(text)) return { kind: 'narrowed', arguments: [`--projects=${folders.join(',')}`] };
  if (NX_AFFECTED.test(text)) return { kind: 'narrowed', arguments: [`--base=${affected.base.commit ?? ''}`] };
  return { kind: 'whole' };
}
