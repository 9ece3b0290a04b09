/** What of a public repository decides how it is built: names of files and fields of them, read at a commit. */
export interface NodeRepository {
  /** With the folder inside, where the project is not at the root. */
  readonly repository: string;
  readonly commit: string;
  readonly files: readonly string[];
  /** Of package.json. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Of the package.json of the root above it, and its files. */
  readonly above?: { readonly files: readonly string[]; readonly fields: Readonly<Record<string, unknown>> };
  /** Whole small files that hold nothing but a version. */
  readonly versions?: Readonly<Record<string, string>>;
  /** yarn.lock is in the form of Yarn 2 and later. */
  readonly berry?: boolean;
  readonly expected:
    | { readonly manager: string; readonly version?: string; readonly node: string; readonly by: string }
    | { readonly refused: string };
}

export const nodeRepositories: readonly NodeRepository[] = [
  {
    repository: 'axios/axios',
    commit: '23a25af0688d',
    files: ['package-lock.json'],
    fields: {},
    expected: { manager: 'npm', node: '24', by: 'the usual version' },
  },
  {
    repository: 'elysiajs/elysia',
    commit: '8358ff9efbce',
    files: ['bun.lock'],
    fields: {},
    expected: { manager: 'bun', node: '24', by: 'the usual version' },
  },
  {
    repository: 'excalidraw/excalidraw',
    commit: '4872083c0444',
    files: ['yarn.lock'],
    fields: {
      packageManager: 'yarn@1.22.22',
      engines: { node: '>=18.0.0' },
      workspaces: ['excalidraw-app', 'packages/*', 'examples/*'],
    },
    expected: { manager: 'yarn-classic', version: '1.22.22', node: '24', by: '`engines.node`' },
  },
  {
    repository: 'expressjs/express',
    commit: 'a3714473feb3',
    files: [],
    fields: { engines: { node: '>= 18' } },
    expected: { refused: 'There is no lockfile' },
  },
  {
    repository: 'fastify/fastify',
    commit: '83e69762aff0',
    files: [],
    fields: {},
    expected: { refused: 'There is no lockfile' },
  },
  {
    repository: 'fastapi/full-stack-fastapi-template',
    commit: '68adb40d3742',
    files: ['bun.lock'],
    fields: { workspaces: ['frontend', 'packages/*'] },
    expected: { manager: 'bun', node: '24', by: 'the usual version' },
  },
  {
    repository: 'fastapi/full-stack-fastapi-template/frontend',
    commit: '68adb40d3742',
    files: [],
    fields: {},
    above: { files: ['bun.lock'], fields: { workspaces: ['frontend', 'packages/*'] } },
    expected: { manager: 'bun', node: '24', by: 'the usual version' },
  },
  {
    repository: 'gothinkster/node-express-realworld-example-app',
    commit: '30b68e1e8814',
    files: ['nx.json', 'package-lock.json'],
    fields: {},
    expected: { manager: 'npm', node: '24', by: 'the usual version' },
  },
  {
    repository: 'honojs/hono',
    commit: '28a9c128912d',
    files: ['bun.lock'],
    fields: { packageManager: 'bun@1.2.20', engines: { node: '>=16.9.0' } },
    versions: { '.tool-versions': 'nodejs 24.7.0\nbun  1.2.19\ndeno 2.4.5' },
    expected: { manager: 'bun', version: '1.2.20', node: '24.7.0', by: '.tool-versions' },
  },
  {
    repository: 'jestjs/jest',
    commit: '52db46e50404',
    files: ['.yarnrc.yml', 'lerna.json', 'yarn.lock'],
    fields: {
      packageManager: 'yarn@4.18.0',
      engines: { node: '^18.14.0 || ^20.0.0 || ^22.0.0 || >=24.0.0' },
      workspaces: ['packages/*', 'website', 'examples/*'],
    },
    berry: true,
    expected: { manager: 'yarn-berry', version: '4.18.0', node: '24', by: '`engines.node`' },
  },
  {
    repository: 'lerna/lerna',
    commit: '35d15a156793',
    files: ['lerna.json', 'nx.json', 'package-lock.json'],
    fields: {
      packageManager: 'npm@12.0.1',
      volta: { node: '26.5.0', npm: '12.0.1', yarn: '1.22.19' },
      workspaces: ['packages/lerna', 'website'],
    },
    expected: { manager: 'npm', version: '12.0.1', node: '26.5.0', by: '`volta' },
  },
  {
    repository: 'npm/cli',
    commit: '780afc50e3a3',
    files: ['package-lock.json'],
    fields: {
      engines: { node: '^20.17.0 || >=22.9.0' },
      workspaces: ['docs', 'smoke-tests', 'mock-globals', 'mock-registry', 'workspaces/*'],
    },
    expected: { manager: 'npm', node: '24', by: '`engines.node`' },
  },
  {
    repository: 'paperless-ngx/paperless-ngx/src-ui',
    commit: 'b0e0e8a35373',
    files: ['pnpm-lock.yaml', 'pnpm-workspace.yaml'],
    fields: { packageManager: 'pnpm@10.26.0' },
    expected: { manager: 'pnpm', version: '10.26.0', node: '24', by: 'the usual version' },
  },
  {
    repository: 'prettier/prettier',
    commit: '4f84a9342013',
    files: ['.yarnrc.yml', 'yarn.lock'],
    fields: { packageManager: 'yarn@4.17.1', engines: { node: '>=22' } },
    berry: true,
    expected: { manager: 'yarn-berry', version: '4.17.1', node: '24', by: '`engines.node`' },
  },
  {
    repository: 'reduxjs/redux',
    commit: '3084fc33bb23',
    files: ['.yarnrc.yml', 'yarn.lock'],
    fields: { packageManager: 'yarn@4.4.1' },
    berry: true,
    expected: { manager: 'yarn-berry', version: '4.4.1', node: '24', by: 'the usual version' },
  },
  {
    repository: 'socketio/socket.io',
    commit: 'd2d753fed443',
    files: ['package-lock.json'],
    fields: { workspaces: ['packages/socket.io', 'packages/socket.io-client', 'packages/engine.io'] },
    expected: { manager: 'npm', node: '24', by: 'the usual version' },
  },
  {
    repository: 'sveltejs/kit',
    commit: 'aa810a04146b',
    files: ['pnpm-lock.yaml', 'pnpm-workspace.yaml'],
    fields: {
      packageManager:
        'pnpm@11.19.0+sha512.7881f3ed590d472c4a955e2b88b2121791116066dcc88cbca3849ec9b60f1bbaa6d2ccb221fa91da4e1c65bef2bcbe379365aea7ac539c7bf86dedc3a1b22dce',
      engines: { pnpm: '>=11.0.0' },
    },
    expected: { manager: 'pnpm', version: '11.19.0', node: '24', by: 'the usual version' },
  },
  {
    repository: 'vitejs/vite',
    commit: 'a98c8d95d552',
    files: ['pnpm-lock.yaml', 'pnpm-workspace.yaml'],
    fields: { packageManager: 'pnpm@10.34.5', engines: { node: '^20.19.0 || >=22.12.0' } },
    expected: { manager: 'pnpm', version: '10.34.5', node: '24', by: '`engines.node`' },
  },
  {
    repository: 'vuejs/core',
    commit: 'e2bede96134f',
    files: ['pnpm-lock.yaml', 'pnpm-workspace.yaml'],
    fields: { packageManager: 'pnpm@11.19.0', engines: { node: '>=20.0.0' } },
    versions: { '.node-version': 'lts/*' },
    expected: { manager: 'pnpm', version: '11.19.0', node: 'lts/*', by: '.node-version' },
  },
  {
    repository: 'webpack/webpack',
    commit: 'bc3e930f75e3',
    files: ['yarn.lock'],
    fields: {
      packageManager:
        'yarn@1.22.22+sha512.a6b2f7906b721bba3d67d4aff083df04dad64c399707841b7acf00f6b133b7ac24255f2652fa22ae3534329dc6180534e98d17432037ff6fd140556e2bb3137e',
      engines: { node: '>=10.13.0' },
    },
    expected: { manager: 'yarn-classic', version: '1.22.22', node: '24', by: '`engines.node`' },
  },
];
