// Real git: what a change brings, also in a checkout that holds nothing else.
import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import type { Host } from '../../src/action/host.ts';
import { findTools } from '../../src/migration/detect.ts';
import { filesOf } from '../../src/migration/files.ts';
import { type News, newMigrations, newsFindings } from '../../src/migration/new.ts';
import { toolNamed } from '../../src/migration/tools/tools.ts';
import { gitIn } from '../../src/workspace/git.ts';
import { type Tree, inTree, write } from './tree.ts';

function git(cwd: string, ...args: readonly string[]): string {
  const config = ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-c', 'protocol.file.allow=always'];
  return execFileSync('git', [...config, ...args], { cwd, encoding: 'utf8' }).trim();
}

function commit(cwd: string): string {
  git(cwd, 'add', '-A');
  git(cwd, 'commit', '-q', '-m', 'a change');
  return git(cwd, 'rev-parse', 'HEAD');
}

async function news(workspace: string, base: string): Promise<News> {
  const [found] = findTools(await filesOf(workspace), { directory: '' });
  if (found === undefined) throw new Error('nothing found');
  const tool = toolNamed(found.tool);
  const exec = localExec(process.env, new AbortController().signal);
  const host = { exec, info: { serverUrl: 'http://localhost' }, mask: () => undefined } as unknown as Host;
  const migrations = await tool.read(found, workspace);
  return newMigrations(migrations, { tool, found, base, git: gitIn(workspace, '', host) });
}

async function changed(before: Tree, after: Tree, gone: readonly string[] = []): Promise<News> {
  return inTree(before, async (workspace) => {
    git(workspace, 'init', '-q');
    const base = commit(workspace);
    await write(workspace, after);
    for (const file of gone) await rm(path.join(workspace, file));
    commit(workspace);
    return news(workspace, base);
  });
}

const names = ({ added, edited, removed }: News) => ({
  added: added.map(({ name }) => name),
  edited: edited.map(({ name }) => name),
  removed,
});

describe('a change', () => {
  test('adds, edits and removes', async () => {
    const before = { 'm/V1__a.sql': 'SELECT 1;', 'm/V2__b.sql': 'SELECT 2;', 'm/V3__c.sql': 'SELECT 3;', 'x.sql': '' };
    const found = await changed(before, { 'm/V2__b.sql': 'SELECT 22;', 'm/V4__d d.sql': 'SELECT 4;' }, [
      'm/V3__c.sql',
      'x.sql',
    ]);
    expect(names(found)).toEqual({ added: ['V4__d d'], edited: ['V2__b'], removed: ['m/V3__c.sql'] });
    expect(newsFindings(found, 'Flyway').map(({ code, place }) => [code, place.file])).toEqual([
      ['migration-edited', 'm/V2__b.sql'],
      ['migration-missing', 'm/V3__c.sql'],
    ]);
  });

  test('of a file that holds several adds those that it did not hold', async () => {
    const head = '--liquibase formatted sql\n--changeset me:1\nSELECT 1;\n';
    const found = await changed({ 'changelog.sql': head }, { 'changelog.sql': `${head}--changeset me:2\nSELECT 2;\n` });
    expect(names(found)).toEqual({ added: ['changelog.sql::2'], edited: [], removed: [] });
    const yaml = 'databaseChangeLog:\n- changeSet: {id: 1, author: me, changes: []}\n';
    const more = `${yaml}- changeSet:\n    id: "2"\n    author: me\n    changes: []\n`;
    expect(names(await changed({ 'changelog.yaml': yaml }, { 'changelog.yaml': more })).added).toEqual([
      'changelog.yaml::2',
    ]);
  });

  test('of nothing brings nothing', async () => {
    expect(names(await changed({ 'm/V1__a.sql': 'SELECT 1;' }, { 'readme.md': 'x' }))).toEqual({
      added: [],
      edited: [],
      removed: [],
    });
  });
});

describe('in a shallow checkout', () => {
  const clone = async (use: (workspace: string, base: string) => Promise<void>): Promise<void> =>
    inTree({ 'origin/m/V1__a.sql': 'SELECT 1;' }, async (root) => {
      const origin = path.join(root, 'origin');
      git(origin, 'init', '-q');
      git(origin, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
      const base = commit(origin);
      await writeFile(path.join(origin, 'm/V2__b.sql'), 'SELECT 2;');
      commit(origin);
      git(root, 'clone', '-q', '--depth=1', `file://${origin}`, 'clone');
      await use(path.join(root, 'clone'), base);
    });

  test('the base is fetched', async () => {
    await clone(async (workspace, base) => {
      expect(names(await news(workspace, base))).toEqual({ added: ['V2__b'], edited: [], removed: [] });
    });
  });

  test('a base that cannot be had is an error that says what to do', async () => {
    await clone(async (workspace, base) => {
      await rm(path.join(workspace, '..', 'origin'), { recursive: true });
      await expect(news(workspace, base)).rejects.toMatchObject({
        message: `which migrations are new is not known, as the checkout does not hold ${base.slice(0, 7)}`,
        remedy: expect.stringContaining('fetch-depth: 0'),
      });
      await expect(news(workspace, '--upload-pack=x')).rejects.toThrow('is not known');
    });
  });
});
