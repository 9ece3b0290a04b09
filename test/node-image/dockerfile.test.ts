import { describe, expect, test } from '@jest/globals';
import { generateDockerfile, planDockerfile } from '../../src/node-image/dockerfile.ts';
import { basesOf } from '../../src/container/bases.ts';
import { generateIgnore } from '../../src/container/ignore-file.ts';
import { parseIgnore } from '../../src/container/dockerignore.ts';
import { npmrcFor, npmrcSecrets } from '../../src/node-image/npmrc.ts';
import { startCommand } from '../../src/node-image/start.ts';
import type { ManagerName } from '../../src/node/package-manager.ts';

type Files = Readonly<Record<string, string>>;

const reader =
  (project: object, files: Files = {}) =>
  (file: string) =>
    file === 'package.json' ? JSON.stringify(project) : files[file];

const lockfiles = {
  npm: 'package-lock.json',
  pnpm: 'pnpm-lock.yaml',
  'yarn-classic': 'yarn.lock',
  'yarn-berry': 'yarn.lock',
  bun: 'bun.lock',
};

function dockerfile(project: object, files: Files = {}, name: ManagerName = 'npm', version?: string): string {
  const install: [string, ...string[]] =
    name === 'npm' ? ['npm', 'ci'] : [name.replace(/-.*/, ''), 'install', '--frozen-lockfile'];
  const manager = { name, lockfile: lockfiles[name], install, ...(version === undefined ? {} : { version }) };
  return generateDockerfile(planDockerfile(reader(project, files), { base: 'node:24-slim', manager }));
}

const commands = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .join('\n');

