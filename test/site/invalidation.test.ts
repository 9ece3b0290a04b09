import { expect, test } from '@jest/globals';
import { type Changed, invalidationPaths } from '../../src/site/invalidation.ts';
import { isRootBound } from '../../src/site/root-bound.ts';

const nothing: Changed = { paths: [], assets: ['assets/index-DiwrgTda.js'], base: '/', isFirst: false, fallbacks: [] };
const many = Array.from({ length: 40 }, (_, i) => `page-${i}.html`);

test.each<[string, Partial<Changed>, readonly string[]]>([
  ['nothing has changed', {}, []],
  ['nothing is known of before', { isFirst: true }, ['/*']],
  ['the home page has changed', { paths: ['index.html'] }, ['/', '/index.html']],
  ['a page has changed', { paths: ['about.html'] }, ['/about.html']],
  ['pages of a folder without assets have changed', { paths: ['blog/a.html', 'blog/b/index.html'] }, ['/blog/*']],
  ['a file beside assets has changed', { paths: ['assets/data.json'] }, ['/assets/data.json']],
  ['many files have changed', { paths: many }, ['/*']],
  ['many files in one folder have changed', { paths: many.map((path) => `docs/${path}`) }, ['/docs/*']],
  ['the page that answers for errors has changed', { paths: ['index.html'], fallbacks: ['/index.html'] }, ['/*']],
  ['another page than that has changed', { paths: ['a.html'], fallbacks: ['/index.html'] }, ['/a.html']],
  ['it lies in a folder', { paths: ['index.html'], base: '/shop/' }, ['/shop/', '/shop/index.html']],
  ['a name has signs', { paths: ['Maße (1)*.html'] }, ['/Ma%C3%9Fe%20(1)%2A.html']],
])('when %s', (_, changed, paths) => {
  expect(invalidationPaths({ ...nothing, ...changed })).toEqual(paths);
});

test.each([
  ['<script type="module" crossorigin src="/assets/a.js"></script>', true],
  ['<link rel="stylesheet" href=/a.css>', true],
  ['<script src="./assets/a.js"></script><a href="/about">', false],
  ['<base href="/previews/pr-1/"><script src="assets/a.js"></script>', false],
  ['<script src="//cdn.example.com/a.js"></script><script src="https://x/y.js"></script>', false],
  ['<link rel="canonical" href="/">', false],
])('%s asks at the root: %j', (html, bound) => expect(isRootBound(html)).toBe(bound));

test('a page that opens tags without end is read in no time', () => {
  const started = performance.now();
  expect(isRootBound('<script '.repeat(100_000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(2000);
});
