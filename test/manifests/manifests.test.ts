import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { imagesOf, imagesWithoutDigest, nameOf, replaceImages } from '../../src/manifests/images.ts';
import { loadManifests } from '../../src/manifests/load.ts';
import { parseManifest } from '../../src/manifests/parse.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'manifests-'));
  const files = {
    'k8s/b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n',
    'k8s/deep/a.yml': '# note\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
    'k8s/notes.txt': 'not a manifest',
    'twice.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n',
    'broken.yaml': 'apiVersion: v1\nkind: [\n',
    'halves.yaml': 'kind: ConfigMap\n---\napiVersion: v1\nkind: Secret\nmetadata: {}\n',
  };
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
});
afterAll(async () => rm(root, { recursive: true }));

describe('loadManifests', () => {
  test('reads directories in depth and sorted, files once, and knows lines', async () => {
    const documents = await loadManifests(['k8s', 'k8s/*.yaml'], root);
    expect(documents.map(({ object, file, line }) => [object.metadata.name, file, line])).toEqual([
      ['b', 'k8s/b.yaml', 1],
      ['a', 'k8s/deep/a.yml', 2],
    ]);
  });

  test('tells all problems at once, each at its place', async () => {
    const loading = loadManifests(['nothing/**', '../etc', 'broken.yaml', 'halves.yaml', 'k8s', 'twice.yaml'], root);
    await expect(loading).rejects.toMatchObject({
      problems: [
        { message: 'manifests: "nothing/**" matches no .yaml, .yml or .json file' },
        { message: 'manifests: "../etc" matches no .yaml, .yml or .json file' },
        { place: { file: 'broken.yaml' } },
        { message: 'this document has no apiVersion, no metadata.name', place: { file: 'halves.yaml', line: 1 } },
        { message: 'this document has no metadata.name', place: { file: 'halves.yaml', line: 3 } },
        { message: 'ConfigMap/b stands here and in k8s/b.yaml:1', place: { file: 'twice.yaml', line: 1 } },
      ],
    });
  });
});

describe('parseManifest', () => {
  test('reads scalars as Kubernetes does, and never expands expressions', () => {
    const text =
      'apiVersion: v1\nkind: X\nmetadata: {name: x}\nmode: 0644\nnew: 0o17\nlong: 1_000\nyes: on\nv: "${{ secrets.A }}"\ntime: 12:30\nday: 2020-01-01\nhalf: 0.5\nver: 1.2.3\n';
    expect(parseManifest(text, 'x.yaml').documents[0]?.object).toMatchObject({
      mode: 420,
      new: 15,
      long: 1000,
      true: true,
      v: '${{ secrets.A }}',
      time: '12:30',
      day: '2020-01-01',
      half: 0.5,
      ver: '1.2.3',
    });
  });

  test('takes lists apart and says where YAML breaks', () => {
    const item = (name: string): object => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name } });
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [item('a'), item('b')] });
    expect(parseManifest(list, 'l.json').documents.map(({ object }) => object.metadata.name)).toEqual(['a', 'b']);
    expect(parseManifest('a: b\n\tc: d\n', 't.yaml').problems[0]).toMatchObject({ place: { file: 't.yaml', line: 2 } });
  });

  test('refuses a text that grows without bound', () => {
    const bomb = `a: &a x\nb: [${Array.from({ length: 300 }, () => '*a').join(', ')}]\n`;
    expect(parseManifest(bomb, 'bomb.yaml').problems).toHaveLength(1);
  });

  test.each([
    [
      'few aliases that multiply',
      Array.from({ length: 10 }, (_, i) => `l${i}: &l${i} [${`${i === 0 ? 'x' : `*l${i - 1}`}, `.repeat(10)}]`).join(
        '\n',
      ),
    ],
    ['an alias within itself', 'data: &a [*a]'],
  ])('refuses %s', (_what, text) => {
    const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
    const { documents, problems } = parseManifest(head + text, 'bomb.yaml');
    expect(documents).toEqual([]);
    expect(problems).toMatchObject([{ message: expect.stringContaining('aliases'), place: { file: 'bomb.yaml' } }]);
  });

  test('says that a generated name cannot be applied', () => {
    const text = 'apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}\n';
    expect(parseManifest(text, 'j.yaml').problems[0]?.remedy).toContain('generateName');
  });
});

const DIGEST = `sha256:${'a'.repeat(64)}`;
const workload = (kind: string, path: readonly string[], image: string) => {
  let spec: object = { containers: [{ name: 'c', image }], initContainers: [{ name: 'i', image }] };
  for (const step of path.toReversed()) spec = { [step]: spec };
  return {
    object: { apiVersion: 'v1', kind, metadata: { name: 'x' }, ...spec },
    file: 'x.yaml',
    line: 7,
  };
};

describe('images', () => {
  test.each([
    ['api', 'library path', { path: 'api', last: 'api' }],
    ['host:5000/a/b:t@sha256:1', 'host, port, tag and digest', { path: 'a/b', last: 'b' }],
    ['localhost/a', 'localhost', { path: 'a', last: 'a' }],
    ['team/api:1', 'no host', { path: 'team/api', last: 'api' }],
  ])('%s (%s)', (image, _what, name) => expect(nameOf(image)).toEqual(name));

  test.each([
    ['Pod', ['spec']],
    ['Deployment', ['spec', 'template', 'spec']],
    ['CronJob', ['spec', 'jobTemplate', 'spec', 'template', 'spec']],
  ])('are replaced in a %s by last part or whole path', (kind, path) => {
    for (const name of ['b', 'a/b']) {
      const [replaced] = replaceImages([workload(kind, path, 'host:5000/a/b:t')], [`${name}=r.example/b@${DIGEST}`]);
      expect(replaced && imagesOf(replaced.object)).toEqual([`r.example/b@${DIGEST}`, `r.example/b@${DIGEST}`]);
    }
  });

  test('a name that no container has is told with the names there are', () => {
    const documents = [workload('Pod', ['spec'], 'team/api:1')];
    expect(() => replaceImages(documents, ['apj=x'])).toThrow('"apj"');
    expect(() => replaceImages(documents, ['apj=x', 'apk=y'])).toThrow('the names there are: team/api');
  });

  test('without a digest are told at their document', () => {
    const documents = [workload('Pod', ['spec'], 'api:1'), workload('Pod', ['spec'], `api@${DIGEST}`)];
    expect(imagesWithoutDigest(documents).map(({ place }) => place)).toEqual([
      { file: 'x.yaml', line: 7 },
      { file: 'x.yaml', line: 7 },
    ]);
  });
});
