import { type Problem, UserError, messageOf } from './errors.ts';
import { type Field, quote } from './fields.ts';

/** The inputs of an action: kebab-case name to field. */
export type Spec = Readonly<Record<string, Field<unknown>>>;

type Camel<S extends string> = S extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;

/** The parsed inputs: names in camelCase, values typed by their fields. */
export type Inputs<S extends Spec> = {
  readonly [K in keyof S & string as Camel<K>]: S[K] extends Field<infer T> ? T : never;
};

/** What the parser needs of the runner. */
export interface InputSource {
  /** The raw text of an input; `''` when it was not given. */
  readonly get: (name: string) => string;
  readonly mask: (secret: string) => void;
}

/**
 * Parses every input before anything else happens.
 * @throws UserError that names all bad inputs at once, each with its value and what is allowed
 */
export function parseInputs<S extends Spec>(spec: S, source: InputSource): Inputs<S> {
  const problems: Problem[] = [];
  const values: Record<string, unknown> = {};
  const raws = Object.entries(spec).map(([name, field]) => ({
    name,
    field,
    raw: source.get(name).trim() || literal(field.default),
  }));
  for (const { field, raw } of raws) {
    if (!field.secret || raw === '') continue;
    for (const secret of [raw, ...(field.secretsIn?.(raw) ?? [])]) if (secret !== '') source.mask(secret);
  }
  for (const { name, field, raw } of raws) {
    if (field.required && raw === '') {
      problems.push({ message: `input ${name} is missing`, remedy: `set it under with: (allowed: ${field.allowed})` });
      continue;
    }
    try {
      values[camelCase(name)] = field.parse(raw);
    } catch (error) {
      const shown = field.secret ? '' : ` (${quote(raw)})`;
      problems.push({ message: `input ${name}${shown} ${messageOf(error)}`, remedy: `allowed: ${field.allowed}` });
    }
  }
  if (problems.length > 0) throw UserError.all(problems, 'the inputs are wrong');
  return values as Inputs<S>;
}

/** A default such as `${{ github.token }}` is filled in by the runner; without a runner there is none. */
function literal(fallback: string): string {
  return fallback.startsWith('${{') ? '' : fallback;
}

function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
