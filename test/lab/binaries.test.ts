import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type FindOptions, findBinaries, findBinary, missingForBinaries } from './binaries.ts';
import { freePort } from './ports.ts';

type Answer = string | Buffer | ((response: ServerResponse) => void);

// The release host is a local server, and `go` a script that writes down how it was called and makes what it was
// told to: neither the official hosts nor a compiler are needed to see the order and the checks.
const fakeGo = `#!/bin/sh
echo "$@" >> "$GO_CALLS"
[ "$1" = version ] && echo "go version go1.26.0 linux/amd64" && exit
\${GO_SLEEP:-:} 1
make() { printf '#!/bin/sh\\necho built' > "$1"; chmod +x "$1"; }
if [ "$1" = install ]; then name=\${2%@*}; make "$GOBIN/\${name##*/}"; exit; fi
while [ "$1" != -o ]; do shift; done
folder=$2; shift 2
for package in "$@"; do make "$folder/$([ "$package" = . ] && echo etcd || basename "$package")"; done
`;

let folder = '';
let answers: Record<string, Answer> = {};
let asked: string[] = [];
let said: string[] = [];
const server = createServer((request, response) => {
  const path = request.url ?? '';
  asked.push(path);
  const answer = answers[path];
  if (answer === undefined) response.writeHead(404).end();
  else if (typeof answer === 'function') answer(response);
  else response.end(answer);
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-'));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  await writeFile(join(folder, 'go'), fakeGo, { mode: 0o755 });
  [answers, asked, said] = [{}, [], []];
});
afterEach(async () => {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  await rm(folder, { recursive: true });
});

const cache = (): string => join(folder, 'cache');
const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

function options(env: NodeJS.ProcessEnv = {}): FindOptions & { readonly env: NodeJS.ProcessEnv } {
  const { port } = server.address() as AddressInfo;
  return {
    arch: 'x64',
    patienceMs: 300,
    progress: (message) => void said.push(message),
    env: {
      PATH: `${folder}:/usr/bin:/bin`,
      GO_CALLS: join(folder, 'calls'),
      LAB_DOWNLOADS: `http://127.0.0.1:${port}/mirror/`,
      ...env,
    },
  };
}

async function goCalls(): Promise<string[]> {
  return (await readFile(join(folder, 'calls'), 'utf8').catch(() => '')).trim().split('\n');
}

