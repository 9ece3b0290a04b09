import { describe, expect, test } from '@jest/globals';
import { UserError } from '../../src/action/errors.ts';
import { choice, duration, flag, integer, lines, list, pairs, secret, text, yaml } from '../../src/action/fields.ts';
import { type Spec, parseInputs } from '../../src/action/inputs.ts';

function parse<S extends Spec>(spec: S, given: Readonly<Record<string, string>>) {
  const masked: string[] = [];
  const values = parseInputs(spec, { get: (name) => given[name] ?? '', mask: (value) => void masked.push(value) });
  return { values, masked };
}

function failure(spec: Spec, given: Readonly<Record<string, string>>): UserError {
  try {
    parse(spec, given);
  } catch (error) {
    if (error instanceof UserError) return error;
  }
  throw new Error('the inputs were accepted');
}

describe('parseInputs', () => {
  test('gives typed values under camelCase names, defaults included', () => {
    const spec = {
      'dry-run': flag(),
      timeout: duration({ default: '10m' }),
      'on-failure': choice(['rollback', 'leave'], { default: 'rollback' }),
      manifests: list({ default: 'k8s' }),
    };
    expect(parse(spec, { manifests: 'a.yaml, b\nc/*.yaml' }).values).toEqual({
      dryRun: false,
      timeout: 600_000,
      onFailure: 'rollback',
      manifests: ['a.yaml', 'b', 'c/*.yaml'],
    });
  });

  test('names every bad input at once, with its value and what is allowed', () => {
    const spec = {
      cluster: text({ required: true }),
      timeout: duration(),
      replicas: integer({ max: 9 }),
      mode: choice(['a', 'b']),
    };
    const error = failure(spec, { timeout: '10 minutes', replicas: '12', mode: 'c' });
    expect(error.problems).toHaveLength(4);
    expect(error.message).toContain('input cluster is missing');
    expect(error.message).toContain('input timeout ("10 minutes") is not a duration');
    expect(error.message).toContain('a whole number from 0 to 9');
    expect(error.message).toContain('allowed: a, b');
  });

  test('masks secrets before anything can fail, and never shows them in an error', () => {
    const spec = { token: secret(), mode: choice(['a']) };
    const masked: string[] = [];
    const source = {
      get: (name: string) => ({ token: 's3cret\nline', mode: 'x' })[name] ?? '',
      mask: (v: string) => void masked.push(v),
    };
    expect(() => parseInputs(spec, source)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('s3cret') }),
    );
    expect(masked).toEqual(['s3cret\nline']);
  });

  test('takes an expression that no runner filled in as nothing', () => {
    expect(parse({ 'github-token': secret({ default: '${{ github.token }}' }) }, {}).values).toEqual({
      githubToken: '',
    });
  });
});

describe('fields', () => {
  test.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['500ms', 500],
    ['1.5s', 1500],
    ['1d', 86_400_000],
  ])('duration %s is %d ms', (raw, ms) => {
    expect(duration().parse(raw)).toBe(ms);
  });

  test.each(['', '10', 'm', '5w', '-5s', '10m ', '1e9s'])('duration refuses %j', (raw) => {
    expect(() => duration().parse(raw)).toThrow('is not a duration');
  });

  test('duration keeps to its range', () => {
    expect(() => duration({ min: '5s', max: '1m' }).parse('2m')).toThrow('out of range');
  });

  test.each(['1.5', '0x10', 'NaN', '1e3', ' 1'])('integer refuses %j', (raw) => {
    expect(() => integer().parse(raw)).toThrow('is not a whole number');
  });

  test.each(['yes', '1', 'on', 'TRue'])('flag refuses %j', (raw) => {
    expect(() => flag().parse(raw)).toThrow('is neither');
  });

  test.each(['prod; rm -rf /', 'a\nb', '$(id)', '${{ secrets.X }}', '`id`', '../x'])(
    'a pattern covers the whole text: %j',
    (raw) => {
      expect(() => text({ pattern: /[a-z-]+/ }).parse(raw)).toThrow(/form|line break/);
    },
  );

  test('lines keep commas and drop comments; each item must match', () => {
    expect(lines().parse('a,b\n# c\n\n d ')).toEqual(['a,b', 'd']);
    expect(() => lines({ pattern: /\w+/ }).parse('ok\nnot ok')).toThrow('"not ok"');
  });

  test('pairs keep what follows the first =, and refuse a name twice', () => {
    expect([...pairs().parse('A=1=2\nB=')]).toEqual([
      ['A', '1=2'],
      ['B', ''],
    ]);
    expect(() => pairs().parse('A=1\nA=2')).toThrow('twice');
    expect(() => pairs().parse('nothing')).toThrow('without name=');
  });

  test('yaml says what is wrong in one line', () => {
    const field = yaml((value) => value, { allowed: 'a list' });
    expect(field.parse('[1, {a: b}]')).toEqual([1, { a: 'b' }]);
    expect(() => field.parse('a: [')).toThrow(/^is not YAML: [^\n]+$/);
  });
});
