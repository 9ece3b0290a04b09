import { mkdirSync, writeFileSync } from 'node:fs';
import { chmod, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { UserError } from '../../src/action/errors.ts';
import { type Content, contentHash, contextFiles } from '../../src/container/content.ts';
import { parseIgnore } from '../../src/container/dockerignore.ts';
import { type Entry, withFolder } from './folder.ts';

const names = async (files: Record<string, Entry>, dockerfile?: string): Promise<readonly string[]> =>
  withFolder(files, async (folder) =>
    (await contextFiles(folder, dockerfile && join(folder, dockerfile))).map(({ path }) => path),
  );

const hashOf = async (files: Record<string, Entry>, rest: Partial<Content> = {}): Promise<string> =>
  withFolder(files, async (folder) =>
    contentHash({ files: await contextFiles(folder), dockerfile: 'FROM scratch', ...rest }),
  );

describe('contextFiles', () => {
  test('leaves what the ignore file leaves, sorted, .git never', async () => {
    const files = { '.dockerignore': '*.log\n', b: '', 'a/x.js': '', 'app.log': '', '.git/HEAD': '', 'a/.git': '' };
    expect(await names(files)).toEqual(['.dockerignore', 'a/x.js', 'b']);
  });

  test("takes the Dockerfile's own ignore file first", async () => {
    const files = { '.dockerignore': 'a', 'sub/x.Dockerfile.dockerignore': 'b\nsub', a: '', b: '' };
    expect(await names(files, 'sub/x.Dockerfile')).toEqual(['.dockerignore', 'a']);
    expect(await names(files)).toEqual(['.dockerignore', 'b', 'sub/x.Dockerfile.dockerignore']);
  });

  test('reads a folder again that an exception reaches into', async () => {
    const files = { '.dockerignore': 'a\n!a/b/keep', 'a/b/keep/x': '', 'a/b/y': '', 'a/z': '' };
    expect(await names(files)).toEqual(['.dockerignore', 'a/b/keep/x']);
  });

  test('takes links as links, also where they lead in a circle, and names of every kind', async () => {
    const files = { a: { link: 'b' }, b: { link: 'a' }, 'in/self': { link: '..' }, 'dé pôt/mon fichier 文.js': '' };
    expect(await names(files)).toEqual(['a', 'b', 'dé pôt/mon fichier 文.js', 'in/self']);
    expect(await hashOf(files)).not.toBe(await hashOf({ ...files, b: { link: 'in' } }));
  });

  test('of 50,000 files', async () => {
    await withFolder({}, async (folder) => {
      for (let group = 0; group < 50; group += 1) {
        mkdirSync(join(folder, `${group}`));
        for (let file = 0; file < 1000; file += 1) writeFileSync(join(folder, `${group}/${file}`), `${file}`);
      }
      const files = await contextFiles(folder);
      expect(files).toHaveLength(50_000);
      const before = await contentHash({ files, dockerfile: '' });
      writeFileSync(join(folder, '49/999'), 'changed');
      expect(await contentHash({ files, dockerfile: '' })).not.toBe(before);
    });
  }, 120_000);

  test.each(['!', '[', 'a[]b', 'x[a-]', 'ok\n[b-a]', 'end\\'])('refuses the pattern %j with its line', (text) => {
    const line = text.split('\n').length;
    expect(() => parseIgnore(text)).toThrow(UserError);
    expect(() => parseIgnore(text)).toThrow(expect.objectContaining({ place: { file: '.dockerignore', line } }));
  });
});

describe('contentHash', () => {
  const files = { 'a.js': 'let a', 'run.sh': { x: '#!/bin/sh' }, link: { link: 'a.js' } };

  test('is the same in another folder, at another time, with another umask', async () => {
    const other = await withFolder(files, async (folder) => {
      await utimes(join(folder, 'a.js'), 1, 1);
      await chmod(join(folder, 'a.js'), 0o600);
      return contentHash({ files: await contextFiles(folder), dockerfile: 'FROM scratch' });
    });
    expect(other).toBe(await hashOf(files));
    expect(other).toMatch(/^[0-9a-f]{64}$/);
  });

  test('stays the same from version to version of this product', async () => {
    expect(await hashOf(files)).toBe('bb7fb471009cd56b69d96aafed367c814df05848f7e5dbc43b85fcbbb99397e2');
  });

  test.each<[string, Record<string, Entry>, Partial<Content>?]>([
    ['bytes', { ...files, 'a.js': 'let b' }],
    ['a name', { 'b.js': 'let a', 'run.sh': { x: '#!/bin/sh' }, link: { link: 'a.js' } }],
    ['the executable bit', { ...files, 'run.sh': '#!/bin/sh' }],
    ["a link's target", { ...files, link: { link: 'run.sh' } }],
    ['a file in place of a link', { ...files, link: 'a.js' }],
    ['a new file', { ...files, new: '' }],
    ['the Dockerfile', files, { dockerfile: 'FROM node' }],
    ['a build argument', files, { buildArgs: { A: '1' } }],
    ['a platform', files, { platforms: ['linux/arm64'] }],
    ['the target', files, { target: 'test' }],
    ['the base', files, { bases: { node: 'sha256:1' } }],
    ['a label', files, { labels: { a: 'b' } }],
  ])('differs with %s', async (_, changed, rest = {}) => {
    expect(await hashOf(changed, rest)).not.toBe(await hashOf(files));
  });

  test('does not count the order of arguments and platforms', async () => {
    const some = { buildArgs: { A: '1', B: '2' }, platforms: ['linux/arm64', 'linux/amd64'] };
    const same = { buildArgs: { B: '2', A: '1' }, platforms: ['linux/amd64', 'linux/arm64', 'linux/amd64'] };
    expect(await hashOf(files, some)).toBe(await hashOf(files, same));
  });

  test('sums a large file as a stream', async () => {
    const large = 'x'.repeat(3_000_000);
    expect(await hashOf({ large })).not.toBe(await hashOf({ large: `${large.slice(1)}y` }));
  });
});
