import { describe, expect, test } from '@jest/globals';
import { findSite } from '../../src/site/find.ts';
import { withFiles } from './folder.ts';

const using = (...names: string[]): string =>
  JSON.stringify({ devDependencies: Object.fromEntries(names.map((n) => [n, '1'])) });
const find = async (files: Readonly<Record<string, string>>, site = '', directory = '.') =>
  withFiles(files, async (folder) => findSite(folder, directory, site));

describe('the built site', () => {
  test.each([
    ['Vite', { 'package.json': using('vite', 'react') }, 'dist'],
    [
      'Vite',
      { 'package.json': using('vite'), 'vite.config.ts': "export default { build: { outDir: 'out/web' } }" },
      'out/web',
    ],
    ['Create React App', { 'package.json': using('react-scripts') }, 'build'],
    ['Next.js', { 'package.json': using('next', 'react') }, 'out'],
    [
      'Astro',
      { 'package.json': using('astro', 'vite'), 'astro.config.mjs': 'export default { outDir: "./public-site" }' },
      'public-site',
    ],
    ['Angular', { 'package.json': using('@angular/core') }, 'dist/shop/browser'],
    ['Angular', { 'package.json': using('@angular/core'), 'angular.json': '{"outputPath": "www"}' }, 'www'],
    ['Vue CLI', { 'package.json': using('@vue/cli-service') }, 'dist'],
    ['SvelteKit', { 'package.json': using('@sveltejs/kit', 'vite') }, 'build'],
    ['Docusaurus', { 'package.json': using('@docusaurus/core') }, 'build'],
    ['Gatsby', { 'package.json': using('gatsby') }, 'public'],
  ])('of %s (%j) lies in %s', async (tool, files, folder) => {
    expect(await find({ ...files, [`${folder}/index.html`]: '' })).toEqual({ folder, tool });
  });

  test('is the one that the input names, in its directory', async () => {
    expect(await find({ 'web/www/index.html': '' }, 'www', 'web')).toEqual({ folder: 'web/www', tool: '' });
  });

  test('is looked for in every place where no package.json tells the tool', async () => {
    expect((await find({ 'out/index.html': '' })).folder).toBe('out');
  });

  test.each([
    [{ 'package.json': using('vite') }, '', 'no index.html in dist (Vite)'],
    [{ 'package.json': using('express') }, '', 'names none of Next.js, Astro'],
    [{ 'www/a.txt': '' }, 'www', 'The folder www has no page: there is a.txt'],
    [{}, 'www', 'there is no such folder'],
    [{}, '../elsewhere', 'leads out of the repository'],
    [{ 'package.json': '{' }, '', 'package.json is not JSON'],
  ])('that is missing (%j, %j) is told: %s', async (files, site, said) => {
    await expect(find(files, site)).rejects.toThrow(said);
  });

  test('is never looked for outside of the project, whatever a configuration says', async () => {
    const files = {
      'package.json': using('vite'),
      'vite.config.js': "export default { build: { outDir: '../../etc' } }",
    };
    await expect(find(files)).rejects.toThrow(/no index\.html in dist \(Vite\)$/);
  });
});
