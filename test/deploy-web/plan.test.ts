import { describe, expect, test } from '@jest/globals';
import { parseInputs } from '../../src/action/inputs.ts';
import { type WebInputs, inputs } from '../../src/deploy-web/inputs.ts';
import { type Target, addressOf, baseOf, planTarget } from '../../src/deploy-web/plan.ts';

const given = (raw: Readonly<Record<string, string>> = {}): WebInputs =>
  parseInputs(inputs, {
    get: (name) => ({ bucket: 'acme-web', region: 'eu-central-1', ...raw })[name] ?? '',
    mask: () => undefined,
  });
const push = { name: 'push', payload: {} };
const pull = { name: 'pull_request', payload: { number: 12, pull_request: { number: 12 } } };
const plan = (raw: Readonly<Record<string, string>>, event = push): Target => planTarget(given(raw), {}, event);

describe('the place', () => {
  test.each([
    [{}, push, ''],
    [{ prefix: '/shop/web/' }, push, 'shop/web/'],
    [{}, pull, 'previews/pr-12/'],
    [{ prefix: 'shop' }, pull, 'shop/previews/pr-12/'],
    [{ preview: 'false' }, pull, ''],
    [{ preview: 'true' }, pull, 'previews/pr-12/'],
    [{ action: 'remove' }, pull, 'previews/pr-12/'],
  ])('of %j on %j is %j', (raw, event, prefix) => expect(plan(raw, event).prefix).toBe(prefix));

  test.each([
    [{ region: '' }, push, 'input region is missing'],
    [{ preview: 'true' }, push, 'needs a pull request'],
    [{ action: 'remove' }, push, 'takes only previews away'],
    [{ action: 'remove', preview: 'false' }, pull, 'takes only previews away'],
    [{ to: '20261124-093000-0123456-ab12cd' }, push, 'input to is given without action: rollback'],
    [{ prefix: 'a/../b' }, push, 'has a folder of dots'],
    [{ preview: 'true' }, { ...pull, payload: { number: '12; rm -rf /' } }, 'needs a pull request'],
  ])('of %j on %j is refused: %s', (raw, event, said) => {
    expect(() => plan(raw, event)).toThrow(said);
  });
});

test('all bad inputs are told at once, with what is allowed', () => {
  const bad = {
    bucket: 'No_Bucket',
    distribution: 'x;y',
    config: '[1]',
    'keep-old': '5',
    compress: 'zip',
    to: 'latest',
  };
  const told = (): unknown => given(bad);
  for (const name of Object.keys(bad)) expect(told).toThrow(`input ${name} (`);
});

test.each([
  ['', push, ''],
  ['https://shop.example.com', push, 'https://shop.example.com'],
  ['https://shop.example.com', pull, 'https://shop.example.com/previews/pr-12/index.html'],
  ['https://example.com/shop/', pull, 'https://example.com/shop/previews/pr-12/index.html'],
])('the address of %j on %j is %j', (url, event, address) => expect(addressOf(url, plan({}, event))).toBe(address));

describe('behind the distribution', () => {
  const base = (prefix: string, ...paths: readonly string[]) => {
    const origins = paths.map((path) => ({ domain: 'acme-web.s3.eu-central-1.amazonaws.com', path }));
    return baseOf({ id: 'E1', domain: '', fallbacks: [], origins }, { bucket: 'acme-web', prefix });
  };
  test.each([
    ['', [''], '/'],
    ['shop/', [''], '/shop/'],
    ['shop/', ['/shop'], '/'],
    ['shop/previews/pr-1/', ['', '/shop'], '/previews/pr-1/'],
    ['', [], undefined],
  ])('the folder %j with the origin paths %j begins at %j', (prefix, paths, begins) => {
    expect(base(prefix, ...paths)).toBe(begins);
  });

  test('a folder that it does not serve is refused', () => {
    expect(() => base('shop/', '/shopping')).toThrow('serves the folder "shopping" of the bucket, not "shop/"');
  });
});