describe('generateDockerfile', () => {
  test('needs nothing but the base where there are no dependencies', () => {
    const text = dockerfile({ scripts: { start: 'node src/server.js' } });
    expect(commands(text)).toBe(`FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --link . .
USER 1000:1000
CMD ["node", "src/server.js"]`);
    expect(text).not.toMatch(/HEALTHCHECK|^ARG/m);
  });

  test('builds in one stage, installs for production in another, and keeps neither tool nor cache', () => {
    const text = dockerfile({
      scripts: { build: 'tsc', start: 'node dist/server.js' },
      dependencies: { fastify: '5' },
      devDependencies: { typescript: '6' },
    });
    expect(commands(text)).toBe(`FROM node:24-slim AS base
WORKDIR /app
FROM base AS build
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm \\
    npm ci
COPY . .
RUN npm run build && rm -rf node_modules
FROM base AS dependencies
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm \\
    npm ci --omit=dev --no-audit --no-fund
FROM base
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app ./
USER 1000:1000
CMD ["node", "dist/server.js"]`);
  });

  test('builds without an install where nothing is to be installed', () => {
    const text = commands(dockerfile({ main: 'out.js', scripts: { build: 'node make.js' } }));
    expect(text).toContain('COPY . .\nRUN npm run build\nFROM base\n');
    expect(text).not.toContain('npm ci');
  });

  test('does not install development dependencies that nothing uses', () => {
    const text = dockerfile({ main: 'a.js', devDependencies: { jest: '30' } }, { 'a.js': '' });
    expect(text).not.toContain('npm ci');
  });

  test('copies all sources first where the install may use them, and says why', () => {
    const text = dockerfile({ main: 'a.js', workspaces: ['packages/*'] }, { 'a.js': '' });
    expect(text).toContain('# All sources before the install: each workspace has a package.json.\nCOPY . .\n');
    expect(text).toContain('COPY --link --from=dependencies /app ./\n');
    expect(
      dockerfile({ main: 'a.js', dependencies: { a: '1' }, scripts: { postinstall: 'x' } }, { 'a.js': '' }),
    ).toContain('the script postinstall may use them');
  });

  test('leaves prepare out of the production install', () => {
    const project = { dependencies: { a: '1' }, scripts: { start: 'node a.js', prepare: 'husky' } };
    expect(dockerfile(project)).toContain('RUN npm pkg delete scripts.prepare\n');
  });

  test.each<[ManagerName, string | undefined, string, string]>([
    ['pnpm', '10.1.0', 'npm install --global pnpm@10.1.0', 'pnpm install --frozen-lockfile --prod'],
    ['pnpm', undefined, 'npm install --global pnpm@10', 'pnpm install --frozen-lockfile --prod'],
    ['yarn-classic', '1.22.22', 'npm install --global --force yarn@1.22.22', '--production'],
    ['yarn-berry', '4.9.1', '--force @yarnpkg/cli-dist@4.9.1', 'YARN_NODE_LINKER=node-modules yarn workspaces focus'],
    ['bun', '1.3.0', 'npm install --global bun@1.3.0', 'bun install --frozen-lockfile --production'],
  ])('brings %s %s', (name, version, tool, production) => {
    const text = dockerfile({ dependencies: { a: '1' }, scripts: { start: 'node a.js' } }, {}, name, version);
    expect(text).toContain(`FROM base AS tools\nRUN --mount=type=cache,target=/root/.npm \\\n    npm install`);
    expect(text).toContain(tool);
    expect(text).toContain(production);
    expect(text).toContain(`COPY package.json ${lockfiles[name]} ./`);
    expect(text).toMatch(/\nFROM base\nENV/);
    const shelled = dockerfile({ dependencies: { a: '1' }, scripts: { start: 'pnpm x && y' } }, {}, name, version);
    expect(shelled).toMatch(/\nFROM tools\nENV/);
  });

  test('hands the settings of npm over as a secret', () => {
    const manager = { name: 'npm', lockfile: 'package-lock.json', install: ['npm', 'ci'] } as const;
    const read = reader({ dependencies: { a: '1' }, scripts: { start: 'node a.js' } });
    const text = generateDockerfile(planDockerfile(read, { base: 'node:24-slim', manager, npmrc: true }));
    expect(text).toContain(
      '    --mount=type=secret,id=npmrc,required=true,target=/root/.npmrc \\\n    npm ci --omit=dev',
    );
  });

  const builds = {
    scripts: { start: 'node a.js', build: 'tsc' },
    dependencies: { a: '1' },
    devDependencies: { b: '1' },
  };
  const stages = (text: string): readonly string[] => commands(text).split(/(?=^FROM)/m);

  test.each([
    // A hook needs git, which the image does not have; installs stay cached.
    ['husky', 'COPY package.json package-lock.json ./\nRUN npm pkg delete scripts.prepare\n'],
    // Anything else may be a part of the build, and needs the sources then.
    ['svelte-kit sync', 'COPY . .\nRUN --mount'],
  ])('a script prepare that is %j, in the stage that builds', (prepare, expected) => {
    const [, build, dependencies] = stages(dockerfile({ ...builds, scripts: { ...builds.scripts, prepare } }));
    expect(build).toContain(expected);
    expect(dependencies).toContain('COPY package.json package-lock.json ./\nRUN npm pkg delete scripts.prepare\n');
  });

  test.each(['file:packages/b', 'link:./b', './b'])('a dependency on %j lies among the sources', (range) => {
    const text = dockerfile({ scripts: { start: 'node a.js' }, dependencies: { '@x/b': range } });
    expect(text).toContain('# All sources before the install: the dependency @x/b lies among them.\nCOPY . .\n');
  });
});

describe('startCommand', () => {
  test.each<[string, object, Files, readonly string[]]>([
    [
      'plain',
      { scripts: { start: 'node --enable-source-maps dist/x.js --port=1' } },
      {},
      ['node', '--enable-source-maps', 'dist/x.js', '--port=1'],
    ],
    ['a shell', { scripts: { start: 'A=1 node x.js' } }, {}, ['npm', 'start']],
    ['another program', { scripts: { start: 'next start' } }, {}, ['npm', 'start']],
    ['prestart', { scripts: { start: 'node x.js', prestart: 'y' } }, {}, ['npm', 'start']],
    ['metacharacters', { scripts: { start: 'node x.js; rm -rf /' } }, {}, ['npm', 'start']],
    ['main', { main: 'lib/x' }, { 'lib/x.js': '' }, ['node', 'lib/x']],
    ['server.js', { main: 'gone.js' }, { 'server.js': '' }, ['node', 'server.js']],
  ])('of %s', (_, project, files, argv) => {
    expect(startCommand(reader(project, files), false).argv).toEqual(argv);
  });

  test('is asked for where the project names none', () => {
    expect(() => startCommand(reader({ main: 'gone.js' }), false)).toThrow('nothing that a container could start');
  });
});

