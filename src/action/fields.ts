import { load } from 'js-yaml';

/** One input as the code knows it: how its text becomes a value, and what its default is in action.yml. */
export interface Field<T> {
  /** The default exactly as action.yml states it; empty when there is none. */
  readonly default: string;
  readonly required: boolean;
  /** The value is masked in the log before anything else happens. */
  readonly secret: boolean;
  /** What of a secret's text is masked besides the whole. */
  readonly secretsIn?: (raw: string) => readonly string[];
  /** What may stand here, to complete the sentence "allowed: …". */
  readonly allowed: string;
  /** @throws Error with what is wrong with `raw`, without naming the input */
  readonly parse: (raw: string) => T;
}

interface Options {
  readonly default?: string;
  readonly required?: boolean;
}

function field<T>(options: Options, allowed: string, parse: (raw: string) => T, secret = false): Field<T> {
  return { default: options.default ?? '', required: options.required ?? false, secret, allowed, parse };
}

/** Text of one line; `''` when it was not given. With `pattern` the whole text must match it. */
export function text(options: Options & { pattern?: RegExp; allowed?: string; max?: number } = {}): Field<string> {
  const max = options.max ?? 4096;
  return field(options, options.allowed ?? 'one line of text', (raw) => {
    if (raw === '') return raw;
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    if (/[\u0000-\u001f\u007f]/.test(raw)) throw new Error('has a line break or control character');
    if (raw.length > max) throw new Error(`has ${raw.length} characters, more than ${max}`);
    if (options.pattern && !fully(options.pattern).test(raw)) throw new Error('does not have the right form');
    return raw;
  });
}

/** A token or password: any text of one line, masked before first use. */
export function secret(options: Options = {}): Field<string> {
  return field(
    options,
    'one line of text',
    (raw) => {
      if (/[\r\n\0]/.test(raw.trim())) throw new Error('has a line break');
      return raw.trim();
    },
    true,
  );
}

/** One of the given words. */
export function choice<const T extends string>(values: readonly T[], options: Options = {}): Field<T> {
  return field(options, values.filter((v) => v !== '').join(', '), (raw) => {
    const found = values.find((value) => value === raw.toLowerCase());
    if (found === undefined) throw new Error('is not one of them');
    return found;
  });
}

/** `true` or `false`, in the spellings of YAML 1.2. */
export function flag(options: Options = { default: 'false' }): Field<boolean> {
  return field(options, 'true, false', (raw) => {
    if (/^(true|True|TRUE)$/.test(raw)) return true;
    if (/^(false|False|FALSE)$/.test(raw)) return false;
    throw new Error('is neither');
  });
}

/** `true`, `false` or `''` (decide by yourself), which comes back as `undefined`. */
export function optionalFlag(options: Options = {}): Field<boolean | undefined> {
  const inner = flag();
  return field(options, 'true, false, or nothing', (raw) => (raw === '' ? undefined : inner.parse(raw)));
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration such as `90s`, `10m` or `1h30m`; gives milliseconds. */
export function duration(options: Options & { min?: string; max?: string } = {}): Field<number> {
  const min = options.min === undefined ? 0 : milliseconds(options.min);
  const max = options.max === undefined ? 24 * UNIT_MS.h : milliseconds(options.max);
  const range = `${options.min ?? '0s'} to ${options.max ?? '24h'}`;
  return field(options, `a duration such as 90s, 10m or 1h30m, from ${range}`, (raw) => {
    const value = milliseconds(raw);
    if (Number.isNaN(value)) throw new Error('is not a duration');
    if (value < min || value > max) throw new Error('is out of range');
    return value;
  });
}

/** Milliseconds of `1h30m`, `90s`, `30d`, `500ms`; NaN when it is not a duration. */
export function milliseconds(raw: string): number {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(raw)) return Number.NaN;
  const parts = raw.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g);
  return [...parts].reduce((sum, [, n, unit]) => sum + Number(n) * UNIT_MS[unit as keyof typeof UNIT_MS], 0);
}

/** A whole number in decimal digits. */
export function integer(options: Options & { min?: number; max?: number } = {}): Field<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return field(options, `a whole number from ${min} to ${max}`, (raw) => {
    if (!/^-?\d{1,15}$/.test(raw)) throw new Error('is not a whole number');
    const value = Number(raw);
    if (value < min || value > max) throw new Error('is out of range');
    return value;
  });
}

/** Items between commas or line breaks, trimmed, without empty ones; with `pattern` each must match it. */
export function list(options: Options & { pattern?: RegExp; allowed?: string } = {}): Field<readonly string[]> {
  return field(options, options.allowed ?? 'items between commas or one a line', (raw) => {
    return checkEach(
      raw
        .split(/[,\n]/)
        .map((item) => item.trim())
        .filter(Boolean),
      options.pattern,
    );
  });
}

/** One item a line, trimmed, without empty ones and `#` comments: for values that may hold commas. */
export function lines(options: Options & { pattern?: RegExp; allowed?: string } = {}): Field<readonly string[]> {
  return field(options, options.allowed ?? 'one item a line', (raw) => checkEach(linesOf(raw), options.pattern));
}

/** `name=value` lines as a map; a name that comes twice is an error. */
export function pairs(options: Options & { name?: RegExp; allowed?: string } = {}): Field<ReadonlyMap<string, string>> {
  return field(options, options.allowed ?? 'lines of name=value', (raw) => {
    const result = new Map<string, string>();
    for (const line of linesOf(raw)) {
      const at = line.indexOf('=');
      if (at < 1) throw new Error(`has a line without name=: ${quote(line)}`);
      const name = line.slice(0, at).trim();
      if (options.name && !fully(options.name).test(name))
        throw new Error(`has a name of the wrong form: ${quote(name)}`);
      if (result.has(name)) throw new Error(`names ${quote(name)} twice`);
      result.set(name, line.slice(at + 1).trim());
    }
    return result;
  });
}

/** As {@link pairs}, with values that are masked before first use. */
export function secretPairs(options: Parameters<typeof pairs>[0] = {}): Field<ReadonlyMap<string, string>> {
  const secretsIn = (raw: string): readonly string[] =>
    linesOf(raw).map((line) => line.slice(line.indexOf('=') + 1).trim());
  return { ...pairs(options), secret: true, secretsIn };
}

/** A JSON or YAML value; `check` turns the unknown value into a typed one or throws what is wrong with it. */
export function yaml<T>(check: (value: unknown) => T, options: Options & { allowed: string }): Field<T> {
  return field(options, options.allowed, (raw) => {
    let value: unknown;
    try {
      value = raw.trim() === '' ? undefined : load(raw);
    } catch (error) {
      throw new Error(`is not YAML: ${error instanceof Error ? error.message.split('\n')[0] : 'unreadable'}`, {
        cause: error,
      });
    }
    return check(value);
  });
}

/** Text between quotes on one line, shortened, with control characters spelled out. */
export function quote(value: string): string {
  const shown = value.length > 120 ? `${value.slice(0, 117)}…` : value;
  return JSON.stringify(shown);
}

function linesOf(raw: string): string[] {
  return raw
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function checkEach(items: readonly string[], pattern: RegExp | undefined): readonly string[] {
  const wrong = pattern && items.find((item) => !fully(pattern).test(item));
  if (wrong !== undefined) throw new Error(`has an item of the wrong form: ${quote(wrong)}`);
  return items;
}

function fully(pattern: RegExp): RegExp {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace('g', ''));
}