async function program(path: string, version: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho "${version}"\n`, { mode: 0o755 });
  return path;
}

/** Every file of the cache, so that something left behind is seen. */
async function cached(): Promise<string[]> {
  const entries = await readdir(cache(), { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

async function archive(member: string, content: string): Promise<Buffer> {
  const root = join(folder, 'archive');
  await mkdir(join(root, member, '..'), { recursive: true });
  await writeFile(join(root, member), content);
  const { stdout, status } = spawnSync('tar', ['--create', '--gzip', `--directory=${root}`, member]);
  expect(status).toBe(0);
  return stdout;
}

test('what is installed in a fitting version comes first, KUBEBUILDER_ASSETS before PATH', async () => {
  const onPath = await program(join(folder, 'kube-apiserver'), 'Kubernetes v1.36.0-eks-1a2b3c4');
  expect(await findBinary('kube-apiserver', cache(), options())).toBe(onPath);
  const assets = await program(join(folder, 'assets', 'kube-apiserver'), 'Kubernetes v1.36.9');
  const env = { KUBEBUILDER_ASSETS: join(folder, 'assets') };
  expect(await findBinary('kube-apiserver', cache(), options(env))).toBe(assets);
  expect(asked).toEqual([]);
});

test.each([
  ['kubelet', 'Kubernetes v1.35.4'],
  ['etcd', 'etcd Version: 3.4.23'],
  ['act', 'act version 0.2.61'],
  ['buildx', 'github.com/docker/buildx 0.0.0+unknown'],
  ['kwok', 'it crashed'],
] as const)('an installed %s that says «%s» does not fit', async (name, version) => {
  const unfit = await program(join(folder, name), version);
  expect(await findBinary(name, cache(), options())).not.toBe(unfit);
});

test.each([
  ['etcd', 'etcd Version: 3.6.4'],
  ['act', 'act version 0.2.90'],
  ['buildx', 'github.com/docker/buildx v0.40.0 5fe3'],
  ['kwok', 'kwok version v0.8.1 go1.26.8 (linux/amd64)'],
] as const)('an installed %s that says «%s» fits', async (name, version) => {
  const fit = await program(join(folder, name), version);
  expect(await findBinary(name, cache(), options())).toBe(fit);
});

test.each([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
])('on %s the releases for %s are downloaded, checked and unpacked, once', async (arch, name) => {
  const actName = name === 'amd64' ? 'x86_64' : name;
  const etcd = await archive(`etcd-v3.7.3-linux-${name}/etcd`, 'etcd itself');
  const act = await archive('act', 'act itself');
  const scheduler = `/mirror/dl.k8s.io/release/v1.36.3/bin/linux/${name}/kube-scheduler`;
  const github = (path: string): string => `/mirror/github.com/${path}`;
  const others = `${sha256('other')}  etcd-v3.7.3-darwin-${name}.zip\n`;
  const digest = { assets: [{ name: `kwok-linux-${name}`, digest: `sha256:${sha256('kwok itself')}` }] };
  answers = {
    [scheduler]: 'scheduler itself',
    [`${scheduler}.sha256`]: sha256('scheduler itself'),
    [github(`etcd-io/etcd/releases/download/v3.7.3/etcd-v3.7.3-linux-${name}.tar.gz`)]: etcd,
    [github('etcd-io/etcd/releases/download/v3.7.3/SHA256SUMS')]:
      `${others}${sha256(etcd)}  etcd-v3.7.3-linux-${name}.tar.gz\n`,
    [github(`nektos/act/releases/download/v0.2.89/act_Linux_${actName}.tar.gz`)]: act,
    [github('nektos/act/releases/download/v0.2.89/checksums.txt')]:
      `${others}${sha256(act)}  act_Linux_${actName}.tar.gz\n`,
    [github(`docker/buildx/releases/download/v0.38.2/buildx-v0.38.2.linux-${name}`)]: 'buildx itself',
    [github('docker/buildx/releases/download/v0.38.2/checksums.txt')]:
      `${others}${sha256('buildx itself')} *buildx-v0.38.2.linux-${name}\n`,
    [github(`kubernetes-sigs/kwok/releases/download/v0.8.0/kwok-linux-${name}`)]: 'kwok itself',
    '/mirror/api.github.com/repos/kubernetes-sigs/kwok/releases/tags/v0.8.0': JSON.stringify(digest),
  };
  const names = ['kube-scheduler', 'etcd', 'act', 'buildx', 'kwok'] as const;
  const paths = await findBinaries(names, cache(), { ...options(), arch });
  const contents = await Promise.all(names.map(async (one) => readFile(paths[one], 'utf8')));
  expect(contents).toEqual(['scheduler itself', 'etcd itself', 'act itself', 'buildx itself', 'kwok itself']);
  expect((await cached()).toSorted()).toEqual([...names].toSorted());
  asked = [];
  expect(await findBinaries(names, cache(), { ...options(), arch })).toEqual(paths);
  expect(asked).toEqual([]);
  expect(await goCalls()).toEqual(['']);
});

test.each<['kube-proxy' | 'kubelet', string]>([
  ['kube-proxy', 'other bytes than the published sum counts'],
  ['kubelet', 'a published sum that agrees, but not the pinned one'],
])('%s with a wrong checksum is refused: %s; nothing of it stays and nothing is built', async (name) => {
  const path = `/mirror/dl.k8s.io/release/v1.36.3/bin/linux/amd64/${name}`;
  const published = name === 'kubelet' ? 'changed' : 'genuine';
  answers = { [path]: 'changed', [`${path}.sha256`]: `${sha256(published)}\n` };
  const refused = findBinary(name, cache(), options());
  await expect(refused).rejects.toThrow(`has the SHA-256 ${sha256('changed')}, but`);
  await expect(refused).rejects.toThrow(path);
  expect(await cached()).toEqual([]);
  expect(await goCalls()).toEqual(['']);
});

const breakOff = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-length': 9 }).write('1', () => response.destroy());
};
const stall = (response: ServerResponse): void => void response.writeHead(200, { 'content-length': 9 }).write('1');

test.each<[string, Record<string, Answer>, string]>([
  ['is not there', {}, 'for kube-proxy.sha256: it answers 404'],
  ['has no checksum', { '.sha256': 'nothing here' }, 'has no SHA-256 of kube-proxy'],
  ['breaks off', { '.sha256': sha256('x'), '': breakOff }, 'for kube-proxy: '],
  ['stops in the middle', { '.sha256': sha256('x'), '': stall }, 'for kube-proxy: sent nothing for 1.2 s'],
])('a release that %s is built instead, and it is said why', async (_, given, why) => {
  for (const [ending, answer] of Object.entries(given)) {
    answers[`/mirror/dl.k8s.io/release/v1.36.3/bin/linux/amd64/kube-proxy${ending}`] = answer;
  }
  expect(await readFile(await findBinary('kube-proxy', cache(), options()), 'utf8')).toContain('echo built');
  expect(said.join('\n')).toContain(why);
  expect(await cached()).toEqual(['kube-proxy']);
});

test('a host that does not answer is given up soon and asked once; one build makes all of a module', async () => {
  let connections = 0;
  const silent = createServer(() => void (connections += 1));
  await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
  const env = { LAB_DOWNLOADS: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` };
  const began = Date.now();
  const names = ['kube-scheduler', 'kubelet', 'etcd', 'kube-proxy'] as const;
  const paths = await findBinaries(names, cache(), options(env));
  silent.closeAllConnections();
  silent.close();
  expect(Date.now() - began).toBeLessThan(2500);
  expect(connections).toBe(1);
  expect(Object.keys(paths).toSorted()).toEqual([...names].toSorted());
  expect((await cached()).toSorted()).toEqual([...names].toSorted());
  const stamp = ['gitVersion=v1.36.3', 'gitMajor=1', 'gitMinor=36'].map(
    (one) => `-X k8s.io/component-base/version.${one}`,
  );
  const packages = ['kube-scheduler', 'kubelet', 'kube-proxy'].map((one) => `k8s.io/kubernetes/cmd/${one}`);
  expect(await goCalls()).toEqual([
    expect.stringMatching(`^build -trimpath -ldflags -s -w ${stamp.join(' ')} -o \\S+/ ${packages.join(' ')}$`),
    expect.stringMatching(/^build -trimpath -ldflags -s -w -o \S+\/ \.$/),
  ]);
});