test('the ignore file keeps secrets and history out, and the project may take back', () => {
  const excluded = (path: string, own?: string): boolean =>
    parseIgnore(generateIgnore(['**/node_modules'], own)).judge(path).excluded;
  const all = ['.git', 'node_modules', 'a/node_modules', '.env', 'a/.env.production'];
  expect(all.filter((path) => !excluded(path))).toEqual([]);
  expect(excluded('src')).toBe(false);
  expect(excluded('.env.example', '!.env.example\ntest')).toBe(false);
  expect(excluded('test', '\uFEFF!.env.example\ntest')).toBe(true);
});

test('the bases of a Dockerfile: no stages, no scratch, nothing that an ARG completes', () => {
  const text = `ARG V=24
FROM --platform=$BUILDPLATFORM node:24-slim AS Build\r
FROM scratch as empty
  from ghcr.io/a/b@sha256:${'a'.repeat(64)}
FROM build
FROM node:$V
FROM Not_An_Image:x:y
FROM node:24-slim
# FROM commented:1
RUN echo FROM no:1`;
  expect(basesOf(text)).toEqual(['node:24-slim', `ghcr.io/a/b@sha256:${'a'.repeat(64)}`]);
});

test('npm settings: registries of the user, all of the project, variables replaced', () => {
  const user = 'cache=/home/me\n@team:registry=https://npm.example/\n//npm.example/:_authToken=${NODE_AUTH_TOKEN}';
  const text = npmrcFor(
    { user, project: '# x\nlegacy-peer-deps=true\nx=${GONE}${GONE?}' },
    { NODE_AUTH_TOKEN: 's3cret' },
  );
  expect(text).toBe(
    '@team:registry=https://npm.example/\n//npm.example/:_authToken=s3cret\nlegacy-peer-deps=true\nx=${GONE}\n',
  );
  expect(npmrcSecrets(text ?? '')).toEqual(['s3cret']);
  expect(npmrcSecrets('_auth = b2xkZXI=')).toEqual(['b2xkZXI=']);
  expect(npmrcSecrets('registry=https://me:pass@npm.example/\n//x/:_password="cGFzcw=="')).toEqual([
    'pass',
    'cGFzcw==',
  ]);
  expect(npmrcFor({ project: '\uFEFFa=1\r\nb=2\r\n' }, { npm_config_registry: 'https://r/' })).toBe(
    'a=1\nb=2\nregistry=https://r/\n',
  );
  expect(npmrcFor({ user: 'cache=/x' }, {})).toBeUndefined();
  const withheld = { ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'job-token', INPUT_TOKEN: 'job-token' };
  const asking = 'a=${ACTIONS_ID_TOKEN_REQUEST_TOKEN}\nb=${INPUT_TOKEN}';
  expect(npmrcFor({ project: asking }, withheld)).not.toContain('job-token');
});

test('the images that a Dockerfile copies from count as well, its own stages do not', () => {
  const text = [
    'FROM node:24 AS build',
    'COPY --from=build /a /a',
    'COPY --chown=1:1 --from=ghcr.io/a/tools:1 /b /b',
    'copy --link --from=0 /c /c',
    'COPY --from=$OTHER /d /d',
    'RUN git log --from=nobody:1',
  ].join('\n');
  expect(basesOf(text)).toEqual(['node:24', 'ghcr.io/a/tools:1']);
});
