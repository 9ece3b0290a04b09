import { describe, expect, test } from '@jest/globals';
import { parseIgnore } from '../../src/container/dockerignore.ts';
import {
  generateWorkspaceDockerfile,
  ignoredPackages,
  planWorkspaceDockerfile,
} from '../../src/node-image/workspace-dockerfile.ts';
import type { ManagerName } from '../../src/node/package-manager.ts';
import { readerOf } from '../../src/project/project.ts';
import { type Files, inTree, manifest, packages, workspaceOf } from '../workspace/tree.ts';

const serve = { start: 'node server.js' };

function dockerfile(files: Files, name: ManagerName = 'npm', directory = 'packages/api'): string {
  const program = name.replace(/-.*/, '');
  const manager = { name, lockfile: 'a.lock', install: [program, 'install'] } as const;
  const given = { base: 'node:24-slim', manager, npmrc: false };
  return inTree(files, (folder) =>
    generateWorkspaceDockerfile(planWorkspaceDockerfile(workspaceOf(folder), directory, readerOf(folder), given)),
  )
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .join('\n');
}

const shop = packages({
  api: { scripts: serve, needs: ['lib'], more: { devDependencies: { tool: '*' } } },
  lib: { scripts: { build: 'x' } },
  tool: {},
  web: {},
});

describe('the Dockerfile of one package of a workspace', () => {
  test('has the manifests of its closure, builds in order, and keeps what runs', () => {
    // api itself names no dependency but by `more`, which takes the place of what `needs` says.
    const api = manifest('api', {
      scripts: { ...serve, build: 'x' },
      dependencies: { lib: '*' },
      devDependencies: { tool: '*' },
    });
    expect(dockerfile({ ...shop, 'packages/api/package.json': api, 'pnpm-workspace.yaml': 'a: 1' }))
      .toBe(`FROM node:24-slim AS base
WORKDIR /app
FROM base AS manifests
COPY package.json a.lock pnpm-workspace.yaml ./
COPY packages/lib/package.json packages/lib/
COPY packages/tool/package.json packages/tool/
COPY packages/api/package.json packages/api/
FROM manifests AS build
RUN --mount=type=cache,target=/root/.npm \\
    npm install
COPY . .
RUN cd packages/lib && npm run build
RUN cd packages/api && npm run build
RUN find . -name node_modules -prune -exec rm -rf {} +
FROM manifests AS dependencies
RUN --mount=type=cache,target=/root/.npm \\
    npm ci --omit=dev --no-audit --no-fund --workspace=packages/api && mkdir -p node_modules
FROM base
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=dependencies /app/packages/lib ./packages/lib
COPY --from=build /app/packages/lib ./packages/lib
COPY --from=dependencies /app/packages/api ./packages/api
COPY --from=build /app/packages/api ./packages/api
WORKDIR /app/packages/api
USER 1000:1000
CMD ["node", "server.js"]`);
  });

  test('without a build it takes the sources as they are', () => {
    const text = dockerfile(packages({ api: { scripts: serve } }));
    expect(text).not.toContain('AS build');
    expect(text).toContain(
      'COPY --from=dependencies /app/packages/api ./packages/api\nCOPY packages/api ./packages/api\n',
    );
  });

  test.each<[ManagerName, string]>([
    ['npm', 'npm ci --omit=dev --no-audit --no-fund --workspace=packages/api'],
    ['pnpm', "pnpm install --frozen-lockfile --prod '--filter={./packages/api}...'"],
    ['yarn-classic', 'yarn install --frozen-lockfile --non-interactive --production'],
    ['yarn-berry', 'YARN_NODE_LINKER=node-modules yarn workspaces focus api --production'],
    ['bun', 'bun install --frozen-lockfile --production --filter=api'],
  ])('%s installs for that package alone', (name, command) => {
    expect(dockerfile(shop, name)).toContain(`    ${command} && mkdir -p node_modules\n`);
  });

  test.each([
    ['postinstall', 'node x.js', 'COPY . .\nFROM manifests AS build'],
    ['prepare', 'svelte-kit sync', 'COPY . .\nFROM manifests AS build'],
    ['prepare', 'husky', 'RUN cd packages/lib && npm pkg delete scripts.prepare\nFROM manifests AS build'],
  ])('a script %s (%s) of what it needs', (name, script, expected) => {
    const lib = manifest('lib', { scripts: { build: 'x', [name]: script } });
    const text = dockerfile({
      ...packages({ api: { scripts: serve, needs: ['lib'] } }),
      'packages/lib/package.json': lib,
    });
    expect(text).toContain(expected);
    const dependencies = text.split('AS dependencies\n')[1] ?? '';
    expect(dependencies.startsWith('RUN cd packages/lib && npm pkg delete scripts.prepare')).toBe(
      script.startsWith('svelte'),
    );
  });

  test('folders with spaces are written so that neither Docker nor a shell parts them', () => {
    const files = {
      'package.json': { workspaces: ['my ü/*'] },
      'my ü/an api/package.json': manifest('api', { scripts: { ...serve, build: 'x' } }),
    };
    const text = dockerfile(files, 'npm', 'my ü/an api');
    expect(text).toContain('COPY ["my ü/an api/package.json", "my ü/an api/"]'.replace('", "', '","'));
    expect(text).toContain("RUN cd 'my ü/an api' && npm run build");
    expect(text).toContain("'--workspace=my ü/an api'");
  });

  test.each(['a;b', '$(x)', "it's", 'a\nRUN x', 'a"b', '<<EOF', '*'])('a folder %j is refused', (folder) => {
    const files = {
      'package.json': { workspaces: ['p/*'] },
      [`p/${folder}/package.json`]: manifest('api', { scripts: serve }),
    };
    expect(() => dockerfile(files, 'npm', `p/${folder}`)).toThrow('no name that a generated Dockerfile can hold');
  });

  test('a name that the package manager would take for an option is refused', () => {
    const files = { 'package.json': { workspaces: ['p'] }, 'p/package.json': manifest('-rf', { scripts: serve }) };
    expect(() => dockerfile(files, 'npm', 'p')).toThrow('"-rf" is no name that a generated Dockerfile can hold');
  });
});

test('the context holds no other package', () => {
  const files = { ...shop, ...packages({ 'web/plugin': {} }, { workspaces: ['packages/**'] }) };
  const nested = { ...files, 'packages/api/package.json': manifest('api', { dependencies: { 'web/plugin': '*' } }) };
  inTree(nested, (folder) => {
    const ignore = parseIgnore(ignoredPackages(workspaceOf(folder), 'packages/api').join('\n'));
    const excluded = (file: string): boolean => {
      const parts = file.split('/');
      let verdict: ReturnType<typeof ignore.judge> | undefined;
      parts.forEach((_, at) => (verdict = ignore.judge(parts.slice(0, at + 1).join('/'), verdict)));
      return verdict?.excluded === true;
    };
    expect(['packages/web/a.js', 'packages/lib/a.js', 'packages/tool'].map(excluded)).toEqual([true, true, true]);
    expect(['packages/web/plugin/a.js', 'packages/api/a.js', 'tsconfig.json'].map(excluded)).toEqual([
      false,
      false,
      false,
    ]);
  });
});