test('a build says that it still runs and for how long', async () => {
  const env = { LAB_DOWNLOADS: `http://127.0.0.1:${await freePort()}`, GO_SLEEP: 'sleep' };
  await findBinary('act', cache(), { ...options(env), everyMs: 200 });
  expect(said[1]).toMatch(/can't be reached: connect ECONNREFUSED/);
  expect(said[2]).toBe('builds act v0.2.89 from source by Go: takes minutes, once');
  expect(said.slice(3)).toEqual(expect.arrayContaining(['still builds act: 1 s']));
});

test('without a release and without Go it is said what is missing, before and after', async () => {
  await rm(join(folder, 'go'));
  const env = { LAB_DOWNLOADS: `http://127.0.0.1:${await freePort()}`, PATH: folder };
  expect(await missingForBinaries(['kwok', 'etcd'], cache(), options(env))).toEqual([
    { what: 'Go 1.21 or newer, which builds kwok as no release can be reached', packages: ['golang-go'] },
  ]);
  await expect(findBinary('kwok', cache(), options(env))).rejects.toThrow(
    "Go can't build kwok: there is no go on PATH",
  );
  expect(await cached()).toEqual([]);
  expect(await missingForBinaries(['kwok'], cache(), options({ PATH: folder }))).toEqual([]);
  await program(join(folder, 'kwok'), 'kwok version v0.8.0');
  expect(await missingForBinaries(['kwok'], cache(), options(env))).toEqual([]);
});

test('a Go older than what fetches its successors does not count', async () => {
  await program(join(folder, 'go'), 'go version go1.19.8 linux/amd64');
  const env = { LAB_DOWNLOADS: `http://127.0.0.1:${await freePort()}` };
  expect(await missingForBinaries(['kwok'], cache(), options(env))).toHaveLength(1);
});

test('two that look for the same binary at once both get it whole', async () => {
  const env = { LAB_DOWNLOADS: `http://127.0.0.1:${await freePort()}`, GO_SLEEP: 'sleep' };
  const paths = await Promise.all([1, 2].map(async () => findBinary('etcd', cache(), options(env))));
  expect(new Set(paths).size).toBe(1);
  expect(await cached()).toEqual(['etcd']);
});
