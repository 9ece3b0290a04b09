import { type Specifier, parseSpecifiers, parseVersion } from './pep440.ts';

/**
 * A constraint of poetry as specifier sets of which one has to be fulfilled: caret (`^3.11` is `>=3.11,<4`), tilde
 * (`~3.11` is `>=3.11,<3.12`), wildcard (`3.11.*`), a bare version, PEP 440's own clauses, and `||` between them.
 * @see https://python-poetry.org/docs/dependency-specification/#version-constraints
 * @returns undefined when it is no constraint
 */
export function parsePoetryRange(text: string): readonly (readonly Specifier[])[] | undefined {
  const sets = text.split(/\|\|?/).map((alternative) => parseSpecifiers(translated(alternative)));
  return sets.every((set) => set !== undefined) ? sets : undefined;
}

function translated(alternative: string): string {
  const clauses = alternative
    .trim()
    // Poetry takes a space between clauses too, but also between an operator and its version.
    .replaceAll(/([<>=!~^])\s+(?=\d)/g, '$1')
    .split(/\s*,\s*|\s+/);
  return clauses.flatMap(clause).join(',');
}

function clause(text: string): readonly string[] {
  if (text === '*' || text === '') return [];
  const [, operator = '', bare = ''] = /^(\^|~(?!=))(.+)$/.exec(text) ?? [];
  if (operator === '') {
    if (/^\d/.test(text)) return [`==${text}`];
    // Poetry takes one `=` too.
    return [text.replace(/^=(?!=)/, '==')];
  }
  const release = parseVersion(bare)?.release;
  if (release === undefined) return [text];
  return [`>=${bare}`, `<${nextOf(operator, release).join('.')}`];
}

/** Caret keeps the leftmost part that is not zero, tilde the second part where it is given. */
function nextOf(operator: string, release: readonly number[]): readonly number[] {
  const firstNonZero = release.findIndex((part) => part !== 0);
  const caret = firstNonZero === -1 ? release.length - 1 : firstNonZero;
  const kept = operator === '^' ? caret : Math.min(1, release.length - 1);
  return release.slice(0, kept + 1).map((part, index) => (index === kept ? part + 1 : part));
}
