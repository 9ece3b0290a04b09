import { describe, expect, test } from '@jest/globals';
import { contentTypeOf, isCompressible } from '../../src/site/content-type.ts';
import { inOrder, kindOf } from '../../src/site/kind.ts';

describe('a file with a hash in its name', () => {
  // Names as the tools' own builds give them.
  test.each([
    ['Vite', 'assets/index-DiwrgTda.js'],
    ['Vite', 'assets/index-C7g64oI-.css'],
    ['Vite', 'assets/logo-_Qx3-9Zk.svg'],
    ['Vite', 'docs/assets/worker-Bp1R7zo7.js.map'],
    ['Create React App', 'static/js/main.1a2b3c4d.js'],
    ['Create React App', 'static/js/453.8ab44547.chunk.js'],
    [
      'Create React App',
      'static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg'.replace('58023cc2f8fd88fe9d219db6c6', '5802'),
    ],
    ['Next.js', '_next/static/chunks/pages/index-0c5b1a.js'],
    ['Next.js', '_next/static/hR3a_build/_buildManifest.js'],
    ['Astro', '_astro/index.DiwrgTda.css'],
    ['SvelteKit', '_app/immutable/chunks/entry.Bq1.js'],
    ['Angular', 'main-5X4HKN2P.js'],
    ['Angular', 'styles.ef46db3751d8e999.css'],
    ['Vue CLI', 'js/chunk-vendors.0f3d2a1b.js'],
    ['Docusaurus', 'assets/js/17896441.4c1f0e3b.js'],
    ['Gatsby', 'app-1c32ae4c0b4d4ae2b9c7.js'],
    ['Nuxt', '_nuxt/entry.js'],
  ])('of %s is an asset: %s', (_, file) => expect(kindOf(file)).toBe('asset'));

  test.each([
    'favicon.ico',
    'robots.txt',
    'config.json',
    'assets/photo-Portrait.png',
    'assets/main-carousel.png',
    'assets/report-20261124.pdf',
    'assets/v2-release-notes4.png',
    'assets/README-OVERVIEW.txt',
    'js/jquery.min.js',
    'static/js/vendor.js',
    'report-20261124.pdf',
    'main.js',
    '_nuxt/builds/latest.json',
    '.well-known/security.txt',
  ])('is not %s', (file) => expect(kindOf(file)).toBe('other'));

  test('is what the user says it is', () => {
    expect(kindOf('vendor/three/three.js', ['vendor/**'])).toBe('asset');
    expect(kindOf('vendor/index.html', ['vendor/**'])).toBe('page');
  });
});

test('pages come after what they name, the entry after the other pages, and workers last', () => {
  const paths = ['sw.js', 'index.html', 'about/index.html', 'favicon.ico', 'assets/index-DiwrgTda.js'];
  const files = paths.map((path) => ({ path, kind: kindOf(path) }));
  expect(inOrder(files).map(({ path }) => path)).toEqual([
    'assets/index-DiwrgTda.js',
    'favicon.ico',
    'about/index.html',
    'index.html',
    'sw.js',
  ]);
});

test.each([
  ['index.html', 'text/html; charset=utf-8'],
  ['a/app.mjs', 'text/javascript; charset=utf-8'],
  ['app.js.map', 'application/json'],
  ['app.wasm', 'application/wasm'],
  ['site.webmanifest', 'application/manifest+json'],
  ['logo.SVG', 'image/svg+xml; charset=utf-8'],
  ['font.woff2', 'font/woff2'],
  ['.well-known/apple-app-site-association', 'application/json'],
  ['.well-known/security.txt', 'text/plain; charset=utf-8'],
  ['feed.xml', 'application/xml; charset=utf-8'],
  ['photo.avif', 'image/avif'],
  ['about', 'application/octet-stream'],
  ['toString', 'application/octet-stream'],
  ['a.constructor', 'application/octet-stream'],
  ['.htaccess', 'application/octet-stream'],
])('%s is served as %s', (file, type) => expect(contentTypeOf(file)).toBe(type));

test('what is packed already is not packed again', () => {
  expect(['app.js', 'app.wasm', 'logo.svg'].map(isCompressible)).toEqual([true, true, true]);
  expect(['a.png', 'a.woff2', 'a.mp4', 'a.zip', 'a.valueOf'].map(isCompressible)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});
