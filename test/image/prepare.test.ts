import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import type { Host } from '../../src/action/host.ts';
import { workflowLog } from '../../src/action/log.ts';
import { systemClock } from '../../src/action/main.ts';
import { serving } from '../aws/server.ts';
import type { ImageInputs } from '../../src/image/inputs.ts';
import { prepareImage } from '../../src/image/prepare.ts';
import type { ImageRecipe } from '../../src/image/recipe.ts';
import { readerOf } from '../../src/project/project.ts';

let folder = '';
let tools = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'prepare-'));
  tools = mkdtempSync(path.join(tmpdir(), 'tools-'));
  // A stand-in for docker, which builds nothing: the tag that it is told is what counts here.
  writeFileSync(path.join(tools, 'docker'), '#!/bin/sh\necho "$@"\n');
  chmodSync(path.join(tools, 'docker'), 0o755);
});
afterEach(() => [folder, tools].forEach((one) => rmSync(one, { recursive: true })));

const recipe: ImageRecipe = {
  base: 'scratch',
  generate: () => '',
  ignored: ['**/node_modules'],
  settings: '',
  secrets: new Map(),
  before: 'build',
};

function write(files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
}

interface Wish {
  readonly project?: string;
  readonly registry?: string;
  readonly more?: Partial<ImageRecipe>;
  readonly given?: Partial<ImageInputs>;
  readonly scripts?: () => void;
}

/** The tag of the image of a folder with a Dockerfile of its own, where `scripts` run before it is built. */
async function tagOf(wish: Wish = {}): Promise<string> {
  const { lines } = await delivered(wish);
  return /--tag=shop:(content-[0-9a-f]{40})/.exec(lines.join('\n'))?.[1] ?? lines.join('\n');
}

async function delivered({ project = '', registry, more = {}, given = {}, scripts = () => undefined }: Wish) {
  const env = { PATH: `${tools}${path.delimiter}${process.env['PATH']}` };
  const { signal } = new AbortController();
  const lines: string[] = [];
  const host = {
    env,
    info: { temp: path.join(tools, 'temp'), workspace: folder, serverUrl: '', repository: '', sha: '', ref: '' },
    log: workflowLog((line) => void lines.push(line)),
    clock: systemClock,
    exec: localExec(env, signal),
    signal,
    mask: () => undefined,
  } as unknown as Host;
  const inputs = {
    baseImage: '',
    buildArgs: new Map(),
    buildSecrets: new Map(),
    ssh: [],
    platforms: [],
    cache: true,
    ...given,
  } as unknown as ImageInputs;
  const directory = path.join(folder, project);
  const to =
    registry === undefined ? {} : { registry: { kind: 'oci', host: registry, username: '', password: '' } as const };
  const image = { name: 'shop', dockerfile: 'Dockerfile', ...to };
  const opened = { directory, workspace: folder, read: readerOf(directory) };
  const prepared = await prepareImage(inputs, image, opened, { ...recipe, ...more }, host);
  scripts();
  return { built: await prepared.deliver(), lines };
}

describe('the content tag of an image by a Dockerfile of its own', () => {
  const build = () => write({ 'dist/app.js': 'made' });

  test('changes with sources that the ignore file keeps out, where a script writes what is copied', async () => {
    write({ Dockerfile: 'FROM scratch\nCOPY dist /\n', '.dockerignore': '*\n!dist\n', 'src/app.ts': 'one' });
    const first = await tagOf({ scripts: build });
    rmSync(path.join(folder, 'dist'), { recursive: true });
    expect(await tagOf({ scripts: build })).toBe(first);
    rmSync(path.join(folder, 'dist'), { recursive: true });
    write({ 'src/app.ts': 'two' });
    expect(await tagOf({ scripts: build })).not.toBe(first);
  });

  test('stays with them where no script writes into the context', async () => {
    write({ Dockerfile: 'FROM scratch\nCOPY src /\n', '.dockerignore': 'docs\nnode_modules\n', 'src/app.ts': 'one' });
    const scripts = () => write({ 'node_modules/a/index.js': '' });
    const first = await tagOf({ scripts });
    write({ 'docs/readme.md': 'new' });
    expect(await tagOf({ scripts })).toBe(first);
  });

  test('changes with a package of the workspace that its own build reads', async () => {
    const Dockerfile = 'FROM scratch\nCOPY dist /\n';
    write({ 'web/Dockerfile': Dockerfile, 'web/a.ts': '', 'ui/b.ts': 'one', 'other/c.ts': 'one', 'lock.json': '1' });
    const more = { sources: folder, ignored: ['other', 'web/dist'], instead: new Map([['lock.json', 'for web']]) };
    const scripts = () => write({ 'web/dist/app.js': 'made' });
    const tag = async () => {
      rmSync(path.join(folder, 'web/dist'), { recursive: true, force: true });
      return tagOf({ project: 'web', more, scripts });
    };
    const first = await tag();
    write({ 'other/c.ts': 'two', 'lock.json': '2' });
    expect(await tag()).toBe(first);
    write({ 'ui/b.ts': 'two' });
    expect(await tag()).not.toBe(first);
  });

  test('changes with the secrets that a step may look for, not with their values', async () => {
    write({ Dockerfile: 'FROM scratch\n' });
    const given = async (id: string, value: string) => tagOf({ given: { buildSecrets: new Map([[id, value]]) } });
    const first = await given('licence', 'one');
    expect(await given('licence', 'two')).toBe(first);
    expect(await tagOf()).not.toBe(first);
    expect(await tagOf({ given: { ssh: ['default'] } })).not.toBe(await tagOf());
  });
});

test('an image that another job pushed meanwhile is used, and is not taken for our own', async () => {
  write({ Dockerfile: 'FROM scratch\n' });
  writeFileSync(path.join(tools, 'docker'), "#!/bin/sh\necho 'ERROR: the tag is immutable' >&2\nexit 1\n");
  const digest = `sha256:${'a'.repeat(64)}`;
  const answers = [
    { status: 404, body: '' },
    { status: 202, body: '' },
    { status: 200, body: '', headers: { 'docker-content-digest': digest } },
  ];
  await serving(answers, async (url) => {
    const { built } = await delivered({ registry: url.replace('http://', '') });
    expect(built).toMatchObject({ digest, reused: true });
  });
});
