/** Folders that builds write, by the defaults of the usual tools. */
const OUTPUT = String.raw`(?:dist|build|out|\.next|\.nuxt|\.output|\.svelte-kit|storybook-static)`;
const NAMES_OUTPUT = new RegExp(String.raw`(?:^|[\s'"=./:])${OUTPUT}(?:$|[\s'"/])`);
const RUNS_BUILD = /\b(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?build\b|\b(?:npm-run-all|run-s)\b.*\bbuild\b/;

/** Linters that look at what they are pointed at, the output of a build too unless they are told otherwise. */
const LOOKS_WHERE_TOLD = new Set(['eslint', 'prettier', 'stylelint', 'biome', 'standard', 'xo', 'markdownlint']);

/**
 * In which order the scripts of a package run: for each, those that must have passed before.
 *
 * A build writes into the folder that all others read. Half written output is a test file to jest and a source to
 * `eslint .`, so beside `build` runs only what is certain not to look at it: a type check that writes nothing, and a
 * linter that is pointed at folders or leaves out what .gitignore names. All else comes before the build, as its output
 * was not there either when a team wrote the script; but a script that names the output, or builds it itself, comes after.
 */
export function orderScripts(
  names: readonly string[],
  scripts: Readonly<Record<string, string>>,
): ReadonlyMap<string, readonly string[]> {
  if (!names.includes('build')) return new Map(names.map((name) => [name, []]));
  const others = names.filter((name) => name !== 'build');
  const later = new Set(others.filter((name) => needsOutput(name, scripts)));
  const before = others.filter((name) => !later.has(name) && !looksAtSourcesOnly(name, scripts));
  return new Map(names.map((name) => [name, name === 'build' ? before : later.has(name) ? ['build'] : []]));
}

function needsOutput(name: string, scripts: Readonly<Record<string, string>>): boolean {
  const text = textOf(name, scripts);
  return RUNS_BUILD.test(text) || NAMES_OUTPUT.test(text.replaceAll(/--\S*(?:ignore|exclude)[^\s=]*[= ]\S+/gi, ''));
}

function looksAtSourcesOnly(name: string, scripts: Readonly<Record<string, string>>): boolean {
  const commands = textOf(name, scripts).split(/&&|;|\|\|/);
  return commands.every((command) => {
    const [program = '', ...args] = command
      .trim()
      .replace(/^(?:npx|pnpm exec|yarn)\s+/, '')
      .split(/\s+/);
    if (program === 'oxlint') return true;
    if (/^(?:tsc|vue-tsc|tsgo)$/.test(program)) return args.includes('--noEmit');
    const paths = args.filter((arg) => /^["']?[\w@]/.test(arg) && !/^(?:lint|check|format|ci)$/.test(arg));
    return LOOKS_WHERE_TOLD.has(program) && paths.length > 0 && !args.some((arg) => /^["']?(?:\.\/?|\*\*)/.test(arg));
  });
}

/** What a script runs, with what npm and yarn run before and after it. */
function textOf(name: string, scripts: Readonly<Record<string, string>>): string {
  return [`pre${name}`, name, `post${name}`].flatMap((one) => scripts[one] ?? []).join(' && ');
}
